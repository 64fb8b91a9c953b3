// The whole of a dashboard: keeps panels, time and filters together with the address.

import type { App } from "../app.ts";
import { Colours } from "../colours.ts";
import { fill, h } from "../dom.ts";
import { icon } from "../icons.ts";
import { dialog, menu } from "../overlay.ts";
import { Crosshair } from "../panels/crosshair.ts";
import { hideTip } from "../panels/tip.ts";
import type { PanelContext } from "../panels/visual.ts";
import { formatState, parseState, queryVariables, withoutDefaults, type Defaults, type ViewState } from "../state.ts";
import { isRange, parseRange, zoomOut, type Range } from "../time.ts";
import { Filters } from "./filters.ts";
import { placeOf, sectionsOf, type Section } from "./layout.ts";
import { fillLinks, type LinkScope } from "./links.ts";
import { everyPanel, type Dashboard, type Panel } from "./model.ts";
import { PanelView, type Host, type Request } from "./panelview.ts";
import { Queue } from "./queue.ts";
import { TimeBar } from "./timebar.ts";

/** How many queries run at a time: the database answers each faster when there are few. */
const parallel = 4;

/** asked is what queries depend on, to compare. */
function asked(state: ViewState): string {
	return JSON.stringify([state.from, state.to, state.utc, state.variables, state.refresh]);
}

export class DashboardView {
	private defaults: Defaults;
	private state: ViewState;
	private range: Range = { from: 0, to: 0 };
	private request: Request | null = null;
	private panels = new Map<number, PanelView>();
	private filters: Filters;
	private timebar: TimeBar;
	private colours = new Colours();
	private crosshair = new Crosshair();
	private queue = new Queue(parallel);
	private grid = h("div", { class: "sections" });
	private notice = h("div", { class: "error range-error", role: "alert", hidden: true });
	private watcher: IntersectionObserver;
	private ends: (() => void)[] = [];

	constructor(root: HTMLElement, private app: App, private dashboard: Dashboard) {
		this.defaults = { from: dashboard.time?.from ?? "now-3h", to: dashboard.time?.to ?? "now", refresh: dashboard.refresh || "" };
		this.state = this.readState();
		this.computeRange();

		const change = (state: ViewState) => this.change(state);
		this.filters = new Filters({ app, dashboard, state: () => this.state, range: () => this.range, change });
		this.timebar = new TimeBar({ state: () => this.state, range: () => this.range, change, refresh: () => this.refresh(), busy: () => [...this.panels.values()].some((p) => p.loading) });
		this.watcher = new IntersectionObserver((entries) => {
			for (const e of entries) this.panels.get(Number((e.target as HTMLElement).dataset.panel))?.setInView(e.isIntersecting);
		}, { rootMargin: "240px 0px" });

		fill(root,
			h("div", { class: "dash-head" },
				h("div", { class: "dash-title" }, h("h1", { title: dashboard.description }, dashboard.title),
					h("button", { type: "button", class: "quiet", "aria-label": "Copy link", title: "Copy a link to what is shown, with this very time (l)", on: { click: () => void this.copyLink() } }, icon("link"))), this.timebar.root, this.filters.root),
			this.notice, this.grid);
		app.setTitle(dashboard.title.replace(/^NetMeta:?\s*/, "") || "NetMeta");
		this.keys();
		this.ends.push(app.onLocation(() => this.moved()), app.theme.onChange(() => this.panels.forEach((p) => p.redraw())));
		this.layOut();
		this.refresh();
		void this.filters.checkAll();
	}

	destroy(): void {
		for (const end of this.ends) end();
		this.panels.forEach((p) => p.destroy());
		this.watcher.disconnect();
		this.filters.destroy();
		this.timebar.destroy();
		hideTip();
	}

