import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../api.ts";
import { baseName, Colours } from "../colours.ts";
import { heatOf } from "../panels/heatdata.ts";
import { sankeyOf } from "../panels/sankeydata.ts";
import { niceStep } from "../panels/timeoption.ts";
import { csv, fileName, json } from "./exports.ts";
import { placeOf, sectionsOf } from "./layout.ts";
import type { Panel } from "./model.ts";
import { Queue } from "./queue.ts";

const panel = (id: number, x: number, y: number, extra: Partial<Panel> = {}): Panel => ({ id, type: "table", gridPos: { x, y, w: 12, h: 8 }, ...extra });
const row = (id: number, y: number, panels?: Panel[]): Panel => ({ id, type: "row", gridPos: { x: 0, y, w: 24, h: 1 }, collapsed: panels !== undefined, panels });

test("panels belong to the row above them, those of a closed row to it", () => {
	const sections = sectionsOf([panel(3, 12, 0), panel(2, 0, 0), row(4, 8), panel(5, 0, 9), row(6, 17, [panel(7, 0, 18)])]);
	assert.deepEqual(sections.map((s) => [s.row?.id ?? null, s.panels.map((p) => p.id)]), [[null, [2, 3]], [4, [5]], [6, [7]]]);
	assert.deepEqual(placeOf(sections[1].panels[0], sections[1]), { column: "1 / span 12", row: "1 / span 8", height: 296 });
});

const result = (columns: [string, string][], rows: Result["rows"]): Result =>
	({ columns: columns.map(([name, type]) => ({ name, type })), rows, sql: "", interval: 10, elapsed_ms: 0, rows_read: 0, bytes_read: 0, truncated: false });

test("CSV quotes what needs it and disarms formulas", () => {
	const r = result([["time", "DateTime"], ["na,me", "String"], ["n", "Int64"]], [[0, 'say "hi"', -5], [null, "=1+1", 2], [1000, "a\nb", 3], [1000, "!x", 4]]);
	assert.equal(csv(r), 'time,"na,me",n\r\n1970-01-01T00:00:00.000Z,"say ""hi""",-5\r\n,\'=1+1,2\r\n1970-01-01T00:00:01.000Z,"a\nb",3\r\n1970-01-01T00:00:01.000Z,!x,4\r\n');
	assert.deepEqual(JSON.parse(json(r))[0], { time: "1970-01-01T00:00:00.000Z", "na,me": 'say "hi"', n: -5 });
	assert.equal(fileName("Top 10: hosts / AS", "csv"), "top-10-hosts-as.csv");
});

test("the same name in two columns of a Sankey diagram is two nodes", () => {
	const r = result([["Source", "String"], ["Exporter", "String"], ["Destination", "String"], ["Rate", "Float64"]],
		[["AS1 →", "r1", "→ AS1", 5], ["AS2 →", "r1", "→ AS1", 3], ["AS2 →", "r1", "→ AS3", 0], ["AS1 →", "r1", "→ AS3", 2]]);
	const { nodes, links } = sankeyOf(r, 3, [false, false, false, false]);
	assert.deepEqual(nodes.map((n) => [n.label, n.level]), [["AS1", 0], ["r1", 1], ["AS1", 2], ["AS2", 0], ["AS3", 2]]);
	assert.deepEqual(links.map((l) => l.value), [8, 7, 3, 2]);
	assert.equal(sankeyOf(r, 3, [false, true, false, false]).links.length, 3);
});

test("buckets of a heat map are in the order of numbers and its times without gaps", () => {
	const r = result([["time", "DateTime"], ["bucket", "String"], ["density", "Float64"]], [[20_000, "1000", 2], [20_000, "64", 3], [50_000, "200", 4]]);
	const heat = heatOf(r, { from: 5000, to: 69_000 });
	assert.deepEqual(heat.buckets, ["64", "200", "1000"]);
	assert.deepEqual(heat.times, [10, 20, 30, 40, 50, 60].map((s) => s * 1000));
	assert.deepEqual(heat.cells, [[1, 2, 2], [1, 0, 3], [4, 1, 4]]);
	assert.equal(heat.max, 4);
});

test("a name has the same colour in every panel, and both directions share it", () => {
	const colours = new Colours();
	const [a, b, c] = colours.of(["AS64496", "AS64497", "AS64498"], false);
	assert.equal(new Set([a, b, c]).size, 3);
	assert.deepEqual(colours.of(["AS64498", "AS64496, in", "AS64496, out"], false), [c, a, a]);
	assert.equal(baseName("TCP (out)"), "tcp");
	assert.equal(baseName("in"), "in");
});

test("marks of a value axis are round in what the unit counts by", () => {
	assert.equal(niceStep(950, 5, false), 200);
	assert.equal(niceStep(0, 5, false), 1);
	assert.equal(niceStep(5 * 1024 ** 2, 5, true), 1024 ** 2);
});

test("a queue runs a few at a time, the most important first, and none that was given up", async () => {
	const queue = new Queue(1);
	const order: number[] = [];
	let release = () => {};
	const first = queue.run(5, new AbortController().signal, () => new Promise<void>((resolve) => (release = resolve)));
	const given = new AbortController();
	const late = queue.run(9, new AbortController().signal, async () => void order.push(9));
	const dropped = queue.run(1, given.signal, async () => void order.push(1));
	const early = queue.run(2, new AbortController().signal, async () => void order.push(2));
	given.abort();
	await assert.rejects(dropped, { name: "AbortError" });
	release();
	await Promise.all([first, late, early]);
	assert.deepEqual(order, [2, 9]);
});
