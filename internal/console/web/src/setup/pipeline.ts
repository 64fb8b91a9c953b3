// The stages of the data path, and its state in one line.

import { h, svg } from "../dom.ts";
import { bytes, count, duration, short } from "../present.ts";
import type { Figure, Level, Pipeline, Stage } from "./api.ts";

const states: Record<Level, string> = { idle: "Idle", ok: "OK", warn: "Warning", bad: "Problem" };
const marks: Record<Level, string> = {
	idle: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M5.5 8h5",
	ok: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M5.3 8.2l2 2 3.5-4",
	warn: "M8 2.3 14.2 13.3H1.8zM8 6.5v3.2M8 11.4v.3",
	bad: "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
};

/** The icon of a level: each has a shape of its own, so that colour is not needed. */
export function mark(level: Level): Element {
	return svg("svg", { class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true" },
		svg("path", { d: marks[level], fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

export function showSummary(summary: HTMLElement, level: Level, text: string): void {
	// A status region speaks when it changes: only then may it be touched.
	if (summary.textContent === text) return;
	summary.dataset["level"] = level;
	summary.replaceChildren(mark(level), h("span", {}, text));
}

/** The stages as list items, in the order in which flows pass them. */
export function stages(pipeline: Pipeline): Element[] {
	return pipeline.stages.map(stage);
}

function stage({ id, title, unit, level, advice, total, rate, details, losses }: Stage): Element {
	return h("li", { class: "stage", id: `stage-${id}`, "data-level": level },
		h("header", {}, h("h2", {}, title), h("span", { class: "state" }, mark(level), states[level])),
		h("div", {},
			h("p", { class: "rate" }, rate === null ? "–" : short(rate), h("small", {}, " /s")),
			h("p", { class: "total" }, total === null ? "unknown" : `${count(total)} ${unit}`)),
		details.length > 0 ? h("dl", {}, ...details.map(figure)) : null,
		total === null ? null : lossList(losses),
		advice ? h("p", { class: "advice" }, advice) : null);
}

function lossList(losses: Figure[]): Element {
	if (losses.length === 0) return h("p", { class: "losses none" }, "Nothing lost");
	return h("dl", { class: "losses", "aria-label": "Lost" }, ...losses.map(figure));
}

function figure({ label, value, rate = 0, unit }: Figure): Element {
	const text = unit === "bytes" ? bytes(value) : unit === "seconds" ? duration(value) : count(value);
	return h("div", { class: rate > 0 ? "fresh" : undefined },
		h("dt", {}, label),
		h("dd", {}, rate > 0 ? `${text} · ${short(rate)}/s` : text));
}
