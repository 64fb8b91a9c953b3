// What flows from where to where: names from left to right, the value last.

import { h } from "../dom.ts";
import { isRest } from "../colours.ts";
import { kindOf, resolve, show } from "../dashboard/fields.ts";
import type { FieldOptions } from "../dashboard/model.ts";
import type { Frame } from "../dashboard/series.ts";
import { sankeyOf, type Sankey } from "./sankeydata.ts";
import { makeChart, paletteOf, pngOf, type EChartsType } from "./echarts-more.ts";
import { hideTip, showTip } from "./tip.ts";
import { noData, type MakeVisual, type PanelContext, type Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new SankeyDiagram(root, context);

class SankeyDiagram implements Visual {
	private heads = h("div", { class: "sankey-heads", "aria-hidden": "true" });
	private box = h("div", { class: "plot", role: "img" });
	private chart: EChartsType;
	private data: Sankey = { nodes: [], links: [], columns: [] };
	private value: FieldOptions = {};
	private columns: { name: string; options: FieldOptions }[] = [];

	constructor(root: HTMLElement, private context: PanelContext) {
		root.append(this.heads, this.box);
		root.classList.add("sankey");
		this.chart = makeChart(this.box);
		this.chart.on("mousemove", (p: any) => {
			const { clientX: x, clientY: y } = p.event.event;
			if (p.dataType === "edge") {
				const link = this.data.links[p.dataIndex];
				showTip(x, y, `${this.label(link.source)} → ${this.label(link.target)}`, [{ name: this.columns.at(-1)?.name ?? "", value: this.text(link.value) }]);
			} else {
				showTip(x, y, this.columns[this.data.nodes[p.dataIndex].column]?.name ?? "", [{ name: this.label(p.name), colour: p.color, value: this.text(p.value) }]);
			}
		});
		this.chart.on("mouseout", hideTip);
		this.chart.on("click", (p: any) => {
			if (p.dataType !== "node") return;
			const node = this.data.nodes[p.dataIndex];
			const links = this.columns[node.column]?.options.links ?? [];
			if (links.length > 0 && !isRest(node.label)) {
				context.openLinks({ x: p.event.event.clientX, y: p.event.event.clientY }, { raw: node.label, text: node.label, fields: node.fields, name: node.label }, links);
			}
		});
	}

	private label(id: string): string {
		return this.data.nodes.find((n) => n.id === id)?.label ?? id;
	}

	private text(value: number): string {
		return show(value, "number", this.value, this.context.zone()).text;
	}

	draw(frames: Frame[]): void {
		if (noData(frames)) return;
		const frame = frames[0];
		this.columns = frame.result.columns.map((c) => {
			const { options, name } = resolve(this.context.panel.fieldConfig, { name: c.name, type: c.type, labels: {}, refId: frame.refId });
			return { name, options };
		});
		const hidden = this.columns.map((c) => c.options.custom?.hidden === true || c.options.custom?.hideFrom?.viz === true);
		const value = frame.result.columns.findLastIndex((c) => kindOf(c) === "number");
		if (value < 1) {
			this.context.refuse("Not a Sankey diagram", "The query needs two or more columns of names, and a number last.");
			return;
		}
		this.value = this.columns[value].options;
		this.data = sankeyOf(frame.result, value, hidden);
		this.redraw();
	}

	redraw(): void {
		const palette = paletteOf(this.context.app.theme);
		const colours = this.context.colours.of(this.data.nodes.map((n) => n.label), palette.dark);
		const narrow = this.box.clientWidth < 520;
		const last = this.data.columns.length - 1;
		this.heads.replaceChildren(...this.data.columns.map((i) => h("span", {}, this.columns[i].name)));
		this.box.setAttribute("aria-label", `${this.context.panel.title ?? "Sankey diagram"}: largest ${this.data.links.slice(0, 4).map((l) => `${this.label(l.source)} to ${this.label(l.target)} ${this.text(l.value)}`).join(", ")}`);
		this.chart.resize();
		this.chart.setOption({
			animation: false,
			series: [{
				type: "sankey", left: 6, right: 6, top: 4, bottom: 8, nodeWidth: 12, nodeGap: 7, draggable: false, nodeAlign: "justify", layoutIterations: 24,
				emphasis: { focus: "adjacency", lineStyle: { opacity: 0.6 } }, blur: { itemStyle: { opacity: 0.3 }, lineStyle: { opacity: 0.06 }, label: { opacity: 0.4 } },
				label: { color: palette.text, fontFamily: palette.font, fontSize: narrow ? 10 : 12, textBorderColor: palette.card, textBorderWidth: 2, overflow: "truncate", width: narrow ? 90 : 210,
					formatter: (p: any) => this.data.nodes[p.dataIndex].label },
				labelLayout: { hideOverlap: true },
				lineStyle: { color: "source", opacity: palette.dark ? 0.28 : 0.24, curveness: 0.5 },
				data: this.data.nodes.map((n, i) => ({ name: n.id, depth: n.level, itemStyle: { color: colours[i], borderWidth: 0 }, label: { position: n.level === last ? "left" : "right" } })),
				links: this.data.links.map((l) => ({ source: l.source, target: l.target, value: l.value })),
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
