// Traffic over time: in above zero, out mirrored below it.

import * as echarts from "../vendor/echarts/echarts.esm.min.js";
import { el } from "./dom.js";
import { bits, clock, colours, duration, packets, translucent, trimmed } from "./present.js";

const formats = { bits, packets };

/** Draws into container and keeps legend's numbers; returns {show(answer, unit), resize}. */
export function trafficChart(container, legend) {
	const chart = echarts.init(container, null, { renderer: "canvas" });
	let last, focused = -1;

	function show(answer, unit) {
		last = { answer, unit };
		const series = answer[unit];
		const times = series.in.map((_, i) => (answer.from + i * answer.bucket) * 1000);
		const format = formats[unit];
		chart.setOption(option(times, series, format, answer.bucket), { notMerge: false });
		showLegend(series, format, answer.bucket);
	}

	function showLegend(series, format, bucket) {
		const now = { in: series.in.at(-1) ?? 0, out: series.out.at(-1) ?? 0 };
		legend.replaceChildren(
			el("div", { class: "in" }, el("dt", {}, "In"), el("dd", {}, format(now.in))),
			el("div", { class: "out" }, el("dt", {}, "Out"), el("dd", {}, format(now.out))),
			el("div", { class: "span" }, el("dt", { class: "unseen" }, "Mean of"), el("dd", {}, `in the last ${duration(bucket).replace(" 0 s", "")}`)));
		container.setAttribute("aria-label",
			`Traffic over time, now ${format(now.in)} in and ${format(now.out)} out. Left and right arrow keys read the values.`);
	}

	// The tooltip by keyboard.
	container.tabIndex = 0;
	container.addEventListener("keydown", (event) => {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
		if (!step || !last) return;
		event.preventDefault();
		const n = last.answer[last.unit].in.length;
		focused = focused < 0 ? n - 1 : Math.min(n - 1, Math.max(0, focused + step));
		chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: focused });
	});
	container.addEventListener("blur", () => {
		focused = -1;
		chart.dispatchAction({ type: "hideTip" });
		chart.dispatchAction({ type: "updateAxisPointer", currTrigger: "leave" });
	});

	new ResizeObserver(() => chart.resize()).observe(container);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => last && show(last.answer, last.unit));
	return { show };
}

function option(times, series, format, bucket) {
	const c = colours("in", "out", "line", "muted", "text", "card");
	const axisLabel = { color: c.muted, fontSize: 12, hideOverlap: true };
	return {
		animation: false,
		grid: { left: 8, right: 16, top: 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
		xAxis: {
			type: "time",
			axisLine: { lineStyle: { color: c.line } },
			axisTick: { show: false },
			splitLine: { show: false },
			axisLabel: { ...axisLabel, formatter: (ms) => clock(ms) },
		},
		yAxis: {
			type: "value",
			splitNumber: 6,
			splitLine: { lineStyle: { color: c.line } },
			axisLabel: { ...axisLabel, formatter: (value) => (value === 0 ? "0" : trimmed(format(Math.abs(value)))) },
		},
		tooltip: {
			trigger: "axis",
			confine: true,
			backgroundColor: c.card,
			borderColor: c.line,
			textStyle: { color: c.text },
			axisPointer: { type: "line", lineStyle: { color: c.muted, type: "solid", width: 1 } },
			formatter: (points) => tip(points, format, bucket),
		},
		series: [
			line("In", c.in, times.map((t, i) => [t, series.in[i]])),
			line("Out", c.out, times.map((t, i) => [t, -series.out[i]])),
		],
	};
}

function line(name, colour, data) {
	return {
		name, data,
		type: "line",
		showSymbol: false,
		symbol: "circle",
		lineStyle: { width: 1.5, color: colour },
		itemStyle: { color: colour },
		areaStyle: { color: translucent(colour, 0.22), origin: 0 },
		emphasis: { disabled: true },
	};
}

/** An element rather than HTML text: the page's policy forbids inline styles. */
function tip(points, format, bucket) {
	const from = points[0].value[0];
	return el("div", { class: "tip" },
		el("time", {}, `${clock(from, true)} – ${clock(from + bucket * 1000, true)}`),
		...points.map(({ seriesName, value }) =>
			el("div", { class: seriesName.toLowerCase() }, el("span", {}, seriesName), el("b", {}, format(Math.abs(value[1]))))));
}
