// From rows to the cells of a heat map.

import type { Result } from "../api.ts";
import { kindOf } from "../dashboard/fields.ts";
import type { Range } from "../time.ts";

export interface Heat {
	/** All buckets of time, those without a row too; unix milliseconds. */
	times: number[];
	/** Lower bounds as text, ascending. */
	buckets: string[];
	/** Index of the time, index of the bucket, density. */
	cells: [number, number, number][];
	max: number;
}

const mostTimes = 3000;

/** heatOf reads time, bucket, density; or time and one numeric column per bucket. */
export function heatOf(result: Result, range: Range): Heat {
	const kinds = result.columns.map(kindOf);
	const timeColumn = kinds.indexOf("time");
	let long = result.columns.findIndex((_, i) => kinds[i] === "text");
	let numbers = result.columns.flatMap((_, i) => (kinds[i] === "number" ? [i] : []));
	// A bucket may come as a number as well: then the last column is the density.
	if (long < 0 && numbers.length === 2 && /bucket|^le$|^ge$/i.test(result.columns[numbers[0]].name)) [long, numbers] = [numbers[0], [numbers[1]]];
	const found: { time: number; bucket: string; value: number }[] = [];
	for (const row of result.rows) {
		for (const n of numbers) {
			const value = Number(row[n]);
			if (value > 0) found.push({ time: Number(row[timeColumn]), bucket: long < 0 ? result.columns[n].name : String(row[long] ?? ""), value });
		}
	}
	const buckets = [...new Set(found.map((f) => f.bucket))].sort((a, b) => Number(a) - Number(b) || a.localeCompare(b));
	const times = timesOf(found.map((f) => f.time), result.interval * 1000, range);
	const timeIndex = new Map(times.map((t, i) => [t, i]));
	const bucketIndex = new Map(buckets.map((b, i) => [b, i]));
	const cells: Heat["cells"] = [];
	let max = 0;
	for (const f of found) {
		const at = timeIndex.get(f.time);
		if (at === undefined) continue;
		cells.push([at, bucketIndex.get(f.bucket)!, f.value]);
		max = Math.max(max, f.value);
	}
	return { times, buckets, cells, max };
}

function timesOf(seen: number[], step: number, range: Range): number[] {
	const distinct = [...new Set(seen)].sort((a, b) => a - b);
	if (distinct.length === 0) return [];
	const regular = step > 0 && distinct.every((t) => (t - distinct[0]) % step === 0);
	if (!regular) return distinct;
	// The axis covers the whole range, so that it lines up with other charts.
	const first = distinct[0] - Math.floor((distinct[0] - range.from) / step) * step;
	const count = Math.floor((Math.max(range.to, distinct[distinct.length - 1]) - first) / step) + 1;
	return count > 0 && count <= mostTimes ? Array.from({ length: count }, (_, i) => first + i * step) : distinct;
}
