// A result over time, where it has a column of times: drawn as a panel of a dashboard.

import "../css/panels.css";
import type { Result } from "../api.ts";
import type { App } from "../app.ts";
import { Colours } from "../colours.ts";
import type { Panel } from "../dashboard/model.ts";
import { fill, h } from "../dom.ts";
import { Crosshair } from "../panels/crosshair.ts";
import type { PanelContext } from "../panels/visual.ts";
import type { Range } from "../time.ts";
import { isNumber, isTime } from "./result.ts";

/** Whether a result can be drawn over time: a column of times and one of numbers. */
export function chartable({ columns, rows }: Result): boolean {
	return rows.length > 1 && columns.some(isTime) && columns.some(isNumber);
}

/** Draws a result in root and returns what takes it away. */
export function resultChart(root: HTMLElement, app: App, result: Result): () => void {
	const left = new AbortController();
	void import("../panels/timeseries.ts").then(({ make }) => {
		if (!left.signal.aborted) draw(make);
	});

	function draw(make: typeof import("../panels/timeseries.ts").make): void {
		const box = h("div", { class: "sql-chart" });
		const whole = h("button", { type: "button", class: "sql-whole", hidden: true, on: { click: () => show(result) } }, "Show all of it");
		fill(root, box, whole);
		let range = rangeOf(result);
		const context: PanelContext = {
			app, panel: panelFor(result), colours: new Colours(), crosshair: new Crosshair(),
			range: () => range,
			zone: () => ({ utc: false }),
			scope: () => ({ variables: [], state: { from: "", to: "", utc: false, refresh: "", variables: {}, panel: null, rows: [] } }),
			zoom: (part) => show(within(result, part)),
			openLinks: () => undefined,
			refuse: (title, text) => fill(root, h("p", { class: "empty" }, `${title}: ${text}`)),
		};
		const visual = make(box, context);

		function show(shown: Result): void {
			if (shown.rows.length === 0) return;
			range = rangeOf(shown);
			whole.hidden = shown === result;
			visual.draw([{ refId: "A", result: { ...shown, interval: stepOf(result) } }]);
		}
		show(result);
		const resized = new ResizeObserver(() => visual.redraw());
		resized.observe(box);
		const ended = app.theme.onChange(() => visual.redraw());
		left.signal.addEventListener("abort", () => {
			resized.disconnect();
			ended();
			visual.destroy();
		});
	}
	return () => left.abort();
}

const timesOf = ({ columns, rows }: Result): number[] => {
	const time = columns.findIndex(isTime);
	return rows.map((row) => row[time]).filter((t): t is number => typeof t === "number");
};

function rangeOf(result: Result): Range {
	let from = Infinity, to = -Infinity;
	for (const t of timesOf(result)) {
		from = Math.min(from, t);
		to = Math.max(to, t);
	}
	return { from, to: Math.max(to, from + 1000) };
}

function within(result: Result, { from, to }: Range): Result {
	const time = result.columns.findIndex(isTime);
	return { ...result, rows: result.rows.filter((row) => typeof row[time] === "number" && row[time] >= from && row[time] <= to) };
}

/** Seconds between neighbouring times, the smallest there are. */
function stepOf(result: Result): number {
	const times = [...new Set(timesOf(result))].sort((a, b) => a - b);
	let step = Infinity;
	for (let i = 1; i < times.length; i++) step = Math.min(step, times[i] - times[i - 1]);
	return Number.isFinite(step) ? step / 1000 : 0;
}

/** As a panel of its own would be defined. What the numbers are is told by their names. */
function panelFor({ columns }: Result): Panel {
	const unit = (name: string): string => (/bps|bits.*(per|\/).*s|bit_s/i.test(name) ? "bps" : /pps|packets.*(per|\/).*s/i.test(name) ? "pps" : /bytes/i.test(name) ? "decbytes" : "short");
	return {
		id: 0, type: "timeseries", title: "Result", gridPos: { x: 0, y: 0, w: 24, h: 12 },
		fieldConfig: {
			defaults: { custom: { fillOpacity: 12, lineWidth: 1.5 } },
			overrides: columns.filter(isNumber).map((c) => ({ matcher: { id: "byName", options: c.name }, properties: [{ id: "unit", value: unit(c.name) }] })),
		},
		options: { legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["mean", "max", "lastNotNull"] } },
	};
}
