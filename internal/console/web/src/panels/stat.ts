// Single numbers, large, with their course behind them.

import type { Cell } from "../api.ts";
import { fill, h, svg } from "../dom.ts";
import { textColour } from "../colours.ts";
import { kindOf, resolve, show, thresholdColour, type Kind } from "../dashboard/fields.ts";
import { fillLinks } from "../dashboard/links.ts";
import type { FieldOptions } from "../dashboard/model.ts";
import { buildSeries, calculate, type Frame } from "../dashboard/series.ts";
import type { MakeVisual, PanelContext, Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new Stat(root, context);

interface Number1 { name: string; value: Cell; kind: Kind; options: FieldOptions; course: (number | null)[]; fields: Record<string, Cell> }

class Stat implements Visual {
	private box = h("div", { class: "stats" });
	private numbers: Number1[] = [];

	constructor(root: HTMLElement, private context: PanelContext) {
		root.append(this.box);
		this.box.dataset.orientation = context.panel.options?.orientation ?? "auto";
	}

	draw(frames: Frame[]): void {
		const reduce = this.context.panel.options?.reduceOptions ?? {};
		this.numbers = frames.flatMap((f) => this.read(f, reduce.calcs?.[0] ?? "lastNotNull", reduce.values === true, String(reduce.fields ?? "")));
		this.redraw();
	}

	private read(frame: Frame, how: string, everyRow: boolean, only: string): Number1[] {
		const config = this.context.panel.fieldConfig;
		const { columns, rows } = frame.result;
		const timed = columns.some((c) => kindOf(c) === "time") && rows.length > 1;
		if (timed && !everyRow) {
			return buildSeries(frame, config).map((s) => ({ name: s.name, value: calculate(s.values, how), kind: "number", options: s.options, course: s.values, fields: s.field.labels }));
		}
		const pattern = /^\/(.*)\/$/.exec(only)?.[1];
		const used = everyRow ? rows : rows.slice(-1);
		return used.flatMap((row) => {
			const fields = Object.fromEntries(columns.map((c, i) => [c.name, row[i]]));
			const texts = columns.flatMap((c, i) => (kindOf(c) === "text" ? [String(row[i] ?? "")] : []));
			return columns.flatMap((c, i) => {
				const kind = kindOf(c);
				const { options, name } = resolve(config, { name: c.name, type: c.type, labels: {}, refId: frame.refId });
				const wanted = pattern ? new RegExp(pattern).test(c.name) : kind !== "text" || columns.length === 1;
				if (!wanted || options.custom?.hidden) return [];
				return [{ name: everyRow && texts.length > 0 ? texts.join(", ") : name, value: row[i], kind, options, course: [], fields }];
			});
		});
	}

	redraw(): void {
		const { colorMode = "value", graphMode = "none", textMode = "auto" } = this.context.panel.options ?? {};
		const dark = this.context.app.theme.dark;
		const named = textMode === "value_and_name" || textMode === "name" || (textMode === "auto" && this.numbers.length > 1);
		fill(this.box, this.numbers.map((n) => {
			const shown = show(n.value, n.kind, n.options, this.context.zone());
			const mode = n.options.color?.mode;
			const name = shown.color ?? (mode === "fixed" ? n.options.color?.fixedColor : mode === "thresholds" || !mode ? thresholdColour(typeof n.value === "number" ? n.value : null, n.options) : undefined);
			const colour = name && colorMode !== "none" ? textColour(name, dark) : undefined;
			const [link] = fillLinks(n.options.links, { raw: n.value, text: shown.text, fields: n.fields, name: n.name }, this.context.scope());
			const text = h(link ? "a" : "span", { class: "stat-value", style: { "--chars": String(Math.max(5, shown.text.length)) }, href: link?.url, title: link?.title }, ...split(shown.text));
			return h("div", { class: "stat", data: { mode: colorMode }, style: colour ? { "--stat": colour } : {} },
				graphMode === "area" && n.course.length > 2 ? spark(n.course) : null,
				named ? h("span", { class: "stat-name" }, n.name) : null,
				textMode === "name" ? null : text);
		}));
	}

	destroy(): void {}
}

/** split sets the unit smaller than the number. */
function split(text: string): (Node | string)[] {
	const match = /^([−-]?[\d.,]+)( .+)$/.exec(text);
	return match && !/\d/.test(match[2]) ? [match[1], h("small", {}, match[2])] : [text];
}

function spark(course: (number | null)[]): SVGElement {
	const known = course.map((v) => v ?? 0);
	const high = Math.max(...known, 0);
	const low = Math.min(...known, 0);
	const y = (v: number) => 30 - (high === low ? 0 : ((v - low) / (high - low)) * 28);
	const points = known.map((v, i) => `${((100 * i) / (known.length - 1)).toFixed(2)},${y(v).toFixed(2)}`).join(" ");
	return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
		svg("polygon", { points: `0,30 ${points} 100,30` }), svg("polyline", { points }));
}
