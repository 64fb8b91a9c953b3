// Light, dark, or as the system has it; and the colours for what is drawn on canvas.

type Choice = "light" | "dark" | "system";

const key = "netmeta-theme";

export class Theme {
	private listeners = new Set<() => void>();
	private system = matchMedia("(prefers-color-scheme: dark)");

	constructor() {
		this.apply();
		this.system.addEventListener("change", () => this.changed());
	}

	get choice(): Choice {
		const stored = localStorage.getItem(key);
		return stored === "light" || stored === "dark" ? stored : "system";
	}

	get dark(): boolean {
		return this.choice === "dark" || (this.choice === "system" && this.system.matches);
	}

	/** toggle switches between light and dark, and forgets the choice where that is
	 * what the system wants anyway. */
	toggle(): void {
		const dark = !this.dark;
		if (dark === this.system.matches) localStorage.removeItem(key);
		else localStorage.setItem(key, dark ? "dark" : "light");
		this.changed();
	}

	/** onChange calls listener after a change of colours; returns what ends that. */
	onChange(listener: () => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	/** colour returns a colour of theme.css ("--text") as canvases take it. */
	colour(name: string): string {
		const probe = document.createElement("i");
		probe.style.color = `var(${name})`;
		document.body.append(probe);
		const colour = getComputedStyle(probe).color;
		probe.remove();
		return colour;
	}

	private apply(): void {
		document.documentElement.dataset.theme = this.choice;
	}

	private changed(): void {
		this.apply();
		for (const listener of this.listeners) listener();
	}
}
