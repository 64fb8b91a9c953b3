// From rows to series over time.

import type { Cell, Result } from "../api.ts";
import { isRate } from "../units.ts";
import { kindOf, resolve, type Field } from "./fields.ts";
import type { FieldConfig, FieldOptions } from "./model.ts";

/** Frame is the answer to one query of a panel. */
export interface Frame { refId: string; result: Result }

export interface Series {
	name: string;
	field: Field;
	options: FieldOptions;
	/** Unix milliseconds, ascending, and the value at each. */
	times: number[];
	values: (number | null)[];
}

function toNumber(cell: Cell): number | null {
	if (cell === null || cell === "") return null;
	const number = typeof cell === "boolean" ? Number(cell) : typeof cell === "number" ? cell : Number(cell);
	return Number.isFinite(number) ? number : null;
}

/** buildSeries makes a series of every numeric column and every distinct set of
 * labels, in the order in which they first come. Without a column of time there are
 * none. */
export function buildSeries(frame: Frame, config: FieldConfig | undefined): Series[] {
	const { columns, rows } = frame.result;
	const kinds = columns.map(kindOf);
	const timeColumn = kinds.indexOf("time");
	if (timeColumn < 0) return [];
	const labelColumns = columns.flatMap((_, i) => (kinds[i] === "text" ? [i] : []));
	const valueColumns = columns.flatMap((_, i) => (kinds[i] === "number" ? [i] : []));
	const found = new Map<string, Series>();
	for (const row of rows) {
		const time = toNumber(row[timeColumn]);
		if (time === null) continue;
		const key = labelColumns.map((i) => String(row[i] ?? "")).join("\u0000");
		for (const column of valueColumns) {
			const its = `${column}\u0000${key}`;
			let series = found.get(its);
			if (!series) {
				const labels = Object.fromEntries(labelColumns.map((i) => [columns[i].name, String(row[i] ?? "")]));
				const field = { name: columns[column].name, type: columns[column].type, labels, refId: frame.refId };
				const { options, name } = resolve(config, field);
				// Several columns with the same labels are told apart by the column.
				const both = valueColumns.length > 1 && labelColumns.length > 0 && !options.displayName;
				series = { name: both ? `${name} ${field.name}` : name, field, options, times: [], values: [] };
				found.set(its, series);
			}
			series.times.push(time);
			series.values.push(toNumber(row[column]));
		}
	}
	return [...found.values()].filter((s) => !isFilling(s)).map(sorted);
}

/** isFilling tells whether a series is only the empty rows of WITH FILL: they have a
 * time, but no labels and no value. */
function isFilling(series: Series): boolean {
	const labels = Object.values(series.field.labels);
	return labels.length > 0 && labels.every((l) => l === "") && series.values.every((v) => !v);
}

function sorted(series: Series): Series {
	if (series.times.every((t, i) => i === 0 || series.times[i - 1] <= t)) return series;
	const order = series.times.map((_, i) => i).sort((a, b) => series.times[a] - series.times[b]);
	return { ...series, times: order.map((i) => series.times[i]), values: order.map((i) => series.values[i]) };
}

export interface Aligned { times: number[]; series: { series: Series; values: (number | null)[] }[] }

/** mostPoints bounds an axis that is filled up with empty buckets. */
const mostPoints = 20_000;

/** align puts series on one axis of time, so that stacks add up and a pointer finds
 * all of them. A rate, or a part of a stack, is zero where it has no row; anything
 * else is unknown there. Buckets that the range cuts are left out of rates, since
 * they would look like a sudden fall. */
export function align(all: Series[], interval: number, range: { from: number; to: number }, now: number): Aligned {
	const step = interval * 1000;
	const stamps = new Set<number>();
	for (const s of all) for (const t of s.times) stamps.add(t);
	let times = [...stamps].sort((a, b) => a - b);
	const regular = step > 0 && times.every((t) => (t - times[0]) % step === 0);
	if (regular && times.length > 1) {
		const last = times[times.length - 1];
		const count = (last - times[0]) / step + 1;
		if (count <= mostPoints) times = Array.from({ length: count }, (_, i) => times[0] + i * step);
		const rates = all.every((s) => isRate(s.options.unit));
		if (rates && times.length > 4) {
			if (times[0] < range.from) times = times.slice(1);
			if (last + step > Math.min(range.to, now)) times = times.slice(0, -1);
		}
	}
	const index = new Map(times.map((t, i) => [t, i]));
	return {
		times,
		series: all.map((series) => {
			const zero = isRate(series.options.unit) || stacking(series.options) !== "none";
			const values: (number | null)[] = new Array(times.length).fill(zero ? 0 : null);
			series.times.forEach((t, i) => {
				const at = index.get(t);
				if (at !== undefined) values[at] = series.values[i] ?? values[at];
			});
			return { series, values };
		}),
	};
}

export function stacking(options: FieldOptions): "none" | "normal" | "percent" {
	return options.custom?.stacking?.mode ?? "none";
}

/** mirrored tells whether a series is drawn below zero. */
export function mirrored(options: FieldOptions): boolean {
	return options.custom?.transform === "negative-Y";
}

/** mirrors tells whether a panel draws any of its series below zero. */
export function mirrors(config: FieldConfig | undefined): boolean {
	return config?.defaults?.custom?.transform === "negative-Y"
		|| (config?.overrides ?? []).some((o) => o.properties.some((p) => p.id === "custom.transform" && p.value === "negative-Y"));
}

/** percentOf turns stacked values into shares of their sum at each time, above and
 * below zero by themselves. */
export function percentOf(aligned: Aligned): Aligned {
	const sums = { up: new Array<number>(aligned.times.length).fill(0), down: new Array<number>(aligned.times.length).fill(0) };
	const side = (s: Aligned["series"][number]) => (mirrored(s.series.options) ? sums.down : sums.up);
	for (const s of aligned.series) s.values.forEach((v, i) => (side(s)[i] += v ?? 0));
	return {
		times: aligned.times,
		series: aligned.series.map((s) => ({ ...s, values: s.values.map((v, i) => (v === null || side(s)[i] === 0 ? 0 : (100 * v) / side(s)[i])) })),
	};
}

/** calculate reduces values to one, by Grafana's names; null when there is none. */
export function calculate(values: (number | null)[], how: string): number | null {
	const known = values.filter((v): v is number => v !== null);
	switch (how) {
		case "last": return values.length > 0 ? values[values.length - 1] : null;
		case "first": return values.length > 0 ? values[0] : null;
		case "firstNotNull": return known.length > 0 ? known[0] : null;
		case "count": return values.length;
		case "sum":
		case "total": return known.length > 0 ? known.reduce((a, b) => a + b, 0) : null;
		case "mean": return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
		case "min": return known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : null;
		case "max": return known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) : null;
		default: return known.length > 0 ? known[known.length - 1] : null;
	}
}

export const calculationNames: Record<string, string> = {
	lastNotNull: "last", last: "last", first: "first", firstNotNull: "first", mean: "mean", max: "max", min: "min", sum: "sum", total: "total", count: "count",
};
