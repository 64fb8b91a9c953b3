// A result over time, where it has a column of times.

import type { Result } from "../api.ts";
import { isNumber, isTime } from "./result.ts";

/** Whether a result can be drawn over time: a column of times and one of numbers. */
export function chartable({ columns, rows }: Result): boolean {
	return rows.length > 1 && columns.some(isTime) && columns.some(isNumber);
}

export function resultChart(_root: HTMLElement, _result: Result): () => void {
	return () => undefined;
}
