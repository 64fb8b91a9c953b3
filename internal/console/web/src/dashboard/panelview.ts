// One panel: its frame, its requests, and what it says when there is nothing to show.

import { ApiError, isAbort, type Result } from "../api.ts";
import { fill, h } from "../dom.ts";
import { icon } from "../icons.ts";
import { popup } from "../overlay.ts";
import { hasQueries, isKnown, loadKind } from "../panels/registry.ts";
import { noData, type PanelContext, type Visual } from "../panels/visual.ts";
import type { Range } from "../time.ts";
import type { Panel, Target } from "./model.ts";
import { openPanelMenu } from "./panelmenu.ts";
import type { Queue } from "./queue.ts";
import type { Frame } from "./series.ts";

/** Request is what a panel is to show: a new one makes the one before void. */
export interface Request { range: Range; variables: Record<string, string[]> }

/** Host is what panels need of the dashboard around them. */
export interface Host {
	uid: string;
	queue: Queue;
	context(panel: Panel, refuse: PanelContext["refuse"]): PanelContext;
	/** variableError shows at a variable's field what is wrong with its value. */
	variableError(name: string, message: string): void;
	filtered(): boolean;
	clearFilters(): void;
	widen(): void;
	toggleFull(panel: Panel): void;
	isFull(panel: Panel): boolean;
}

/** Pauses before asking again while ClickHouse or NetMeta is away, in milliseconds. */
const firstRetry = 3000;
const longestRetry = 30_000;

export class PanelView {
	readonly root: HTMLElement;
	frames: Frame[] = [];
	visual: Visual | null = null;
	private body = h("div", { class: "panel-body" });
	private note = h("div", { class: "panel-note", hidden: true });
	private wanted: Request | null = null;
	private loaded: Request | null = null;
	private shown: Request | null = null;
	private inView = false;
	private abort: AbortController | null = null;
	private retry: number | undefined;
	private retryPause = firstRetry;
	private resize: ResizeObserver;
	private context: PanelContext;
	private gone = false;

	constructor(readonly panel: Panel, readonly host: Host) {
		this.context = host.context(panel, (title, text) => this.say(title, text, [], "idle"));
		const titleId = `panel-${panel.id}-title`;
		const menuButton = h("button", {
			type: "button", class: "quiet panel-menu", "aria-label": `Menu of ${panel.title || "panel"}`, "aria-haspopup": "menu", "aria-expanded": "false",
			on: { click: (e) => openPanelMenu(this, e.currentTarget as Element, this.context) },
		}, icon("more"));
		this.root = h("div", { role: "group", class: "panel", id: `panel-${panel.id}`, "aria-labelledby": titleId, "aria-busy": "false", data: { kind: panel.type, state: "waiting" } },
			h("header", {}, h("h2", { id: titleId }, panel.title ?? ""), this.description(), menuButton),
			h("div", { class: "progress", "aria-hidden": "true" }), this.note, this.body);
		if (panel.transparent) this.root.classList.add("transparent");
		let width = 0;
		let height = 0;
		this.resize = new ResizeObserver(([entry]) => {
			const box = entry.contentRect;
			const changed = Math.abs(box.width - width) > 1 || Math.abs(box.height - height) > 1;
			width = box.width;
			height = box.height;
			if (changed && width > 0 && this.visual && this.frames.length > 0) this.visual.redraw();
		});
		this.resize.observe(this.body);
	}

	private description(): HTMLElement | null {
		const text = this.panel.description;
		if (!text) return null;
		const button: HTMLElement = h("button", {
			type: "button", class: "quiet panel-info", "aria-label": `About ${this.panel.title}`, "aria-expanded": "false", title: text,
			on: { click: () => void popup(button, h("p", { class: "popup-text" }, text)) },
		}, icon("info"));
		return button;
	}

	/** ask gives the panel something new to show; it loads when it is in view. */
	ask(request: Request): void {
		this.wanted = request;
		if (this.inView) void this.load();
		else this.cancel();
	}

	get loading(): boolean {
		return this.root.dataset.state === "loading" && this.abort !== null;
	}

	setInView(inView: boolean): void {
		this.inView = inView;
		if (inView && this.wanted !== this.loaded) void this.load();
	}

	/** again asks once more for what is shown. */
	again(): void {
		this.loaded = null;
		void this.load();
	}

	cancel(): void {
		this.abort?.abort();
		this.abort = null;
		clearTimeout(this.retry);
	}

	destroy(): void {
		this.gone = true;
		this.cancel();
		this.resize.disconnect();
		this.visual?.destroy();
	}

	redraw(): void {
		if (this.frames.length > 0 || !hasQueries(this.panel.type)) this.visual?.redraw();
	}

	/** range is that of the data at hand, until new ones have come. */
	range(): Range | null {
		return this.shown?.range ?? null;
	}

