// What ECharts is told to draw for series over time.

import { mirrored, stacking, type Aligned } from "../dashboard/series.ts";
import type { FieldOptions } from "../dashboard/model.ts";
import { namedColour } from "../colours.ts";
import { formatTick, ticks, tickStep, type Range, type Zone } from "../time.ts";
import { countsBy1024, formatValue } from "../units.ts";
import { plot, type Palette } from "./echarts.ts";

export interface Drawn {
	aligned: Aligned;
	/** One for each series of aligned. */
	colours: string[];
	visible: boolean[];
	range: Range;
	zone: Zone;
	palette: Palette;
	width: number;
	height: number;
	/** Length of a bucket in milliseconds. */
	step: number;
	defaults: FieldOptions;
	/** Whether what is below zero is only drawn there, and not negative. */
	mirror: boolean;
}

/** timeAxis is the axis at the bottom, with marks at round times. */
export function timeAxis(range: Range, zone: Zone, palette: Palette, width: number): object {
	const step = tickStep(range.to - range.from, Math.max(2, Math.floor((width - plot.left - plot.right) / 76)));
	const marks = ticks(range, step, zone);
	return {
		type: "value", min: range.from, max: range.to,
		axisLine: { show: true, lineStyle: { color: palette.line } },
		axisTick: { show: true, customValues: marks, lineStyle: { color: palette.line }, length: 4 },
		axisLabel: { customValues: marks, formatter: (t: number) => formatTick(t, step, zone), color: palette.muted, fontSize: 11, fontFamily: palette.font, hideOverlap: true, margin: 8 },
		splitLine: { show: false },
	};
}

/** niceStep is the distance of marks on a value axis: a small number times a power of the
 * base that the unit counts by. */
export function niceStep(span: number, count: number, by1024: boolean): number {
	const rough = span / Math.max(1, count);
	if (!(rough > 0)) return 1;
	if (by1024 && rough > 1) {
		const power = 1024 ** Math.floor(Math.log(rough) / Math.log(1024));
		return ([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].find((n) => n * power >= rough) ?? 1024) * power;
	}
	const power = 10 ** Math.floor(Math.log10(rough));
	return ([1, 1.5, 2, 2.5, 3, 4, 5, 10].find((n) => n * power >= rough * 0.999) ?? 10) * power;
}

/** extent is the lowest and highest point that is drawn, stacks included. */
export function extent(drawn: Drawn, right: boolean): [number, number] {
	let low = 0;
	let high = 0;
	const count = drawn.aligned.times.length;
	const up = new Float64Array(count);
	const down = new Float64Array(count);
	drawn.aligned.series.forEach(({ series, values }, s) => {
		if (!drawn.visible[s] || onRight(series.options) !== right) return;
		const stacked = stacking(series.options) !== "none";
		const sign = mirrored(series.options) ? -1 : 1;
		values.forEach((v, i) => {
			if (v === null) return;
			let at = v * sign;
			if (stacked) at = at < 0 ? (down[i] += at) : (up[i] += at);
			if (at < low) low = at;
			if (at > high) high = at;
		});
	});
	return [low, high];
}

export function onRight(options: FieldOptions): boolean {
	return options.custom?.axisPlacement === "right";
}

function valueAxis(drawn: Drawn, right: boolean): object {
	const { palette, defaults } = drawn;
	const own = drawn.aligned.series.find((s) => onRight(s.series.options) === right)?.series.options ?? defaults;
	const unit = drawn.aligned.series.some((s) => stacking(s.series.options) === "percent") ? "percent" : own.unit;
	const [low, high] = extent(drawn, right);
	const both = drawn.mirror;
	const scale = own.custom?.scaleDistribution;
	const look = {
		position: right ? "right" : "left",
		axisLine: { show: false }, axisTick: { show: false },
		axisLabel: {
			color: palette.muted, fontSize: 11, fontFamily: palette.font, margin: 8,
			formatter: (v: number) => formatValue(both ? Math.abs(v) : v, unit, undefined, true),
		},
		splitLine: { show: !right, lineStyle: { color: palette.line, width: 1, opacity: 0.7 } },
	};
	if (scale?.type === "log" && !both) return { ...look, type: "log", logBase: scale.log ?? 10, minorSplitLine: { show: false } };
	const marks = Math.max(2, Math.floor((drawn.height - plot.top - plot.bottom) / 38));
	let min = own.min ?? Math.min(0, low);
	let max = own.max ?? (unit === "percent" && low >= 0 && high > 60 && high <= 100 ? 100 : Math.max(0, high));
	if (own.custom?.axisCenteredZero) {
		max = Math.max(max, -min);
		min = -max;
	}
	if (max === min) max = min + 1;
	const interval = niceStep(max - min, marks, countsBy1024(unit));
	if (own.min === undefined || own.custom?.axisCenteredZero) min = Math.floor(min / interval + 1e-9) * interval;
	if (own.max === undefined || own.custom?.axisCenteredZero) max = Math.ceil(max / interval - 1e-9) * interval;
	return { ...look, type: "value", min, max, interval };
}