	private keys(): void {
		const add = (key: string, text: string, run: () => void) => this.ends.push(this.app.shortcut(key, text, run));
		add("r", "Refresh", () => this.refresh());
		add("[", "Earlier", () => this.timebar.move(-1));
		add("]", "Later", () => this.timebar.move(1));
		add("-", "Zoom out", () => this.timebar.zoomOut());
		add("c", "Choose the time range", () => this.timebar.open());
		add("l", "Copy a link to what is shown, with this very time", () => void this.copyLink());
		add("f", "Go to the filters", () => this.filters.focus());
		add("x", "Clear the filters", () => this.change(this.filters.cleared()));
		add("v", "The panel in focus: full screen and back", () => {
			const id = Number(document.activeElement?.closest<HTMLElement>("[data-panel]")?.dataset.panel);
			const panel = this.state.panel ?? id;
			if (panel) this.change({ ...this.state, panel: this.state.panel ? null : panel });
		});
		add("Escape", "Leave full screen", () => {
			if (this.state.panel !== null) this.change({ ...this.state, panel: null });
		});
	}

	/** change goes to another state, as a new entry of the browser's history. */
	private change(state: ViewState): void {
		const query = formatState(state, this.defaults);
		if (query === formatState(this.state, this.defaults)) return;
		this.app.navigate(`${location.pathname}?${query}`);
	}

	/** moved follows the address. */
	private moved(): void {
		const before = this.state;
		this.state = this.readState();
		const layout = before.panel !== this.state.panel || before.rows.join() !== this.state.rows.join();
		if (JSON.stringify(before.variables) !== JSON.stringify(this.state.variables)) {
			this.filters.clearErrors();
			void this.filters.checkAll();
		}
		this.filters.show();
		if (layout) this.layOut();
		if (before.utc !== this.state.utc) this.panels.forEach((p) => p.redraw());
		// A row that opens asks for its own panels; the others are as new as before.
		if (asked(before) !== asked(this.state) || !this.request) this.refresh();
	}

	/** readState reads the address, and shortens it: links name every variable, also
	 * those that are as they are anyway. */
	private readState(): ViewState {
		const variables = this.dashboard.templating?.list ?? [];
		const state = withoutDefaults(variables, parseState(location.search, this.defaults));
		const query = formatState(state, this.defaults);
		if (location.search.includes("var-") && location.search !== `?${query}`) history.replaceState(null, "", `${location.pathname}?${query}`);
		return state;
	}

	private computeRange(): boolean {
		const range = parseRange(this.state.from, this.state.to, Date.now(), { utc: this.state.utc });
		this.notice.hidden = isRange(range);
		if (isRange(range)) {
			this.range = range;
			return true;
		}
		fill(this.notice, h("p", {}, range.text), h("p", {}, h("button", { type: "button", on: { click: () => this.change({ ...this.state, from: this.defaults.from, to: this.defaults.to }) } }, "Show the usual range")));
		if (this.range.to === 0) this.range = { from: Date.now() - 3_600_000, to: Date.now() };
		return false;
	}

	/** refresh asks for everything that is shown, anew. */
	private refresh(): void {
		const valid = this.computeRange();
		this.timebar.show();
		this.timebar.loaded();
		this.panels.forEach((p) => p.cancel());
		if (!valid) return;
		this.request = { range: this.range, variables: queryVariables(this.filters.variables, this.state) };
		this.panels.forEach((p) => p.ask(this.request!));
	}

	private layOut(): void {
		hideTip();
		const full = this.state.panel === null ? undefined : everyPanel(this.dashboard).find((p) => p.id === this.state.panel && p.type !== "row");
		const kept = new Set<number>();
		if (full) {
			kept.add(full.id);
			const view = this.view(full);
			view.root.style.setProperty("--height", "max(360px, calc(100dvh - 190px))");
			view.root.style.gridArea = "";
			fill(this.grid, h("div", { class: "full" }, view.root));
		} else {
			fill(this.grid, sectionsOf(this.dashboard.panels).map((section) => this.section(section, kept)));
		}
		for (const [id, view] of this.panels) {
			if (kept.has(id)) continue;
			this.watcher.unobserve(view.root);
			view.destroy();
			this.panels.delete(id);
		}
	}

