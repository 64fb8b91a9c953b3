// What there is to ask for, beside the editor: tables, columns and functions with
// their comments. A click writes the name at the cursor.

import { h } from "../dom.ts";
import type { Schema } from "./schema.ts";

const mostFunctions = 60;

export function schemaBrowser(schema: Schema, insert: (text: string) => void): HTMLElement {
	const list = h("div", { class: "schema-list" });
	const filter = h("input", {
		type: "search", placeholder: "Find a column or function", "aria-label": "Find a table, column or function", on: { input: () => draw() },
	});

	function draw(): void {
		const wanted = filter.value.trim().toLowerCase();
		const matches = (...texts: string[]): boolean => wanted === "" || texts.some((text) => text.toLowerCase().includes(wanted));
		const tables = schema.tables.flatMap((table) => {
			const columns = matches(table.name) ? table.columns : table.columns.filter((c) => matches(c.name, c.comment));
			if (columns.length === 0 && !matches(table.name, table.comment)) return [];
			return [h("details", { open: wanted !== "" },
				h("summary", { title: table.comment }, h("b", {}, table.name), h("small", {}, String(table.columns.length))),
				table.comment ? h("p", { class: "hint" }, table.comment) : null,
				h("ul", {}, ...columns.map((c) => name(c.name, c.type, c.comment, c.name))))];
		});
		const found = wanted === "" ? [] : schema.functions.filter((f) => matches(f.name, f.description)).sort((a, b) => rank(a.name, wanted) - rank(b.name, wanted));
		const functions = found.length === 0 ? [] : [h("details", { open: true },
			h("summary", {}, h("b", {}, "Functions"), h("small", {}, String(found.length))),
			h("ul", {}, ...found.slice(0, mostFunctions).map((f) => name(f.name, `(${f.arguments})`, f.description, `${f.name}(`))))];
		list.replaceChildren(...tables, ...functions);
		if (list.childElementCount === 0) list.replaceChildren(h("p", { class: "hint" }, "Nothing of this name."));
	}

	function name(text: string, detail: string, comment: string, inserted: string): Element {
		return h("li", {}, h("button", { type: "button", title: comment ? `${detail}: ${comment}` : detail, on: { click: () => insert(inserted) } },
			h("code", {}, text), h("small", {}, comment || detail)));
	}

	draw();
	return h("div", { class: "schema" }, filter, list);
}

/** The better the match the smaller. */
function rank(name: string, wanted: string): number {
	const lower = name.toLowerCase();
	return lower === wanted ? 0 : lower.startsWith(wanted) ? 1 : lower.includes(wanted) ? 2 : 3;
}
