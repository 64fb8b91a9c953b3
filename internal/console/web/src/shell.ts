// The bar at the top of every page: where one can go, who is logged in, colours.

import type { Api, DashboardInfo, Session } from "./api.ts";
import { fill, h } from "./dom.ts";
import { icon } from "./icons.ts";
import { dashboardUID, homeUID } from "./router.ts";
import type { Shortcuts } from "./shortcuts.ts";
import type { Theme } from "./theme.ts";

interface Context {
	api: Api;
	theme: Theme;
	shortcuts: Shortcuts;
	session: () => Session;
	navigate: (url: string) => void;
	timeQuery: () => string;
}

const pages = [
	{ path: "/alerts", label: "Alerts", key: "a" },
	{ path: "/sql", label: "SQL", key: "s" },
	{ path: "/path", label: "Data path", key: "p" },
	{ path: "/setup", label: "Setup", key: "u" },
];

/** order of the dashboards in the menu: from the whole to the single thing. */
const order = ["home", "overview", "relations", "interface", "host", "attack", "flows", "pipeline"].map((name) => `netmeta-${name}`);

function rank(uid: string): number {
	const at = order.indexOf(uid);
	return at < 0 ? order.length : at;
}

/** shortTitle leaves out what all titles begin with. */
function shortTitle(title: string): string {
	return title.replace(/^NetMeta:?\s*/, "") || title;
}

export class Shell {
	private nav = h("nav", { "aria-label": "Pages", id: "nav" });
	private themeButton = h("button", { type: "button", class: "quiet", on: { click: () => this.context.theme.toggle() } });
	private account = h("span", { class: "account" });
	private toggle = h("button", {
		type: "button", class: "quiet nav-toggle", "aria-label": "Menu", "aria-controls": "nav", "aria-expanded": "false",
		on: { click: () => this.open(!this.root.classList.contains("open")) },
	}, icon("menu"));
	private dashboards: DashboardInfo[] = [];
	private firing = 0;

	constructor(private root: HTMLElement, private context: Context) {
		root.className = "top";
		fill(root,
			h("a", { class: "brand", href: "/" }, h("img", { src: "/icon.svg", alt: "", width: "24", height: "24" }), h("span", {}, "NetMeta")),
			this.toggle,
			this.nav,
			h("div", { class: "tools" }, this.account, h("button", {
				type: "button", class: "quiet", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (?)",
				on: { click: () => context.shortcuts.help() },
			}, icon("keyboard")), this.themeButton));
		context.shortcuts.add("g h", "Go to Home", () => context.navigate(this.withTime("/")));
		for (const page of pages) context.shortcuts.add(`g ${page.key}`, `Go to ${page.label}`, () => context.navigate(page.path));
		context.shortcuts.add("t", "Switch between light and dark", () => context.theme.toggle());
		context.theme.onChange(() => this.showTheme());
		this.showTheme();
		this.moved();
	}

	/** load asks which dashboards there are. */
	async load(): Promise<void> {
		try {
			this.dashboards = await this.context.api.dashboards();
			this.dashboards.sort((a, b) => rank(a.uid) - rank(b.uid) || a.title.localeCompare(b.title));
		} catch {
			// The page itself says what is wrong; the other links still work.
		}
		this.moved();
	}

	/** showFiring says at the link to the alerts how many rules fire. */
	showFiring(firing: number): void {
		if (firing === this.firing) return;
		this.firing = firing;
		this.showLinks();
	}

	/** moved marks the present page, and gives the links the present time range. */
	moved(): void {
		this.open(false);
		this.showLinks();
	}

	private showLinks(): void {
		const uid = dashboardUID(location.pathname);
		const link = (path: string, label: string, current: boolean) =>
			h("a", { href: path, "aria-current": current ? "page" : undefined }, label, path === "/alerts" && this.firing > 0
				? h("span", { class: "badge", title: "Rules that fire" }, String(this.firing), h("span", { class: "unseen" }, " firing")) : null);
		const boards = this.dashboards.length > 0 ? this.dashboards : [{ uid: homeUID, title: "Home" }];
		fill(this.nav,
			boards.map((d) => link(this.withTime(d.uid === homeUID ? "/" : `/d/${encodeURIComponent(d.uid)}`), shortTitle(d.title), d.uid === uid)),
			h("span", { class: "divider", role: "presentation" }),
			pages.map((p) => link(p.path, p.label, location.pathname === p.path)));
		const session = this.context.session();
		fill(this.account, session.login && session.user
			? h("button", { type: "button", class: "quiet", on: { click: () => void this.logout() } }, "Log out")
			: null);
	}

	private async logout(): Promise<void> {
		await this.context.api.logout();
		location.assign("/login");
	}

	private withTime(path: string): string {
		const query = this.context.timeQuery();
		return query ? `${path}?${query}` : path;
	}

	private open(open: boolean): void {
		this.root.classList.toggle("open", open);
		this.toggle.setAttribute("aria-expanded", String(open));
	}

	private showTheme(): void {
		const label = this.context.theme.dark ? "Light colours" : "Dark colours";
		this.themeButton.setAttribute("aria-label", label);
		this.themeButton.title = `${label} (t)`;
		fill(this.themeButton, icon(this.context.theme.dark ? "sun" : "moon"));
	}
}
