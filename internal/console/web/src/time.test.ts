import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRange, formatTick, formatTime, isRange, parseDuration, parseRange, parseTime, ticks, tickStep, zoomOut } from "./time.ts";

const utc = { utc: true };
const now = Date.UTC(2026, 10, 27, 14, 30, 15, 500);

test("points in time are read in every form that people and links use", () => {
	const cases: [string, number | null][] = [
		["now", now],
		["now-3h", now - 3 * 3600_000],
		["now-90s", now - 90_000],
		["now+1d", now + 86_400_000],
		["now-1d/d", Date.UTC(2026, 10, 26)],
		["now/d", Date.UTC(2026, 10, 27)],
		["now/w", Date.UTC(2026, 10, 23)],
		["now/M", Date.UTC(2026, 10, 1)],
		["now/y", Date.UTC(2026, 0, 1)],
		["now-1M", Date.UTC(2026, 9, 27, 14, 30, 15, 500)],
		["2026-11-20", Date.UTC(2026, 10, 20)],
		["2026-11-20 14:00", Date.UTC(2026, 10, 20, 14)],
		[" 2026-11-20T14:00:05Z ", Date.UTC(2026, 10, 20, 14, 0, 5)],
		["1700000000000", 1_700_000_000_000],
		["1700000000", 1_700_000_000_000],
		["2026-02-30", null],
		["2026-13-01", null],
		["2026-11-20 25:00", null],
		["yesterday", null],
		["now-3", null],
		["now-h", null],
		["now-3h; DROP", null],
		["", null],
		["12", null],
		["99999999999999999999", null],
	];
	for (const [text, want] of cases) assert.equal(parseTime(text, now, utc), want, text);
});

test("the end of a range in whole days is the end of the day", () => {
	assert.equal(parseTime("now-1d/d", now, utc, true), Date.UTC(2026, 10, 27) - 1);
	assert.equal(parseTime("2026-11-20", now, utc, true), Date.UTC(2026, 10, 21) - 1);
	assert.equal(parseTime("2026-11-20 14:00", now, utc, true), Date.UTC(2026, 10, 20, 14));
});

test("an impossible range says which end is wrong and what to do", () => {
	const cases: [string, string, "from" | "to", RegExp][] = [
		["yes", "now", "from", /now-3h/],
		["now-1h", "maybe", "to", /2026-11-20 14:00/],
		["now", "now-1h", "to", /ends before it begins/],
		["now", "now", "to", /ends before/],
		["now-20y", "now", "from", /ten years/],
		["1950-01-01", "now", "from", /1970/],
	];
	for (const [from, to, field, text] of cases) {
		const range = parseRange(from, to, now, utc);
		assert.ok(!isRange(range), `${from} to ${to}`);
		assert.equal(range.field, field);
		assert.match(range.text, text);
	}
	assert.deepEqual(parseRange("now-1h", "now", now, utc), { from: now - 3600_000, to: now });
});

test("what is written can be read back", () => {
	const at = Date.UTC(2026, 0, 2, 3, 4, 5);
	for (const zone of [utc, { utc: false }]) assert.equal(parseTime(formatTime(at, zone), now, zone), at);
});

test("ranges are named for people", () => {
	const name = (from: string, to: string) => {
		const range = parseRange(from, to, now, utc);
		assert.ok(isRange(range));
		return formatRange(from, to, range, utc);
	};
	assert.equal(name("now-3h", "now"), "Last 3 hours");
	assert.equal(name("now-1h", "now"), "Last hour");
	assert.equal(name("now-45m", "now"), "Last 45 minutes");
	assert.equal(name("now-1d/d", "now-1d/d"), "Yesterday");
	assert.equal(name("2026-11-20 14:00", "2026-11-20 16:00"), "2026-11-20 14:00 – 16:00");
	assert.equal(name("2026-11-20 14:00:01", "2026-11-20 14:00:09"), "2026-11-20 14:00:01 – 14:00:09");
});

test("marks of a time axis are round and inside of the range", () => {
	const range = { from: now - 3 * 3600_000, to: now };
	const step = tickStep(range.to - range.from, 8);
	assert.equal(step, 30 * 60_000);
	const marks = ticks(range, step, utc);
	assert.deepEqual(marks.map((t) => formatTick(t, step, utc)), ["12:00", "12:30", "13:00", "13:30", "14:00", "14:30"]);
	assert.deepEqual(ticks({ from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 4) }, 86_400_000, utc).map((t) => formatTick(t, 86_400_000, utc)), ["11-01", "11-02", "11-03", "11-04"]);
	assert.deepEqual(ticks({ from: now, to: now + 3000 }, 1000, utc).map((t) => formatTick(t, 1000, utc)), ["14:30:16", "14:30:17", "14:30:18"]);
});

test("zooming out doubles the range and does not go beyond now", () => {
	assert.deepEqual(zoomOut({ from: 2000, to: 3000 }, 10_000), { from: 1500, to: 3500 });
	assert.deepEqual(zoomOut({ from: now - 1000, to: now }, now), { from: now - 2000, to: now });
	assert.equal(zoomOut({ from: 100, to: 10_000 }, now).from, 0);
});

test("durations of automatic refresh are read", () => {
	assert.deepEqual(["10s", "5m", "1h", "", "x", "-1s"].map(parseDuration), [10_000, 300_000, 3_600_000, 0, 0, 0]);
});
