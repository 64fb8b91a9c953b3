// The result of a query as a table that sorts by the column one clicks.

import { type Child, h } from "../dom.ts";
import type { Cell, Column, Result } from "../api.ts";
import { isNumber, isTime, shown } from "./result.ts";

/** As many rows as a browser draws without a pause; the others come when asked for. */
const firstRows = 500;

type Order = "ascending" | "descending";

export function resultTable(result: Result): HTMLElement {
	const container = h("div", { class: "scroll result-table", tabindex: "0", role: "region", "aria-label": "Rows of the result" });
	let by = -1, order: Order = "ascending", all = false;

	function sort(column: number): void {
		// First click: numbers and times fall, text rises; second click: the other way; third: as it came.
		const info = result.columns[column];
		const first: Order = info && (isNumber(info) || isTime(info)) ? "descending" : "ascending";
		if (by !== column) [by, order] = [column, first];
		else if (order === first) order = first === "ascending" ? "descending" : "ascending";
		else by = -1;
		draw();
		container.querySelectorAll<HTMLButtonElement>("thead button")[column]?.focus();
	}

	function draw(): void {
		const rows = sorted(result, by, order);
		const visible = all ? rows : rows.slice(0, firstRows);
		container.replaceChildren(h("table", {},
			h("thead", {}, h("tr", {}, ...result.columns.map((c, i) => head(c, i)))),
			h("tbody", {}, ...visible.map((row) => h("tr", {}, ...row.map((value, i) => cell(value, result.columns[i])))))));
		if (visible.length < rows.length) {
			container.append(h("p", { class: "hint" }, `${visible.length} of ${rows.length.toLocaleString("en")} rows are shown. `,
				h("button", { type: "button", class: "quiet", on: { click: () => { all = true; draw(); } } }, "Show all")));
		}
	}

	function head(column: Column, i: number): Element {
		const mark = by !== i ? "" : order === "ascending" ? " ↑" : " ↓";
		return h("th", { scope: "col", class: isNumber(column) ? "number" : undefined, "aria-sort": by === i ? order : undefined },
			h("button", { type: "button", class: "sort", title: `${column.type}: click to sort`, on: { click: () => sort(i) } },
				column.name, h("span", { "aria-hidden": "true" }, mark)));
	}

	draw();
	return container;
}

function cell(value: Cell, column: Column | undefined): Element {
	const numeric = column !== undefined && isNumber(column);
	const text = column ? shown(value, column) : String(value);
	return h("td", { class: value === null ? "null" : numeric ? "number" : undefined }, numeric ? grouped(text) : text);
}

/** Sets the digits of a large number in groups of three. The gaps are no text, so that
 * what one copies is a number. */
function grouped(text: string): Child[] {
	const large = /^(-?\d{1,3})((?:\d{3}){2,})(\.\d+)?$/.exec(text);
	if (!large) return [text];
	const [, first, rest, fraction] = large;
	return [first, ...(rest.match(/\d{3}/g) ?? []).map((digits) => h("span", { class: "digits" }, digits)), fraction];
}

function sorted(result: Result, by: number, order: Order): Cell[][] {
	if (by < 0) return result.rows;
	const sign = order === "ascending" ? 1 : -1;
	return result.rows.toSorted((a, b) => sign * compare(a[by] ?? null, b[by] ?? null));
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a: Cell, b: Cell): number {
	if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
	if (typeof a === "number" && typeof b === "number") return a - b;
	return collator.compare(typeof a === "string" ? a : JSON.stringify(a), typeof b === "string" ? b : JSON.stringify(b));
}