	private async load(): Promise<void> {
		const request = this.wanted;
		if (!request || this.gone) return;
		this.cancel();
		this.loaded = request;
		const abort = new AbortController();
		this.abort = abort;
		this.setState("loading");
		try {
			if (!isKnown(this.panel.type)) {
				this.say(`The console does not show panels of kind “${this.panel.type}”`, "Grafana does. Everything else of this dashboard works here.", [], "idle");
				return;
			}
			const [make, frames] = await Promise.all([loadKind(this.panel.type), this.fetch(request, abort.signal)]);
			if (abort.signal.aborted || this.gone) return;
			this.retryPause = firstRetry;
			this.frames = frames;
			this.shown = request;
			this.note.hidden = true;
			this.body.hidden = false;
			if (!this.visual) {
				fill(this.body);
				this.visual = make(this.body, this.context);
			}
			this.setState("ready");
			const empty = frames.length > 0 && noData(frames) && this.panel.type !== "stat";
			if (empty || this.visual.draw(frames) === false) this.sayEmpty();
			if (frames.some((f) => f.result.truncated)) this.root.dataset.truncated = "true";
			else delete this.root.dataset.truncated;
		} catch (error) {
			if (isAbort(error) || abort.signal.aborted || this.gone) return;
			this.fail(error);
		}
	}

	private targets(): Target[] {
		return hasQueries(this.panel.type) ? (this.panel.targets ?? []).filter((t) => !t.hide) : [];
	}

	private fetch(request: Request, signal: AbortSignal): Promise<Frame[]> {
		return Promise.all(this.targets().map(async (target): Promise<Frame> => {
			// Those that are further up go first.
			const priority = this.root.getBoundingClientRect().top;
			const result: Result = await this.host.queue.run(priority, signal, () => this.context.app.api.query({
				dashboard: this.host.uid, panel: this.panel.id, target: target.refId,
				from: Math.floor(request.range.from / 1000), to: Math.ceil(request.range.to / 1000),
				points: this.points(), variables: request.variables,
			}, signal));
			return { refId: target.refId, result };
		}));
	}

	/** points is how many buckets of time the panel has room for. */
	private points(): number {
		const width = Math.max(200, this.body.clientWidth || this.root.clientWidth);
		const each = this.panel.type === "heatmap" ? 5 : this.panel.type === "stat" ? 4 : this.panel.fieldConfig?.defaults?.custom?.drawStyle === "bars" ? 7 : 3;
		return Math.max(40, Math.min(800, Math.round(width / each)));
	}

	private setState(state: "loading" | "ready" | "error" | "empty"): void {
		this.root.dataset.state = state;
		this.root.setAttribute("aria-busy", String(state === "loading"));
	}

	private say(title: string, text: string, buttons: HTMLElement[], level: string): void {
		this.note.hidden = false;
		this.body.hidden = true;
		this.note.dataset.level = level;
		this.note.title = text;
		fill(this.note, h("div", {}, h("h3", {}, title), text ? h("p", {}, text) : null, buttons.length > 0 ? h("div", { class: "buttons" }, buttons) : null));
	}

	private sayEmpty(): void {
		this.setState("empty");
		const { noValue } = this.panel.fieldConfig?.defaults ?? {};
		if (noValue) {
			this.say(noValue, "", [], "idle");
			return;
		}
		const buttons = [button("Look at a longer time", () => this.host.widen())];
		if (this.host.filtered()) buttons.unshift(button("Remove the filters", () => this.host.clearFilters()));
		this.say("Nothing in this time range", this.host.filtered() ? "Filters are set: perhaps nothing matches all of them." : "", buttons, "idle");
	}

	private fail(error: unknown): void {
		this.setState("error");
		const again = button("Try again", () => this.again());
		if (!(error instanceof ApiError)) {
			console.error(error);
			this.say("This panel could not be drawn", String(error), [again], "bad");
			return;
		}
		const hint = error.hint ? ` ${error.hint}` : "";
		switch (error.kind) {
			case "variable":
				if (error.variable) this.host.variableError(error.variable, error.message);
				this.say("A filter cannot be used", `${error.message}${hint}`, [button("Remove the filters", () => this.host.clearFilters())], "warn");
				break;
			case "limit":
				this.say("The query takes too much", `${error.message}${hint || " Choose a shorter time range, or filter more."}`, [again], "warn");
				break;
			case "unavailable":
				this.say("No answer", `${error.message}${hint}${/again by itself/.test(hint) ? "" : " Asking again by itself."}`, [again], "warn");
				this.retry = window.setTimeout(() => this.again(), this.retryPause);
				this.retryPause = Math.min(longestRetry, this.retryPause * 1.7);
				break;
			case "login":
				this.say("Logged out", "Log in to go on.", [], "warn");
				break;
			default:
				this.say("The query failed", `${error.message}${hint}`, [again], "bad");
		}
	}
}

function button(label: string, run: () => void): HTMLElement {
	return h("button", { type: "button", on: { click: run } }, label);
}
