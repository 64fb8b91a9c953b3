// What one can take along: CSV, JSON, PNG.

import type { Cell, Result } from "../api.ts";
import { kindOf } from "./fields.ts";

/** csv writes a result as RFC 4180 has it. Times are in ISO 8601, UTC. */
export function csv(result: Result): string {
	const kinds = result.columns.map(kindOf);
	const line = (cells: string[]) => cells.map(quoted).join(",");
	const rows = result.rows.map((row) => line(row.map((cell, i) => cellText(cell, kinds[i] === "time"))));
	return [line(result.columns.map((c) => c.name)), ...rows].join("\r\n") + "\r\n";
}

function cellText(cell: Cell, time: boolean): string {
	if (cell === null || cell === undefined) return "";
	if (time && typeof cell === "number") return new Date(cell).toISOString();
	return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

function quoted(text: string): string {
	// A spreadsheet would run what begins like a formula; numbers may begin with a minus.
	const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? "'" + text : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** json writes a result as objects, one for each row. */
export function json(result: Result): string {
	const kinds = result.columns.map(kindOf);
	return JSON.stringify(result.rows.map((row) => Object.fromEntries(result.columns.map((c, i) =>
		[c.name, kinds[i] === "time" && typeof row[i] === "number" ? new Date(row[i] as number).toISOString() : row[i]]))), null, 1) + "\n";
}

/** fileName makes a name that every system takes from a title. */
export function fileName(title: string, extension: string): string {
	return `${title.replace(/[^\p{L}\p{N}.-]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() || "panel"}.${extension}`;
}

/** save has the browser download a text. */
export function save(name: string, text: string, type: string): void {
	const url = URL.createObjectURL(new Blob([text], { type }));
	saveURL(name, url);
	// The download reads the URL after the click has returned.
	setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function saveURL(name: string, url: string): void {
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
}