function one(drawn: Drawn, index: number): object {
	const { series, values } = drawn.aligned.series[index];
	const custom = series.options.custom ?? {};
	const colour = drawn.colours[index];
	const sign = mirrored(series.options) ? -1 : 1;
	const log = custom.scaleDistribution?.type === "log" && sign > 0;
	const stacked = stacking(series.options) !== "none";
	const bars = custom.drawStyle === "bars";
	// A bucket's time is its beginning: a bar stands in the middle of what it counts.
	const offset = bars ? drawn.step / 2 : 0;
	const data = drawn.visible[index]
		? drawn.aligned.times.map((t, i) => [t + offset, values[i] === null || (log && values[i]! <= 0) ? null : sign * values[i]!])
		: [];
	const shared = {
		name: `${index}`, data, silent: true, animation: false, clip: true, yAxisIndex: onRight(series.options) ? 1 : 0,
		stack: stacked ? `${custom.stacking?.group ?? "A"}${onRight(series.options) ? "r" : ""}` : undefined, stackStrategy: "samesign",
		itemStyle: { color: colour }, markLine: index === 0 ? thresholds(drawn) : undefined,
	};
	if (bars) {
		const width = ((drawn.width - plot.left - plot.right) * drawn.step) / (drawn.range.to - drawn.range.from);
		return { ...shared, type: "bar", barWidth: Math.max(1, width * 0.86 - 0.5), barGap: stacked ? undefined : "-100%", itemStyle: { color: colour, opacity: Math.max(0.25, (custom.fillOpacity ?? 100) / 100) } };
	}
	const alone = values.filter((v) => v !== null).length <= 1;
	const fillOpacity = (custom.fillOpacity ?? 0) / 100;
	return {
		...shared, type: "line",
		showSymbol: alone || custom.drawStyle === "points" || custom.showPoints === "always", symbol: "circle", symbolSize: custom.pointSize ?? 4,
		sampling: !stacked && data.length > 1500 ? "lttb" : undefined,
		connectNulls: custom.spanNulls === true,
		step: { stepAfter: "start", stepBefore: "end" }[custom.lineInterpolation as string] ?? false,
		smooth: custom.lineInterpolation === "smooth" ? 0.3 : false,
		lineStyle: {
			color: colour, width: custom.drawStyle === "points" ? 0 : stacked ? Math.max(custom.lineWidth ?? 1, 0.5) : Math.max(custom.lineWidth ?? 1, 1) * 1.25,
			type: custom.lineStyle?.fill === "dash" ? (custom.lineStyle.dash ?? [6, 5]) : custom.lineStyle?.fill === "dot" ? "dotted" : "solid",
		},
		areaStyle: fillOpacity > 0 ? { color: colour, opacity: stacked ? Math.max(fillOpacity, 0.5) : fillOpacity * 0.9 } : undefined,
	};
}

function thresholds(drawn: Drawn): object | undefined {
	const style = drawn.defaults.custom?.thresholdsStyle?.mode;
	if (!style || style === "off") return undefined;
	const steps = (drawn.defaults.thresholds?.steps ?? []).filter((s) => s.value !== null);
	return {
		silent: true, symbol: "none", animation: false, label: { show: false },
		data: steps.map((s) => ({ yAxis: s.value, lineStyle: { color: namedColour(s.color, drawn.palette.dark), type: "dashed", width: 1.2 } })),
	};
}

/** timeOption puts it all together. */
export function timeOption(drawn: Drawn): Record<string, unknown> {
	const right = drawn.aligned.series.some((s) => onRight(s.series.options));
	return {
		animation: false, backgroundColor: "transparent",
		grid: { left: plot.left, right: plot.right, top: plot.top, bottom: plot.bottom, containLabel: false, outerBoundsMode: "none" },
		xAxis: timeAxis(drawn.range, drawn.zone, drawn.palette, drawn.width),
		yAxis: right ? [valueAxis(drawn, false), valueAxis(drawn, true)] : [valueAxis(drawn, false)],
		series: drawn.aligned.series.map((_, i) => one(drawn, i)),
	};
}
