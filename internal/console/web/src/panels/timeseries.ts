// Lines, areas and bars over time.

import { h } from "../dom.ts";
import { isRest, namedColour } from "../colours.ts";
import { kindOf, show } from "../dashboard/fields.ts";
import { align, buildSeries, calculate, calculationNames, mirrored, mirrors, percentOf, stacking, type Aligned, type Frame } from "../dashboard/series.ts";
import { formatTime } from "../time.ts";
import { makeChart, paletteOf, plot, pngOf, type EChartsType } from "./echarts.ts";
import { Legend } from "./legend.ts";
import { Pointer, type Readable } from "./pointer.ts";
import { extent, onRight, timeOption, type Drawn } from "./timeoption.ts";
import { showTip } from "./tip.ts";
import { type MakeVisual, type PanelContext, type Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new TimeSeries(root, context);

class TimeSeries implements Visual, Readable {
	private box: HTMLElement;
	private legend: Legend;
	private calcs: string[];
	private chart: EChartsType;
	private pointer: Pointer;
	private raw: Aligned = { times: [], series: [] };
	private drawn: Drawn | null = null;
	private step = 0;

	constructor(root: HTMLElement, private context: PanelContext) {
		const options = context.panel.options?.legend ?? {};
		const shown = options.showLegend !== false && options.displayMode !== "hidden";
		this.calcs = options.calcs?.length > 0 ? options.calcs : options.displayMode === "table" ? ["lastNotNull", "mean", "max"] : [];
		this.box = h("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart" });
		const canvas = h("div", { class: "canvas" });
		this.box.append(canvas);
		this.legend = new Legend({
			mode: options.displayMode === "table" ? "table" : "list",
			columns: this.calcs.map((c) => calculationNames[c] ?? c),
			onChange: () => this.redraw(),
		});
		root.classList.add("with-legend");
		root.dataset.legend = options.placement === "right" ? "right" : "bottom";
		root.append(this.box);
		if (shown) root.append(this.legend.root);
		this.chart = makeChart(canvas);
		this.pointer = new Pointer(this.box, context, this);
	}

	draw(frames: Frame[]): boolean {
		const config = this.context.panel.fieldConfig;
		const series = frames.flatMap((f) => buildSeries(f, config)).filter((s) => !s.options.custom?.hideFrom?.viz);
		if (series.length === 0) {
			if (frames.some((f) => f.result.columns.some((c) => kindOf(c) === "time"))) return false;
			this.context.refuse("Not a time series", "The query returns no column of time with a number next to it. Show the query to see what it returns.");
			return true;
		}
		const interval = Math.min(...frames.filter((f) => f.result.interval > 0).map((f) => f.result.interval));
		this.step = Number.isFinite(interval) ? interval * 1000 : 0;
		this.raw = align(series, this.step / 1000, this.context.range(), Date.now());
		this.sortLegend();
		this.redraw();
		return true;
	}

	/** Order of the panel's legend, where it asks for one. */
	private sortLegend(): void {
		const legend = this.context.panel.options?.legend ?? {};
		// Unless the panel says otherwise, a long legend begins with the largest.
		const sortBy = legend.sortBy ?? (this.raw.series.length > 2 && legend.displayMode === "table" ? "Mean" : undefined);
		const sortDesc = legend.sortBy ? legend.sortDesc : true;
		if (!sortBy) return;
		const how = Object.entries(calculationNames).find(([, name]) => name === String(sortBy).toLowerCase())?.[0]
			?? ({ Mean: "mean", Max: "max", Min: "min", Total: "sum" } as Record<string, string>)[sortBy] ?? "lastNotNull";
		const key = new Map(this.raw.series.map((s) => [s, calculate(s.values, how) ?? 0]));
		// What is left over comes last, however much it is.
		const rest = (s: Aligned["series"][number]) => Number(isRest(s.series.name));
		this.legendOrder = [...this.raw.series].sort((a, b) => rest(a) - rest(b) || (key.get(a)! - key.get(b)!) * (sortDesc ? -1 : 1));
	}

	private legendOrder: Aligned["series"] | null = null;

	redraw(): void {
		if (this.raw.series.length === 0) return;
		const palette = paletteOf(this.context.app.theme);
		const automatic = this.context.colours.of(this.raw.series.map((s) => s.series.name), palette.dark);
		const colours = this.raw.series.map(({ series }, i) => {
			const { mode, fixedColor } = series.options.color ?? {};
			return mode === "fixed" && fixedColor ? namedColour(fixedColor, palette.dark) : automatic[i];
		});
		this.showLegend(colours);
		const visible = this.raw.series.map((s) => this.legend.isShown(s.series.name));
		const percent = this.raw.series.some((s) => stacking(s.series.options) === "percent");
		this.drawn = {
			aligned: percent ? percentOf(this.raw) : this.raw, colours, visible, palette, step: this.step, range: this.context.range(), zone: this.context.zone(),
			width: this.box.clientWidth, height: this.box.clientHeight, defaults: this.context.panel.fieldConfig?.defaults ?? {},
			// A panel of two directions stays one when only one of them has traffic.
			mirror: mirrors(this.context.panel.fieldConfig),
		};
		this.chart.resize();
		this.chart.setOption(timeOption(this.drawn), { notMerge: true });
		this.box.setAttribute("aria-label", this.summary());
	}

	private showLegend(colours: string[]): void {
		const index = new Map(this.raw.series.map((s, i) => [s, i]));
		const entries = (this.legendOrder ?? this.raw.series).filter((s) => !s.series.options.custom?.hideFrom?.legend).map((s) => {
			const { series, values } = s;
			const links = isRest(series.name) ? [] : (series.options.links ?? []);
			return {
				name: series.name, colour: colours[index.get(s)!], dashed: series.options.custom?.lineStyle?.fill === "dash",
				numbers: this.calcs.map((c) => show(calculate(values, c), "number", series.options, this.context.zone()).text),
				links: links.length > 0 ? (at: Element) => this.context.openLinks(at, this.valueOf(s, values.length - 1), links) : undefined,
			};
		});
		this.legend.show(entries);
	}

	private valueOf(s: Aligned["series"][number], index: number) {
		const { series, values } = s;
		const raw = values[index];
		return { raw, text: series.name, fields: series.field.labels, labels: series.field.labels, name: series.name, time: this.raw.times[index] };
	}

	private summary(): string {
		const parts = this.raw.series.slice(0, 4).map(({ series, values }) => {
			const last = calculate(values, "lastNotNull");
			return `${series.name} ${show(last, "number", series.options, this.context.zone()).text}`;
		});
		const more = this.raw.series.length > 4 ? ` and ${this.raw.series.length - 4} more` : "";
		return `${this.context.panel.title ?? "Chart"}: last values ${parts.join(", ")}${more}. Arrow keys read single values.`;
	}

	times(): number[] {
		return this.raw.times;
	}

	private rows(index: number): { name: string; colour: string; text: string; value: number }[] {
		return this.raw.series.flatMap(({ series, values }, i) => {
			const value = values[index];
			if (value === null || !this.drawn?.visible[i] || series.options.custom?.hideFrom?.tooltip) return [];
			return [{ name: series.name, colour: this.drawn.colours[i], text: show(value, "number", series.options, this.context.zone()).text, value }];
		}).sort((a, b) => b.value - a.value);
	}

	tip(index: number, x: number, y: number, inChart: number | null): void {
		const near = inChart === null ? null : this.seriesAt(index, inChart);
		const nonzero = this.rows(index).filter((r, i) => r.value !== 0 || i < 4);
		showTip(x, y, formatTime(this.raw.times[index], this.context.zone()),
			nonzero.map((r) => ({ name: r.name, colour: r.colour, value: r.text, strong: near?.series.name === r.name })));
	}

	say(index: number): string {
		const rows = this.rows(index).slice(0, 6);
		return `${formatTime(this.raw.times[index], this.context.zone())}: ${rows.map((r) => `${r.name} ${r.text}`).join(", ")}`;
	}

	/** seriesAt finds the series that is drawn at a height: the part of a stack that
	 * covers it, else the closest line. */
	private seriesAt(index: number, y: number): Aligned["series"][number] | null {
		const drawn = this.drawn;
		if (!drawn) return null;
		const [low, high] = this.axisExtent();
		const value = high - ((y - plot.top) / (drawn.height - plot.top - plot.bottom)) * (high - low);
		let up = 0;
		let down = 0;
		let best: Aligned["series"][number] | null = null;
		let distance = (high - low) / 12;
		for (let i = 0; i < drawn.aligned.series.length; i++) {
			const s = drawn.aligned.series[i];
			const v = s.values[index];
			if (!drawn.visible[i] || v === null || onRight(s.series.options)) continue;
			const at = mirrored(s.series.options) ? -v : v;
			if (stacking(s.series.options) !== "none") {
				const start = at < 0 ? down : up;
				if (at < 0) down += at;
				else up += at;
				if (value !== 0 && value >= Math.min(start, start + at) && value <= Math.max(start, start + at)) return this.raw.series[i];
			} else if (Math.abs(at - value) < distance) {
				distance = Math.abs(at - value);
				best = this.raw.series[i];
			}
		}
		return best;
	}

	private axisExtent(): [number, number] {
		const model = (this.chart as unknown as { getModel(): { getComponent(type: string, index: number): { axis: { scale: { getExtent(): [number, number] } } } } }).getModel();
		return model.getComponent("yAxis", 0)?.axis.scale.getExtent() ?? extent(this.drawn!, false);
	}

	click(index: number, at: { x: number; y: number }, inChart: number): void {
		const found = this.seriesAt(index, inChart);
		const links = found?.series.options.links ?? [];
		if (found && !isRest(found.series.name) && links.length > 0) this.context.openLinks(at, this.valueOf(found, index), links);
	}

	png(): string {
		return pngOf(this.chart, this.context.app.theme);
	}

	destroy(): void {
		this.pointer.destroy();
		this.chart.dispose();
	}
}
