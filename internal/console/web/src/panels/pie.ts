// Shares of a whole.

import { h } from "../dom.ts";
import { isRest, namedColour } from "../colours.ts";
import { kindOf, resolve, show } from "../dashboard/fields.ts";
import type { FieldOptions } from "../dashboard/model.ts";
import { buildSeries, calculate, type Frame } from "../dashboard/series.ts";
import { formatValue } from "../units.ts";
import { makeChart, paletteOf, pngOf, type EChartsType } from "./echarts-more.ts";
import { Legend } from "./legend.ts";
import { hideTip, showTip } from "./tip.ts";
import { noData, type MakeVisual, type PanelContext, type Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new Pie(root, context);

interface Slice { name: string; value: number; options: FieldOptions; fields: Record<string, any> }

class Pie implements Visual {
	private box = h("div", { class: "plot pie", role: "img" });
	private chart: EChartsType;
	private legend: Legend;
	private slices: Slice[] = [];

	constructor(root: HTMLElement, private context: PanelContext) {
		root.classList.add("with-legend");
		root.dataset.legend = context.panel.options?.legend?.placement === "bottom" ? "bottom" : "right";
		this.legend = new Legend({ mode: "table", columns: ["value", "share"], onChange: () => this.redraw() });
		root.append(this.box, this.legend.root);
		this.chart = makeChart(this.box);
		this.chart.on("mousemove", (p: any) => {
			const slice = this.slices.find((s) => s.name === p.name);
			if (slice) showTip(p.event.event.clientX, p.event.event.clientY, slice.name, [{ name: `${p.percent} %`, colour: p.color, value: this.text(slice) }]);
		});
		this.chart.on("mouseout", hideTip);
		this.chart.on("click", (p: any) => {
			const slice = this.slices.find((s) => s.name === p.name);
			if (slice) this.links(slice, { x: p.event.event.clientX, y: p.event.event.clientY });
		});
	}

	draw(frames: Frame[]): void {
		if (noData(frames)) return;
		const config = this.context.panel.fieldConfig;
		this.slices = frames.flatMap((f): Slice[] => {
			if (f.result.columns.some((c) => kindOf(c) === "time")) {
				return buildSeries(f, config).map((s) => ({ name: s.name, value: calculate(s.values, "lastNotNull") ?? 0, options: s.options, fields: s.field.labels }));
			}
			const { columns, rows } = f.result;
			const value = columns.findIndex((c) => kindOf(c) === "number");
			const name = columns.findIndex((c, i) => i !== value && kindOf(c) === "text");
			if (value < 0) return [];
			return rows.map((row) => {
				const label = name < 0 ? columns[value].name : String(row[name] ?? "");
				const { options } = resolve(config, { name: label, type: columns[value].type, labels: {}, refId: f.refId });
				// Links stand at the column of names, or at that of numbers.
				const own = name < 0 ? undefined : resolve(config, { name: columns[name].name, type: columns[name].type, labels: {}, refId: f.refId }).options.links;
				return { name: label, value: Number(row[value]) || 0, options: { ...options, links: own?.length ? own : options.links }, fields: Object.fromEntries(columns.map((c, i) => [c.name, row[i]])) };
			});
		}).filter((s) => s.value > 0);
		this.redraw();
	}

	private text(slice: Slice): string {
		return show(slice.value, "number", slice.options, this.context.zone()).text;
	}

	private links(slice: Slice, at: Element | { x: number; y: number }): void {
		if (slice.options.links?.length && !isRest(slice.name)) this.context.openLinks(at, { raw: slice.name, text: slice.name, fields: slice.fields, name: slice.name, labels: slice.fields }, slice.options.links);
	}

	redraw(): void {
		const palette = paletteOf(this.context.app.theme);
		const automatic = this.context.colours.of(this.slices.map((s) => s.name), palette.dark);
		const colours = this.slices.map((s, i) => (s.options.color?.mode === "fixed" && s.options.color.fixedColor ? namedColour(s.options.color.fixedColor, palette.dark) : automatic[i]));
		const total = this.slices.reduce((sum, s) => sum + s.value, 0);
		this.legend.show(this.slices.map((s, i) => ({
			name: s.name, colour: colours[i], numbers: [this.text(s), formatValue((100 * s.value) / total, "percent")],
			links: s.options.links?.length && !isRest(s.name) ? (at: Element) => this.links(s, at) : undefined,
		})));
		const donut = this.context.panel.options?.pieType !== "pie";
		this.box.setAttribute("aria-label", `${this.context.panel.title ?? "Shares"}: ${this.slices.slice(0, 5).map((s) => `${s.name} ${formatValue((100 * s.value) / total, "percent")}`).join(", ")}`);
		this.chart.resize();
		this.chart.setOption({
			animation: false,
			series: [{
				type: "pie", radius: donut ? ["58%", "92%"] : ["0%", "92%"], center: ["50%", "50%"], label: { show: false }, labelLine: { show: false },
				emphasis: { scale: false, itemStyle: { opacity: 0.85 } }, itemStyle: { borderColor: palette.card, borderWidth: 1.5 },
				data: this.slices.map((s, i) => ({ name: s.name, value: s.value, itemStyle: { color: colours[i] } })).filter((s) => this.legend.isShown(s.name)),
			}],
		}, { notMerge: true });
	}

	png(): string {
		return pngOf(this.chart, this.context.app.theme);
	}

	destroy(): void {
		hideTip();
		this.chart.dispose();
	}
}
