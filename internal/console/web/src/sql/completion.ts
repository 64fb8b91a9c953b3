// What the editor offers while one types, and says of a name below the pointer.

import { type Completion, type CompletionContext, type CompletionResult, type CompletionSource, snippetCompletion } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import { hoverTooltip } from "@codemirror/view";
import { h } from "../dom.ts";
import { keywords } from "./dialect.ts";
import type { Column, Schema, SqlFunction, Table } from "./schema.ts";

/** Names after FROM or JOIN, with the alias that may follow. */
const sources = /\b(?:from|join)\s+(?:\w+\.)?[`"]?(\w+)[`"]?(?:\s+(?:as\s+)?(\w+))?/gi;
const notAliases = new Set(keywords);

/** The tables that a query asks, by the names under which it knows them. */
export function tablesIn(sql: string, schema: Schema): Map<string, Table> {
	const found = new Map<string, Table>();
	for (const [, name, alias] of sql.matchAll(sources)) {
		const table = schema.tables.find((t) => t.name === name);
		if (!table || !name) continue;
		found.set(name, table);
		if (alias && !notAliases.has(alias.toLowerCase())) found.set(alias, table);
	}
	return found;
}

/** Offers tables, columns of the tables that the query names, functions and keywords. */
export function completion(schema: () => Schema): CompletionSource {
	return (context: CompletionContext): CompletionResult | null => {
		if (inTextOrComment(context.state, context.pos)) return null;
		const known = schema();
		const sql = context.state.doc.toString();
		const tables = tablesIn(sql, known);
		const qualified = context.matchBefore(/\w+\.\w*/);
		if (qualified) {
			const dot = qualified.text.indexOf(".");
			const table = tables.get(qualified.text.slice(0, dot));
			return table ? { from: qualified.from + dot + 1, options: table.columns.map(columnOption), validFor: /^\w*$/ } : null;
		}
		const word = context.matchBefore(/[A-Za-z_]\w*/);
		if (!word && !context.explicit) return null;
		const from = word?.from ?? context.pos;
		if (/\b(?:from|join|describe|desc|table)\s+$/i.test(sql.slice(0, from))) {
			return { from, options: known.tables.map(tableOption), validFor: /^\w*$/ };
		}
		return { from, options: options(known, tables), validFor: /^\w*$/ };
	};
}

function options(schema: Schema, tables: Map<string, Table>): Completion[] {
	const columns = new Map<string, Completion>();
	// Before FROM is written, every table's columns may be meant; those of flows most.
	const asked = tables.size > 0 ? [...new Set(tables.values())] : schema.tables;
	for (const table of asked) {
		for (const column of table.columns) {
			if (!columns.has(column.name)) columns.set(column.name, { ...columnOption(column), boost: tables.size > 0 ? 20 : table.name === "flows" ? 10 : 0 });
		}
	}
	return [
		...columns.values(),
		...schema.tables.map(tableOption),
		...schema.functions.map(functionOption),
		...keywords.map((word): Completion => ({ label: word.toUpperCase(), type: "keyword", boost: -5 })),
	];
}

const columnOption = (column: Column): Completion => ({
	label: column.name,
	type: "property",
	detail: column.type,
	info: column.comment ? () => columnInfo(column) : undefined,
});

const tableOption = (table: Table): Completion => ({
	label: table.name,
	type: "class",
	detail: table.name === "flows" ? "start here" : "table",
	boost: table.name === "flows" ? 6 : 3,
	info: table.comment ? () => tableInfo(table) : undefined,
});

function functionOption(f: SqlFunction): Completion {
	// NetMeta's functions are described and come first; of ClickHouse's the name is known.
	const described = f.description !== "";
	const shown: Completion = {
		label: f.name,
		type: "function",
		detail: f.arguments ? `(${shorter(f.arguments)})` : described ? "()" : "",
		boost: described ? 5 : 0,
		info: described ? () => functionInfo(f) : undefined,
	};
	return snippetCompletion(f.arguments || !described ? `${f.name}(\${})` : `${f.name}()`, shown);
}

const shorter = (text: string): string => (text.length > 40 ? `${text.slice(0, 38)} …` : text);

function inTextOrComment(state: EditorState, at: number): boolean {
	return /String|Comment/.test(syntaxTree(state).resolveInner(at, -1).name);
}

/** Explains columns, tables and functions below the pointer. */
export function explanation(schema: () => Schema) {
	return hoverTooltip((view, at) => {
		const word = view.state.wordAt(at);
		if (!word || inTextOrComment(view.state, at)) return null;
		const dom = describe(view.state.sliceDoc(word.from, word.to), view.state.doc.toString(), schema());
		return dom ? { pos: word.from, end: word.to, above: true, create: () => ({ dom }) } : null;
	});
}

function describe(name: string, sql: string, schema: Schema): HTMLElement | undefined {
	for (const table of tablesIn(sql, schema).values()) {
		const column = table.columns.find((c) => c.name === name);
		if (column) return columnInfo(column);
	}
	const table = schema.tables.find((t) => t.name === name);
	if (table) return tableInfo(table);
	const f = schema.functions.find((candidate) => candidate.name === name);
	return f && functionInfo(f);
}

const columnInfo = (c: Column): HTMLElement => h("div", { class: "info" }, h("code", {}, `${c.name} ${c.type}`), h("p", {}, c.comment));

const tableInfo = (t: Table): HTMLElement => h("div", { class: "info" }, h("code", {}, t.name), h("p", {}, t.comment));

function functionInfo(f: SqlFunction): HTMLElement {
	return h("div", { class: "info" },
		h("code", {}, `${f.name}(${f.arguments})${f.returns ? ` → ${f.returns}` : ""}`),
		f.description ? h("p", {}, f.description) : null,
		f.example ? h("pre", {}, f.example) : null);
}
