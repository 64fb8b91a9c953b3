// The legend of a chart: which series there are, their numbers, and which to show.

import { fill, h } from "../dom.ts";
import { icon } from "../icons.ts";

export interface Entry {
	name: string;
	colour: string;
	/** One text for each of the legend's columns. */
	numbers: string[];
	/** Opens the links of the series, where it has some. */
	links?: (at: Element) => void;
	dashed?: boolean;
}

export interface LegendOptions { mode: "list" | "table"; columns: string[]; onChange: () => void }

export class Legend {
	readonly root = h("div", { class: "legend" });
	/** Names that are not drawn. Empty: all are. */
	readonly hidden = new Set<string>();
	private entries: Entry[] = [];

	constructor(private options: LegendOptions) {
		this.root.dataset.mode = options.mode;
	}

	show(entries: Entry[]): void {
		const focused = this.root.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.name : undefined;
		this.entries = entries;
		const names = new Set(entries.map((e) => e.name));
		for (const name of this.hidden) if (!names.has(name)) this.hidden.delete(name);
		if (names.size > 0 && this.hidden.size === names.size) this.hidden.clear();
		if (this.options.mode === "table") this.showTable();
		else fill(this.root, entries.map((e) => h("span", { class: "entry" }, this.button(e), 
			e.numbers.map((n, i) => h("span", { class: "calc" }, h("small", {}, this.options.columns[i]), h("b", {}, n))), this.linkButton(e))));
		if (focused !== undefined) this.root.querySelector<HTMLElement>(`button[data-name="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	}

	isShown(name: string): boolean {
		return !this.hidden.has(name);
	}

	private showTable(): void {
		fill(this.root, h("table", {},
			h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Series"), this.options.columns.map((c) => h("th", { scope: "col", class: "number" }, c)))),
			h("tbody", {}, this.entries.map((e) => h("tr", {},
				h("td", {}, h("span", { class: "entry" }, this.button(e), this.linkButton(e))),
				e.numbers.map((n) => h("td", { class: "number" }, n)))))));
	}

	private button(entry: Entry): HTMLElement {
		return h("button", {
			type: "button", "aria-pressed": String(this.isShown(entry.name)), data: { name: entry.name }, title: `${entry.name}\nClick: only this one. Shift-click: hide or show it.`,
			on: { click: (event) => this.click(entry.name, event.shiftKey || event.ctrlKey || event.metaKey) },
		}, h("span", { class: entry.dashed ? "swatch dashed" : "swatch", style: { "--series": entry.colour } }), h("span", { class: "name" }, entry.name));
	}

	private linkButton(entry: Entry): HTMLElement | null {
		if (!entry.links) return null;
		return h("button", {
			type: "button", class: "quiet more", "aria-label": `Filter by ${entry.name}`, "aria-haspopup": "menu", title: "Filter by this, or exclude it",
			on: { click: (event) => entry.links!(event.currentTarget as Element) },
		}, icon("filter"));
	}

	/** click isolates a series, or shows all again when it is alone already; with
	 * toggle it hides or shows just this one. */
	private click(name: string, toggle: boolean): void {
		const others = this.entries.map((e) => e.name).filter((n) => n !== name);
		const alone = this.isShown(name) && others.length > 0 && others.every((n) => this.hidden.has(n));
		if (toggle) {
			if (!this.hidden.delete(name) && !alone) this.hidden.add(name);
		} else if (alone) {
			this.hidden.clear();
		} else {
			this.hidden.clear();
			for (const other of others) this.hidden.add(other);
		}
		this.show(this.entries);
		this.options.onChange();
	}
}
