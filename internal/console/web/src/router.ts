// Which page an address shows, and following links without loading the page anew.

import type { App, PageModule } from "./app.ts";

interface Route { pattern: RegExp; load: () => Promise<PageModule> }

export const homeUID = "netmeta-home";

const routes: Route[] = [
	{ pattern: /^\/$/, load: () => import("./pages/dashboard.ts") },
	{ pattern: /^\/d\/[^/]+(\/[^/]*)?$/, load: () => import("./pages/dashboard.ts") },
	{ pattern: /^\/sql$/, load: () => import("./pages/sql.ts") },
	{ pattern: /^\/alerts$/, load: () => import("./pages/alerts.ts") },
	{ pattern: /^\/path$/, load: () => import("./pages/path.ts") },
	{ pattern: /^\/setup$/, load: () => import("./pages/setup.ts") },
	{ pattern: /^\/login$/, load: () => import("./pages/login.ts") },
];

/** dashboardUID is the dashboard that a path shows, if it shows one. */
export function dashboardUID(path: string): string | null {
	if (path === "/") return homeUID;
	const match = /^\/d\/([^/]+)/.exec(path);
	return match ? decodeURIComponent(match[1]) : null;
}

export class Router {
	private unmount: (() => void) | null = null;
	private mountedPath = "";
	private turn = 0;
	private listeners = new Set<() => void>();
	private pageListeners = new Set<() => void>();

	constructor(private root: HTMLElement, private app: () => App) {
		addEventListener("popstate", () => void this.show());
		document.addEventListener("click", (event) => this.follow(event));
	}

	/** onMove calls listener after every change of the address. */
	onMove(listener: () => void): void {
		this.listeners.add(listener);
	}

	onLocation(listener: () => void): () => void {
		this.pageListeners.add(listener);
		return () => this.pageListeners.delete(listener);
	}

	navigate(url: string, options: { replace?: boolean } = {}): void {
		const target = new URL(url, location.href);
		if (target.origin !== location.origin || !routes.some((r) => r.pattern.test(target.pathname))) {
			location.assign(target);
			return;
		}
		if (options.replace) history.replaceState(null, "", target);
		else if (target.href !== location.href) history.pushState(null, "", target);
		void this.show();
	}

	/** show mounts the page of the present address, or tells the mounted one that the
	 * part after "?" has changed. */
	async show(): Promise<void> {
		const path = location.pathname;
		for (const listener of this.listeners) listener();
		if (this.unmount && this.mountedPath === path) {
			for (const listener of [...this.pageListeners]) listener();
			return;
		}
		const turn = ++this.turn;
		const moved = this.mountedPath !== "";
		this.unmount?.();
		this.unmount = null;
		this.mountedPath = path;
		this.pageListeners.clear();
		const page = document.createElement("div");
		page.className = "page";
		const route = routes.find((r) => r.pattern.test(path));
		if (!route) {
			this.refuse(page, "There is no such page", `Nothing is at ${path}. The menu above has all pages.`);
			return;
		}
		this.root.replaceChildren(page);
		try {
			const module = await route.load();
			if (turn !== this.turn) return;
			this.unmount = module.mount(page, this.app());
			if (moved) {
				scrollTo(0, 0);
				// A page may have given the focus to what one is there for.
				if (!page.contains(document.activeElement)) this.root.focus({ preventScroll: true });
			}
		} catch (error) {
			if (turn !== this.turn) return;
			console.error(error);
			this.refuse(page, "This page could not be loaded", `${String(error)}. NetMeta may have been updated: reload the page.`);
		}
	}

	private refuse(page: HTMLElement, title: string, text: string): void {
		const heading = document.createElement("h1");
		const paragraph = document.createElement("p");
		heading.textContent = title;
		paragraph.textContent = text;
		page.className = "page empty";
		page.replaceChildren(heading, paragraph);
		this.root.replaceChildren(page);
	}

	private follow(event: MouseEvent): void {
		if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		const link = event.composedPath().find((e): e is HTMLAnchorElement => e instanceof HTMLAnchorElement);
		if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
		if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
		if (!routes.some((r) => r.pattern.test(link.pathname))) return;
		event.preventDefault();
		this.navigate(link.href);
	}
}