	private section(section: Section, kept: Set<number>): HTMLElement {
		const { row } = section;
		const open = !row || (row.collapsed === true) === this.state.rows.includes(row.id);
		const grid = h("div", { class: "grid", id: row ? `row-${row.id}` : undefined, hidden: !open });
		if (open) {
			for (const panel of section.panels) {
				kept.add(panel.id);
				const view = this.view(panel);
				const place = placeOf(panel, section);
				view.root.style.gridArea = "";
				view.root.style.gridColumn = place.column;
				view.root.style.gridRow = place.row;
				view.root.style.setProperty("--height", `${place.height}px`);
				grid.append(view.root);
			}
		}
		if (!row) return grid;
		const toggle = h("button", {
			type: "button", class: "row-toggle", "aria-expanded": String(open), "aria-controls": `row-${row.id}`,
			on: { click: () => this.toggleRow(row) },
		}, icon("down"), h("span", {}, row.title ?? ""), h("small", {}, open ? "" : `${section.panels.length} panel${section.panels.length === 1 ? "" : "s"}`));
		return h("div", { role: "group", class: "row", "aria-label": row.title ?? "Row", data: { open: String(open) } }, h("h2", {}, toggle), grid);
	}

	/** copyLink gives a link that shows the same tomorrow. */
	private async copyLink(): Promise<void> {
		const exact = { ...this.state, from: String(Math.round(this.range.from)), to: String(Math.round(this.range.to)) };
		const url = `${location.origin}${location.pathname}?${formatState(exact, this.defaults)}`;
		try {
			await navigator.clipboard.writeText(url);
			this.app.announce("Copied a link to this view, with this very time.");
		} catch {
			dialog("Link to this view", h("pre", { class: "code", tabindex: "0" }, url));
		}
	}

	private toggleRow(row: Panel): void {
		const { rows } = this.state;
		this.change({ ...this.state, rows: rows.includes(row.id) ? rows.filter((id) => id !== row.id) : [...rows, row.id] });
		this.grid.querySelector<HTMLElement>(`[aria-controls="row-${row.id}"]`)?.focus({ preventScroll: true });
	}

	private view(panel: Panel): PanelView {
		let view = this.panels.get(panel.id);
		if (!view) {
			view = new PanelView(panel, this.host);
			view.root.dataset.panel = String(panel.id);
			this.panels.set(panel.id, view);
			this.watcher.observe(view.root);
			if (this.request) view.ask(this.request);
		}
		return view;
	}

	private scope = (): LinkScope => ({ variables: this.filters.variables, state: this.state, uid: this.dashboard.uid });

	private host: Host = ((self) => ({
		get uid() {
			return self.dashboard.uid;
		},
		get queue() {
			return self.queue;
		},
		context: (panel, refuse) => self.context(panel, refuse),
		variableError: (name, message) => self.filters.setError(name, message),
		filtered: () => self.filters.isFiltered(),
		clearFilters: () => self.change(self.filters.cleared()),
		widen: () => self.zoom(zoomOut(zoomOut(self.range, Date.now()), Date.now())),
		toggleFull: (panel) => self.change({ ...self.state, panel: self.state.panel === null ? panel.id : null }),
		isFull: (panel) => self.state.panel === panel.id,
	}))(this);

	private zoom(range: Range): void {
		this.change({ ...this.state, from: String(Math.round(range.from)), to: String(Math.round(range.to)) });
	}

	private context(panel: Panel, refuse: PanelContext["refuse"]): PanelContext {
		return {
			app: this.app, panel, colours: this.colours, crosshair: this.crosshair, refuse,
			range: () => this.panels.get(panel.id)?.range() ?? this.range,
			zone: () => ({ utc: this.state.utc }),
			scope: this.scope,
			zoom: (range) => this.zoom(range),
			openLinks: (at, value, links) => {
				hideTip();
				const filled = fillLinks(links, value, this.scope());
				menu(at, filled.map((l) => ({ label: l.title, href: l.url })), value.text);
			},
		};
	}
}
