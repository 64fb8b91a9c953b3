import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cell, Result } from "../api.ts";
import { resolve, show, thresholdColour } from "./fields.ts";
import { align, buildSeries, calculate, percentOf } from "./series.ts";

function result(columns: Record<string, string>, rows: Cell[][], interval = 10): Result {
	return { columns: Object.entries(columns).map(([name, type]) => ({ name, type })), rows, sql: "", interval, elapsed_ms: 1, rows_read: 1, bytes_read: 1, truncated: false };
}

const t = 1_700_000_000_000;

test("every set of labels is a series, in the order of their coming", () => {
	const frame = { refId: "A", result: result({ time: "DateTime('UTC')", protocol: "LowCardinality(String)", direction: "String", rate: "Float64" },
		[[t, "TCP", "in", 1], [t, "UDP", "in", 2], [t + 10_000, "TCP", "in", 3], [t + 10_000, "TCP", "out", 4]]) };
	const series = buildSeries(frame, { defaults: { displayName: "${__field.labels.protocol}, ${__field.labels.direction}" } });
	assert.deepEqual(series.map((s) => [s.name, s.times.length, s.values]), [["TCP, in", 2, [1, 3]], ["UDP, in", 1, [2]], ["TCP, out", 1, [4]]]);
});

test("every numeric column is a series", () => {
	const frame = { refId: "A", result: result({ time: "DateTime64(3)", in: "UInt64", out: "Nullable(Float64)" }, [[t, 5, null], [t + 10_000, 6, 7]]) };
	assert.deepEqual(buildSeries(frame, undefined).map((s) => [s.name, s.values]), [["in", [5, 6]], ["out", [null, 7]]]);
});

test("a result without a time has no series", () => {
	assert.deepEqual(buildSeries({ refId: "A", result: result({ n: "UInt64" }, [[1]]) }, undefined), []);
});

test("empty rows that fill gaps are no series", () => {
	const frame = { refId: "A", result: result({ time: "DateTime", name: "String", v: "Float64" }, [[t, "a", 1], [t + 10_000, "", 0], [t + 20_000, "", null]]) };
	assert.deepEqual(buildSeries(frame, undefined).map((s) => s.name), ["a"]);
});

test("overrides by name and by pattern are applied, the later one last", () => {
	const field = { name: "bytes", type: "UInt64", labels: { direction: "out" }, refId: "A" };
	const { options, name } = resolve({
		defaults: { unit: "bps", displayName: "${__field.labels.direction}", custom: { fillOpacity: 10, stacking: { mode: "normal" } } },
		overrides: [
			{ matcher: { id: "byRegexp", options: "/\\bout\\b/" }, properties: [{ id: "custom.transform", value: "negative-Y" }, { id: "custom.stacking.mode", value: "none" }] },
			{ matcher: { id: "byName", options: "bytes" }, properties: [{ id: "unit", value: "decbytes" }] },
			{ matcher: { id: "byName", options: "other" }, properties: [{ id: "unit", value: "wrong" }] },
			{ matcher: { id: "byRegexp", options: "/(/" }, properties: [{ id: "unit", value: "wrong" }] },
		],
	}, field);
	assert.equal(name, "out");
	assert.equal(options.unit, "decbytes");
	assert.deepEqual(options.custom, { fillOpacity: 10, stacking: { mode: "none" }, transform: "negative-Y" });
});

test("a rate is zero where it has no row, so that stacks add up; other values are unknown there", () => {
	const rows: Cell[][] = [[t, "a", 1], [t, "b", 2], [t + 20_000, "a", 3], [t + 30_000, "a", 4]];
	const of = (unit: string) => {
		const series = buildSeries({ refId: "A", result: result({ time: "DateTime", name: "String", v: "Float64" }, rows) }, { defaults: { unit } });
		return align(series, 10, { from: t, to: t + 60_000 }, t + 60_000);
	};
	assert.deepEqual(of("bps").series.map((s) => s.values), [[1, 0, 3, 4], [2, 0, 0, 0]]);
	assert.deepEqual(of("s").series.map((s) => s.values), [[1, null, 3, 4], [2, null, null, null]]);
});

test("buckets of a rate that the range cuts are left out", () => {
	const rows: Cell[][] = [0, 1, 2, 3, 4, 5].map((i) => [t + i * 10_000, 1]);
	const series = buildSeries({ refId: "A", result: result({ time: "DateTime", v: "Float64" }, rows) }, { defaults: { unit: "bps" } });
	const { times } = align(series, 10, { from: t + 4000, to: t + 55_000 }, t + 55_000);
	assert.deepEqual(times, [1, 2, 3, 4].map((i) => t + i * 10_000));
});

test("shares of a stack are of what is on its side of zero", () => {
	const rows: Cell[][] = [[t, "x, in", 1], [t, "y, in", 3], [t, "x, out", 5]];
	const series = buildSeries({ refId: "A", result: result({ time: "DateTime", name: "String", v: "Float64" }, rows) },
		{ defaults: { unit: "bps" }, overrides: [{ matcher: { id: "byRegexp", options: "/out/" }, properties: [{ id: "custom.transform", value: "negative-Y" }] }] });
	assert.deepEqual(percentOf(align(series, 10, { from: t, to: t + 10_000 }, t + 20_000)).series.map((s) => s.values), [[25], [75], [100]]);
});

test("values are reduced as the panel asks", () => {
	const values = [1, null, 4, null];
	const cases: [string, number | null][] = [["lastNotNull", 4], ["last", null], ["mean", 2.5], ["max", 4], ["min", 1], ["sum", 5], ["count", 4]];
	for (const [how, want] of cases) assert.equal(calculate(values, how), want, how);
	assert.equal(calculate([], "mean"), null);
});

test("values are shown by mappings, units and thresholds", () => {
	const zone = { utc: true };
	assert.deepEqual(show(1, "number", { mappings: [{ type: "value", options: { "1": { text: "up", color: "green" } } }] }, zone), { text: "up", color: "green" });
	assert.equal(show(t, "time", {}, zone).text, "2023-11-14 22:13:20");
	assert.equal(show(null, "number", { noValue: "none" }, zone).text, "none");
	assert.equal(show([1, 2], "text", {}, zone).text, "1, 2");
	const options = { thresholds: { mode: "absolute", steps: [{ color: "green", value: null }, { color: "red", value: 80 }] } };
	assert.deepEqual([thresholdColour(79, options), thresholdColour(80, options), thresholdColour(null, options)], ["green", "red", undefined]);
});
