// Rows as a table: sorting, bars, links.

import type { Cell, Column } from "../api.ts";
import { fill, h } from "../dom.ts";
import { isRest, namedColour, textColour } from "../colours.ts";
import { kindOf, resolve, show, thresholdColour, type Kind } from "../dashboard/fields.ts";
import { fillLinks } from "../dashboard/links.ts";
import type { FieldOptions } from "../dashboard/model.ts";
import type { Frame } from "../dashboard/series.ts";
import { noData, type MakeVisual, type PanelContext, type Visual } from "./visual.ts";

export const make: MakeVisual = (root, context) => new Table(root, context);

interface Shown { index: number; column: Column; kind: Kind; name: string; options: FieldOptions; max: number }

/** How many rows are put in at once; more follow when one scrolls to the end. */
const portion = 60;

class Table implements Visual {
	private scroll: HTMLElement;
	private rows: Cell[][] = [];
	private columns: Shown[] = [];
	private all: Column[] = [];
	private sort: { name: string; desc: boolean } | null;
	private body = h("tbody");
	private end = h("div", { class: "table-end" });
	private watcher: IntersectionObserver;
	private shownRows = 0;

	constructor(root: HTMLElement, private context: PanelContext) {
		this.scroll = h("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": `${context.panel.title ?? "Table"}: rows` });
		root.append(this.scroll);
		const first = context.panel.options?.sortBy?.[0];
		this.sort = first ? { name: first.displayName, desc: first.desc !== false } : null;
		this.watcher = new IntersectionObserver((entries) => {
			if (entries.some((e) => e.isIntersecting)) this.more();
		}, { root: this.scroll, rootMargin: "300px" });
		this.watcher.observe(this.end);
	}

	draw(frames: Frame[]): void {
		if (noData(frames)) return;
		const frame = frames.find((f) => f.result.rows.length > 0) ?? frames[0];
		this.all = frame.result.columns;
		this.rows = [...frame.result.rows];
		this.columns = this.all.map((column, index) => {
			const { options, name } = resolve(this.context.panel.fieldConfig, { name: column.name, type: column.type, labels: {}, refId: frame.refId });
			const kind = kindOf(column);
			let max = options.max ?? 0;
			if (options.max === undefined) for (const row of this.rows) max = Math.max(max, Number(row[index]) || 0);
			return { index, column, kind, name, options, max };
		}).filter((c) => c.options.custom?.hidden !== true && c.options.custom?.hideFrom?.viz !== true);
		this.redraw();
	}

	redraw(): void {
		const sorted = this.sort && this.columns.find((c) => c.name === this.sort!.name || c.column.name === this.sort!.name);
		if (sorted) {
			const { index } = sorted;
			const turn = this.sort!.desc ? -1 : 1;
			this.rows.sort((a, b) => turn * compare(a[index], b[index]));
		}
		const head = h("thead", {}, h("tr", {}, this.columns.map((c) => {
			const by = c === sorted ? (this.sort!.desc ? "descending" : "ascending") : undefined;
			return h("th", { scope: "col", class: alignment(c), "aria-sort": by, title: c.options.description },
				h("button", { type: "button", class: "sort", on: { click: () => this.sortBy(c) } }, c.name));
		})));
		this.body = h("tbody");
		this.shownRows = 0;
		const top = this.scroll.scrollTop;
		fill(this.scroll, h("table", {}, h("caption", { class: "unseen" }, this.context.panel.title ?? ""), head, this.body), this.end);
		this.more();
		while (top > 0 && this.scroll.scrollHeight < top && this.shownRows < this.rows.length) this.more();
		this.scroll.scrollTop = top;
	}

	private sortBy(column: Shown): void {
		const same = this.sort && (this.sort.name === column.name || this.sort.name === column.column.name);
		this.sort = { name: column.name, desc: same ? !this.sort!.desc : column.kind !== "text" };
		this.redraw();
		[...this.scroll.querySelectorAll<HTMLElement>("th button")].find((b) => b.textContent === column.name)?.focus();
	}

	private more(): void {
		const next = this.rows.slice(this.shownRows, this.shownRows + portion);
		this.shownRows += next.length;
		this.body.append(...next.map((row) => h("tr", {}, this.columns.map((c) => this.cell(c, row)))));
		// The watcher only speaks up when the end comes into view anew.
		if (next.length > 0) {
			this.watcher.unobserve(this.end);
			this.watcher.observe(this.end);
		}
	}

	private cell(c: Shown, row: Cell[]): HTMLElement {
		const raw = row[c.index];
		const shown = show(raw, c.kind, c.options, this.context.zone());
		const dark = this.context.app.theme.dark;
		const look = c.options.custom?.cellOptions ?? {};
		const colour = shown.color ?? (look.type === "color-text" || look.type === "color-background" ? thresholdColour(Number(raw), c.options) : undefined);
		const cell = h("td", { class: alignment(c) });
		if (c.options.custom?.width) cell.style.maxWidth = `${Math.max(c.options.custom.width, 60)}px`;
		if (colour) {
			cell.dataset.look = look.type === "color-background" ? "background" : "text";
			cell.style.setProperty("--cell", (look.type === "color-background" ? namedColour : textColour)(colour, dark));
		}
		const value = this.linked(c, raw, row, shown.text);
		if (look.type === "gauge" || look.type === "data-bars") {
			const share = c.max > 0 ? Math.max(0, Math.min(1, (Number(raw) || 0) / c.max)) : 0;
			cell.append(h("span", { class: "gauge" }, h("span", { class: "bar" }, h("i", { style: { width: `${share * 100}%` } })), h("span", { class: "gauge-text" }, value)));
		} else {
			cell.append(value);
		}
		if (typeof raw === "string" && raw.length > 28) cell.title = raw;
		return cell;
	}

	private linked(c: Shown, raw: Cell, row: Cell[], text: string): Node {
		const links = c.options.links ?? [];
		if (links.length === 0 || raw === null || raw === "" || isRest(String(raw))) return document.createTextNode(text);
		const fields: Record<string, Cell> = {};
		this.all.forEach((column, i) => (fields[column.name] = row[i]));
		for (const other of this.columns) fields[other.name] ??= row[other.index];
		const value = { raw, text, fields, name: c.name };
		if (links.length === 1) {
			const [link] = fillLinks(links, value, this.context.scope());
			return h("a", { href: link.url, class: "value", title: link.title, target: link.blank ? "_blank" : undefined, rel: link.blank ? "noopener" : undefined }, text);
		}
		return h("button", {
			type: "button", class: "value", "aria-haspopup": "menu",
			on: { click: (event) => this.context.openLinks(event.currentTarget as Element, value, links) },
		}, text);
	}

	destroy(): void {
		this.watcher.disconnect();
	}
}

function alignment(c: Shown): string {
	const wanted = c.options.custom?.align;
	if (wanted && wanted !== "auto") return wanted === "right" ? "number" : wanted;
	return c.kind === "number" ? "number" : "";
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a: Cell, b: Cell): number {
	if (typeof a === "number" && typeof b === "number") return a - b;
	if (a === null || b === null) return Number(a !== null) - Number(b !== null);
	return collator.compare(String(a), String(b));
}
