// How values are spread, over time.

import { fill, h } from "../dom.ts";
import { heatColour, heatScale } from "../colours.ts";
import { kindOf } from "../dashboard/fields.ts";
import type { Frame } from "../dashboard/series.ts";
import { formatTick, formatTime, ticks, tickStep } from "../time.ts";
import { formatValue } from "../units.ts";
import { heatOf, type Heat } from "./heatdata.ts";
import { makeChart, paletteOf, plot, pngOf, type EChartsType } from "./echarts-more.ts";
import { Pointer, type Readable } from "./pointer.ts";
import { showTip } from "./tip.ts";
import { noData, type MakeVisual, type PanelContext, type Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new Heatmap(root, context);

const shades = 64;

/** picture draws the cells, width by height CSS pixels. */
function picture(heat: Heat, width: number, height: number, exponent: number, dark: boolean): HTMLCanvasElement {
	const canvas = document.createElement("canvas");
	canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
	canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
	const pen = canvas.getContext("2d")!;
	const colours = Array.from({ length: shades }, (_, i) => heatColour(i / (shades - 1), dark));
	const x = (i: number) => Math.round((i * canvas.width) / heat.times.length);
	const y = (i: number) => canvas.height - Math.round((i * canvas.height) / heat.buckets.length);
	for (const [time, bucket, value] of heat.cells) {
		pen.fillStyle = colours[Math.min(shades - 1, Math.floor((value / heat.max) ** exponent * shades))];
		pen.fillRect(x(time), y(bucket + 1), x(time + 1) - x(time), y(bucket) - y(bucket + 1));
	}
	return canvas;
}

class Heatmap implements Visual, Readable {
	private box = h("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart" });
	private scale = h("p", { class: "heat-scale" });
	private chart: EChartsType;
	private pointer: Pointer;
	private heat: Heat = { times: [], buckets: [], cells: [], max: 0 };
	private unit: string;

	constructor(root: HTMLElement, private context: PanelContext) {
		const canvas = h("div", { class: "canvas" });
		this.box.append(canvas);
		root.append(this.box, this.scale);
		this.chart = makeChart(canvas);
		this.pointer = new Pointer(this.box, context, this);
		this.unit = context.panel.fieldConfig?.defaults?.unit ?? "short";
	}

	draw(frames: Frame[]): void {
		if (noData(frames)) return;
		const { result } = frames[0];
		const kinds = result.columns.map(kindOf);
		if (!kinds.includes("time") || !kinds.includes("number")) {
			this.context.refuse("Not a heat map", "The query needs a column of time, one of buckets and a number.");
			return;
		}
		this.heat = heatOf(result, this.context.range());
		this.redraw();
	}

	private bucketText(index: number): string {
		const label = this.heat.buckets[index];
		const number = Number(label);
		const { unit = "none", decimals } = this.context.panel.options?.yAxis ?? {};
		return label === "" || !Number.isFinite(number) ? label : formatValue(number, unit, decimals, true);
	}

	redraw(): void {
		const { heat } = this;
		if (heat.times.length === 0) return;
		const palette = paletteOf(this.context.app.theme);
		const zone = this.context.zone();
		const range = this.context.range();
		const width = this.box.clientWidth;
		const step = tickStep(range.to - range.from, Math.max(2, Math.floor((width - plot.left - plot.right) / 76)));
		const bucketTime = heat.times.length > 1 ? heat.times[1] - heat.times[0] : range.to - range.from;
		const marks = new Map(ticks(range, step, zone).map((t) => [Math.floor((t - heat.times[0]) / bucketTime), t]));
		const every = Math.max(1, Math.ceil(heat.buckets.length / Math.max(2, Math.floor((this.box.clientHeight - plot.top - plot.bottom) / 18))));
		const exponent = Number(this.context.panel.options?.color?.exponent ?? 0.5);
		const label = { color: palette.muted, fontSize: 11, fontFamily: palette.font, margin: 8 };
		this.box.setAttribute("aria-label", `${this.context.panel.title ?? "Heat map"}: ${heat.buckets.length} buckets over time. Arrow keys read single moments.`);
		fill(this.scale, "0", h("i", { style: { background: `linear-gradient(90deg, ${heatScale(palette.dark).join(", ")})` } }), formatValue(heat.max, this.unit));
		this.chart.resize();
		this.chart.setOption({
			animation: false,
			grid: { left: plot.left, right: plot.right, top: plot.top, bottom: plot.bottom, containLabel: false, outerBoundsMode: "none" },
			xAxis: {
				type: "category", data: heat.times, axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false },
				axisLabel: { ...label, interval: (i: number) => marks.has(i), formatter: (_: string, i: number) => formatTick(marks.get(i) ?? heat.times[i], step, zone), hideOverlap: true },
			},
			yAxis: {
				type: "category", data: heat.buckets, axisLine: { show: false }, axisTick: { show: false },
				axisLabel: { ...label, interval: (i: number) => i % every === 0, formatter: (_: string, i: number) => this.bucketText(i) },
			},
			// One picture of all cells: an element for each of thousands would take its time.
			series: [{
				type: "custom", silent: true, data: [[0, 0]],
				renderItem: ({ coordSys: { x, y, width, height } }: { coordSys: DOMRect }) =>
					({ type: "image", style: { x, y, width, height, image: picture(heat, Math.round(width), Math.round(height), exponent, palette.dark) } }),
			}],
		}, { notMerge: true });
	}

	times(): number[] {
		return this.heat.times;
	}

	private column(index: number): { bucket: number; value: number }[] {
		return this.heat.cells.filter(([x]) => x === index).map(([, bucket, value]) => ({ bucket, value }));
	}

	tip(index: number, x: number, y: number, inChart: number | null): void {
		const height = this.box.clientHeight - plot.top - plot.bottom;
		const at = inChart === null ? -1 : Math.floor((1 - (inChart - plot.top) / height) * this.heat.buckets.length);
		const column = this.column(index);
		const here = column.find((c) => c.bucket === at);
		const top = [...column].sort((a, b) => b.value - a.value).slice(0, here || inChart === null ? 5 : 4);
		const rows = (here ? [here, ...top.filter((c) => c !== here)] : top)
			.map((c) => ({ name: this.bucketText(c.bucket), value: formatValue(c.value, this.unit), strong: c === here }));
		showTip(x, y, formatTime(this.heat.times[index], this.context.zone()), rows);
	}

	say(index: number): string {
		const top = this.column(index).sort((a, b) => b.value - a.value).slice(0, 5);
		return `${formatTime(this.heat.times[index], this.context.zone())}: ${top.map((c) => `${this.bucketText(c.bucket)}: ${formatValue(c.value, this.unit)}`).join(", ")}`;
	}

	png(): string {
		return pngOf(this.chart, this.context.app.theme);
	}

	destroy(): void {
		this.pointer.destroy();
		this.chart.dispose();
	}
}
