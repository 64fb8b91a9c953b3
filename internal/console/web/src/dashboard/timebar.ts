// Which time is shown, and how often anew.

import { fill, freshId, h } from "../dom.ts";
import { icon, type IconName } from "../icons.ts";
import { closePopup, popup } from "../overlay.ts";
import type { ViewState } from "../state.ts";
import { formatRange, formatTime, isRange, parseDuration, parseRange, quickRanges, zoomOut, type Range } from "../time.ts";
import { duration } from "../units.ts";

interface Config {
	state: () => ViewState;
	range: () => Range;
	change: (state: ViewState) => void;
	refresh: () => void;
	/** busy tells whether what was asked for is still under way. */
	busy: () => boolean;
}

/** How long to wait, in milliseconds, when it is time for new data and the old ones
 * have not come yet: asking again would only give these up. */
const patience = 1000;

const refreshChoices = ["", "5s", "10s", "30s", "1m", "5m", "15m"];

export class TimeBar {
	readonly root = h("div", { class: "timebar", role: "group", "aria-label": "Time" });
	private rangeButton: HTMLButtonElement;
	private refreshSelect: HTMLSelectElement;
	private refreshButton: HTMLButtonElement;
	private timer: number | undefined;
	private lastRefresh = Date.now();
	private overdue = false;

	constructor(private config: Config) {
		this.rangeButton = h("button", { type: "button", class: "range", "aria-haspopup": "dialog", "aria-expanded": "false", on: { click: () => this.open() } });
		this.refreshButton = iconButton("refresh", "Refresh (r)", () => this.refreshNow());
		this.refreshSelect = h("select", {
			"aria-label": "Refresh automatically",
			on: { change: () => config.change({ ...config.state(), refresh: this.refreshSelect.value }) },
		});
		this.root.append(
			h("div", { class: "group" }, iconButton("back", "Earlier ([)", () => this.move(-1)), this.rangeButton, iconButton("forward", "Later (])", () => this.move(1)), iconButton("zoomOut", "Zoom out (-)", () => this.zoomOut())),
			h("div", { class: "group" }, this.refreshButton, this.refreshSelect));
		document.addEventListener("visibilitychange", this.visibility);
		this.show();
	}

	destroy(): void {
		clearTimeout(this.timer);
		document.removeEventListener("visibilitychange", this.visibility);
	}

	/** show brings the bar up to the present state. */
	show(): void {
		const state = this.config.state();
		const range = this.config.range();
		const zone = { utc: state.utc };
		fill(this.rangeButton, icon("clock"), h("span", {}, formatRange(state.from, state.to, range, zone)), state.utc ? h("small", {}, "UTC") : null);
		this.rangeButton.title = `${formatTime(range.from, zone)} to ${formatTime(range.to, zone)} (${duration(Math.round((range.to - range.from) / 1000))})`;
		const choices = refreshChoices.includes(state.refresh) ? refreshChoices : [...refreshChoices, state.refresh];
		fill(this.refreshSelect, choices.map((c) => h("option", { value: c, selected: c === state.refresh }, c === "" ? "Off" : c)));
		this.refreshSelect.value = state.refresh;
		this.schedule();
	}

	/** loaded notes that what is shown is new. */
	loaded(): void {
		this.lastRefresh = Date.now();
		this.schedule();
	}

	move(direction: -1 | 1): void {
		const { from, to } = this.config.range();
		const step = Math.max(1000, (to - from) / 2) * direction;
		this.set({ from: from + step, to: to + step });
	}

	zoomOut(): void {
		this.set(zoomOut(this.config.range(), Date.now()));
	}

	refreshNow(): void {
		this.config.refresh();
	}

	private set(range: Range): void {
		this.config.change({ ...this.config.state(), from: String(Math.round(range.from)), to: String(Math.round(range.to)) });
	}

	/** A range that ends now changes by itself; a fixed one would only cost. */
	private get moving(): boolean {
		const { from, to } = this.config.state();
		return from.includes("now") || to.includes("now");
	}

	private schedule(): void {
		clearTimeout(this.timer);
		const every = parseDuration(this.config.state().refresh);
		if (every === 0 || !this.moving) return;
		const due = () => {
			// Nobody looks: it is made up for when somebody does.
			if (document.hidden) this.overdue = true;
			else if (this.config.busy()) this.timer = window.setTimeout(due, patience);
			else this.refreshNow();
		};
		this.timer = window.setTimeout(due, Math.max(0, this.lastRefresh + every - Date.now()));
	}

	private visibility = () => {
		if (document.hidden || !this.overdue) return;
		this.overdue = false;
		this.refreshNow();
	};

	open(): void {
		const state = this.config.state();
		const fromId = freshId("time");
		const toId = freshId("time");
		const from = h("input", { type: "text", id: fromId, value: readable(state.from, state.utc), spellcheck: "false", autocomplete: "off" });
		const to = h("input", { type: "text", id: toId, value: readable(state.to, state.utc), spellcheck: "false", autocomplete: "off" });
		const error = h("p", { class: "field-error", role: "alert", id: freshId("time-error"), hidden: true });
		const zone = h("select", { "aria-label": "Time zone" }, h("option", { value: "local", selected: !state.utc }, `Local time (${Intl.DateTimeFormat().resolvedOptions().timeZone})`), h("option", { value: "utc", selected: state.utc }, "UTC"));
		const submit = () => {
			const range = parseRange(from.value, to.value, Date.now(), { utc: state.utc });
			for (const field of [from, to]) field.removeAttribute("aria-invalid");
			error.hidden = isRange(range);
			if (isRange(range)) {
				closePopup();
				this.config.change({ ...this.config.state(), from: stored(from.value, range.from), to: stored(to.value, range.to) });
				return;
			}
			const wrong = range.field === "from" ? from : to;
			error.textContent = range.text;
			wrong.setAttribute("aria-invalid", "true");
			wrong.setAttribute("aria-describedby", error.id);
			wrong.focus();
		};
		const form = h("form", { class: "range-form", on: { submit: (event) => { event.preventDefault(); submit(); } } },
			h("label", { for: fromId }, "From"), from, h("label", { for: toId }, "To"), to, error,
			h("button", { type: "submit", class: "primary" }, "Show"),
			h("p", { class: "hint" }, "now-3h, now/d, 2026-11-20 14:00"),
			h("label", {}, "Times in", zone));
		zone.addEventListener("change", () => {
			closePopup();
			this.config.change({ ...this.config.state(), utc: zone.value === "utc" });
		});
		popup(this.rangeButton, h("div", { class: "range-popup", role: "dialog", "aria-label": "Time range" }, form,
			h("div", { class: "quick-ranges", role: "group", "aria-label": "Quick ranges" }, quickRanges.map((q) => h("button", {
				type: "button", class: "quiet", "aria-pressed": String(q.from === state.from && q.to === state.to),
				on: {
					click: () => {
						closePopup();
						this.config.change({ ...this.config.state(), from: q.from, to: q.to });
					},
				},
			}, q.label)))));
		from.focus();
		from.select();
	}
}

function iconButton(name: IconName, label: string, run: () => void): HTMLButtonElement {
	return h("button", { type: "button", "aria-label": label.replace(/ \(.*/, ""), title: label, on: { click: run } }, icon(name));
}

/** readable turns milliseconds into a date that people can edit. */
function readable(text: string, utc: boolean): string {
	return /^\d{11,}$/.test(text) ? formatTime(Number(text), { utc }) : text;
}

/** stored keeps what is relative, and makes the rest independent of time zones. */
function stored(text: string, ms: number): string {
	return text.trim().startsWith("now") ? text.trim() : String(ms);
}
