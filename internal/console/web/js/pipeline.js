// The stages of the data path.

import { el } from "./dom.js";
import { bytes, count, duration, short } from "./present.js";

const states = { idle: "Idle", ok: "OK", warn: "Warning", bad: "Problem" };
const marks = {
	idle: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M5.5 8h5",
	ok: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M5.3 8.2l2 2 3.5-4",
	warn: "M8 2.3 14.2 13.3H1.8zM8 6.5v3.2M8 11.4v.3",
	bad: "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
};

/** The icon of a level: each has a shape of its own, so that colour is not needed. */
function mark(level) {
	return el("svg", { class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true" },
		el("path", { d: marks[level], fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

export function showSummary(summary, level, text) {
	// A status region speaks when it changes: only then may it be touched.
	if (summary.textContent === text) return;
	summary.dataset.level = level;
	summary.replaceChildren(mark(level), el("span", {}, text));
}

export function showPipeline(section, summary, pipeline) {
	showSummary(summary, pipeline.level, pipeline.summary);
	section.querySelector(".stages").replaceChildren(...pipeline.stages.map(stage));
}

function stage({ id, title, unit, level, advice, total, rate, details, losses }) {
	return el("li", { class: "stage", id: `stage-${id}`, "data-level": level },
		el("header", {}, el("h3", {}, title), el("span", { class: "state" }, mark(level), states[level])),
		el("div", {},
			el("p", { class: "rate" }, rate === null ? "–" : short(rate), el("small", {}, " /s")),
			el("p", { class: "total" }, total === null ? "unknown" : `${count(total)} ${unit}`)),
		details.length > 0 ? el("dl", {}, ...details.map(figure)) : null,
		total === null ? null : lossList(losses),
		advice ? el("p", { class: "advice" }, advice) : null);
}

function lossList(losses) {
	if (losses.length === 0) return el("p", { class: "losses none" }, "Nothing lost");
	return el("dl", { class: "losses", "aria-label": "Lost" }, ...losses.map(figure));
}

function figure({ label, value, rate, unit }) {
	const text = unit === "bytes" ? bytes(value) : unit === "seconds" ? duration(value) : count(value);
	return el("div", { class: rate > 0 ? "fresh" : undefined },
		el("dt", {}, label),
		el("dd", {}, rate > 0 ? `${text} · ${short(rate)}/s` : text));
}
