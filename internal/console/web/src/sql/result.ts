// How the values of a result are written, on the page and in files.

import type { Cell, Column, Result } from "../api.ts";

const bare = (type: string): string => type.replace(/^(?:(?:LowCardinality|Nullable)\()+/, "");

export const isTime = (c: Column): boolean => /^Date(Time)?/.test(bare(c.type));
export const isNumber = (c: Column): boolean => /^(U?Int|Float|BFloat|Decimal)/.test(bare(c.type));

const onlyDate = (c: Column): boolean => /^Date(32)?\b/.test(bare(c.type));

const two = (n: number): string => String(n).padStart(2, "0");

/** A value as the table shows it: times in the browser's zone. */
export function shown(value: Cell, column: Column): string {
	if (value === null) return "NULL";
	if (isTime(column) && typeof value === "number") return localTime(value, onlyDate(column));
	if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(9)));
	return typeof value === "string" ? value : JSON.stringify(value);
}

function localTime(ms: number, dateOnly: boolean): string {
	const t = new Date(ms);
	if (dateOnly) return t.toISOString().slice(0, 10);
	const rest = ms % 1000 === 0 ? "" : `.${String(t.getMilliseconds()).padStart(3, "0")}`;
	return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}${rest}`;
}

/** A value for a file: times with their zone, so that they stay what they are elsewhere. */
function portable(value: Cell, column: Column): Cell {
	if (isTime(column) && typeof value === "number") {
		const text = new Date(value).toISOString();
		return onlyDate(column) ? text.slice(0, 10) : text;
	}
	return value;
}

/** The result as CSV of RFC 4180, with a header. */
export function toCSV({ columns, rows }: Result): string {
	const line = (cells: string[]): string => `${cells.map(quoted).join(",")}\r\n`;
	return line(columns.map((c) => c.name)) + rows.map((row) => line(columns.map((c, i) => csvText(portable(row[i] ?? null, c))))).join("");
}

function csvText(value: Cell): string {
	if (value === null) return "";
	if (typeof value !== "string") return typeof value === "object" ? JSON.stringify(value) : String(value);
	// Text that a spreadsheet would take for a formula; names come from the network.
	return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The result as a JSON array of objects. */
export function toJSON({ columns, rows }: Result): string {
	const objects = rows.map((row) => Object.fromEntries(columns.map((c, i) => [c.name, portable(row[i] ?? null, c)])));
	return `[\n${objects.map((o) => JSON.stringify(o)).join(",\n")}\n]\n`;
}
