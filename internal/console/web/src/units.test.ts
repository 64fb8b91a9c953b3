import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, formatValue, group } from "./units.ts";

test("numbers are short and keep their unit", () => {
	const cases: [number, string, string][] = [
		[0, "bps", "0 bit/s"],
		[7, "bps", "7 bit/s"],
		[0.25, "bps", "0.25 bit/s"],
		[999.6, "bps", "1.00 kbit/s"],
		[1_234_567, "bps", "1.23 Mbit/s"],
		[99_950_000, "bps", "100 Mbit/s"],
		[2.5e16, "bps", "25.0 Pbit/s"],
		[-1500, "bps", "−1.50 kbit/s"],
		[1500, "pps", "1.50 kpps"],
		[1e9, "decbytes", "1.00 GB"],
		[1024 ** 3, "bytes", "1.00 GiB"],
		[1023.9, "bytes", "1.00 KiB"],
		[1_234_567, "short", "1.23 M"],
		[12, "short", "12"],
		[0.02, "percent", "<0.1 %"],
		[25.6, "percent", "25.6 %"],
		[0.256, "percentunit", "25.6 %"],
		[100, "percent", "100 %"],
		[0, "percent", "0 %"],
		[75, "s", "1 min 15 s"],
		[7300, "s", "2 h 1 min"],
		[0.004, "s", "4 ms"],
		[12.34, "ms", "12.3 ms"],
		[90_000, "ms", "1 min 30 s"],
		[443, "none", "443"],
		[4_294_967_295, "none", "4294967295"],
		[1234567.891, "locale", "1,234,567.89"],
		[42, "suffix:flows", "42 flows"],
		[Number.NaN, "bps", "–"],
	];
	for (const [value, unit, want] of cases) assert.equal(formatValue(value, unit), want, `${value} ${unit}`);
});

test("marks of an axis have no trailing zeros", () => {
	assert.equal(formatValue(2500, "bps", undefined, true), "2.5 kbit/s");
	assert.equal(formatValue(20e6, "bps", undefined, true), "20 Mbit/s");
	assert.equal(formatValue(500, "bps", undefined, true), "500 bit/s");
	assert.deepEqual([0, 0.0002, 0.25, 1].map((v) => formatValue(v, "percentunit", undefined, true)), ["0 %", "0.02 %", "25 %", "100 %"]);
});

test("decimals that a panel asks for are kept", () => assert.equal(formatValue(1_234_567, "bps", 1), "1.2 Mbit/s"));
test("thousands are separated", () => assert.equal(group(259200), "259,200"));
test("long durations have their two largest units", () => assert.equal(duration(90061), "1 d 1 h"));
