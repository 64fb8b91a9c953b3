// How the values of a result are written, on the page.

import type { Cell, Column } from "../api.ts";

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
