// Points in time as people type them and as addresses hold them: "now-3h",
// "now/d", "2026-11-20 14:00", unix milliseconds. All results are unix milliseconds.

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const unitNames: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week", M: "month", y: "year" };

/** local or UTC: in which zone days begin, and times without one are meant. */
export interface Zone { utc: boolean }

interface Parts { year: number; month: number; day: number; hour: number; minute: number; second: number }

function parts(ms: number, zone: Zone): Parts {
	const d = new Date(ms);
	return zone.utc
		? { year: d.getUTCFullYear(), month: d.getUTCMonth(), day: d.getUTCDate(), hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds() }
		: { year: d.getFullYear(), month: d.getMonth(), day: d.getDate(), hour: d.getHours(), minute: d.getMinutes(), second: d.getSeconds() };
}

function fromParts(p: Parts, zone: Zone): number {
	return zone.utc
		? Date.UTC(p.year, p.month, p.day, p.hour, p.minute, p.second)
		: new Date(p.year, p.month, p.day, p.hour, p.minute, p.second).getTime();
}

function shift(ms: number, amount: number, unit: string, zone: Zone): number {
	const p = parts(ms, zone);
	switch (unit) {
		case "s": return ms + amount * second;
		case "m": return ms + amount * minute;
		case "h": return ms + amount * hour;
		// Days have 23 or 25 hours where clocks change.
		case "d": return fromParts({ ...p, day: p.day + amount }, zone) + (ms % second);
		case "w": return fromParts({ ...p, day: p.day + 7 * amount }, zone) + (ms % second);
		case "M": return fromParts({ ...p, month: p.month + amount }, zone) + (ms % second);
		default: return fromParts({ ...p, year: p.year + amount }, zone) + (ms % second);
	}
}

function floor(ms: number, unit: string, zone: Zone): number {
	const p = parts(ms, zone);
	const start = { year: p.year, month: 0, day: 1, hour: 0, minute: 0, second: 0 };
	switch (unit) {
		case "s": return Math.floor(ms / second) * second;
		case "m": return fromParts({ ...p, second: 0 }, zone);
		case "h": return fromParts({ ...p, minute: 0, second: 0 }, zone);
		case "d": return fromParts({ ...start, month: p.month, day: p.day }, zone);
		case "w": {
			const midnight = fromParts({ ...start, month: p.month, day: p.day }, zone);
			const weekday = zone.utc ? new Date(midnight).getUTCDay() : new Date(midnight).getDay();
			return shift(midnight, -((weekday + 6) % 7), "d", zone);
		}
		case "M": return fromParts({ ...start, month: p.month }, zone);
		default: return fromParts(start, zone);
	}
}

/** parseTime reads a point in time, or returns null for what is none. The end of a
 * range (roundUp) in "now/d" is the last millisecond of the day. */
export function parseTime(text: string, now: number, zone: Zone, roundUp = false): number | null {
	text = text.trim();
	if (/^\d{9,}$/.test(text)) {
		const number = Number(text);
		// Eleven digits in milliseconds are 1973: shorter ones are seconds.
		return text.length <= 10 ? number * second : number <= 8.64e15 ? number : null;
	}
	if (text.startsWith("now")) return parseRelative(text.slice(3), now, zone, roundUp);
	const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z)?$/.exec(text);
	if (!match) return null;
	const [year, month, dayOfMonth, h = 0, m = 0, s = 0] = match.slice(1, 7).map((n) => (n === undefined ? undefined : Number(n))) as number[];
	const its = match[7] ? { utc: true } : zone;
	const wanted = { year, month: month - 1, day: dayOfMonth, hour: h, minute: m, second: s };
	if (h > 23 || m > 59 || s > 59) return null;
	const ms = fromParts(wanted, its);
	const got = parts(ms, its);
	// The thirtieth of February would otherwise be in March.
	if (got.month !== wanted.month || got.day !== wanted.day) return null;
	return roundUp && match[4] === undefined ? shift(ms, 1, "d", its) - 1 : ms;
}

function parseRelative(rest: string, now: number, zone: Zone, roundUp: boolean): number | null {
	let at = now;
	const step = /^(?:([+-])(\d{1,6})([smhdwMy])|\/([smhdwMy]))/;
	while (rest !== "") {
		const match = step.exec(rest);
		if (!match) return null;
		if (match[4]) {
			at = floor(at, match[4], zone);
			if (roundUp) at = shift(at, 1, match[4], zone) - 1;
		} else {
			at = shift(at, (match[1] === "-" ? -1 : 1) * Number(match[2]), match[3], zone);
		}
		rest = rest.slice(match[0].length);
	}
	return Number.isFinite(at) ? at : null;
}

export interface Range { from: number; to: number }

/** longestRange keeps queries and axes sane; flows are kept far shorter. */
const longestRange = 10 * 366 * day;

export type RangeProblem = { field: "from" | "to"; text: string };

const timeHelp = 'Write it as now-3h, now-1d/d, 2026-11-20 14:00 or 2026-11-20.';

/** parseRange reads both ends of a range, or says what is wrong with which. */
export function parseRange(from: string, to: string, now: number, zone: Zone): Range | RangeProblem {
	const start = parseTime(from, now, zone);
	if (start === null) return { field: "from", text: `“${from}” is not a time. ${timeHelp}` };
	const end = parseTime(to, now, zone, true);
	if (end === null) return { field: "to", text: `“${to}” is not a time. ${timeHelp}` };
	if (start < 0) return { field: "from", text: "The range begins before 1970, from when there are no flows. Choose a later start." };
	if (end - start < 1) return { field: "to", text: "The range ends before it begins. Choose a later end or an earlier start." };
	if (end - start > longestRange) return { field: "from", text: "The range is longer than ten years. Choose a later start." };
	return { from: start, to: end };
}

export function isRange(range: Range | RangeProblem): range is Range {
	return !("field" in range);
}

const two = (n: number) => String(n).padStart(2, "0");

/** formatTime writes a point in time so that parseTime reads it back. */
export function formatTime(ms: number, zone: Zone, seconds = true): string {
	const p = parts(ms, zone);
	return `${p.year}-${two(p.month + 1)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}${seconds ? ":" + two(p.second) : ""}`;
}

/** formatTick writes a mark of a time axis whose marks are step apart: a day at its
 * beginning, else the time of day as exactly as it takes. */
export function formatTick(ms: number, step: number, zone: Zone): string {
	const p = parts(ms, zone);
	if (p.hour === 0 && p.minute === 0 && p.second === 0) return `${two(p.month + 1)}-${two(p.day)}`;
	if (step >= day) return `${two(p.month + 1)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}`;
	return `${two(p.hour)}:${two(p.minute)}${step < minute ? ":" + two(p.second) : ""}`;
}

export const quickRanges: { from: string; to: string; label: string }[] = [
	{ from: "now-5m", to: "now", label: "Last 5 minutes" },
	{ from: "now-15m", to: "now", label: "Last 15 minutes" },
	{ from: "now-30m", to: "now", label: "Last 30 minutes" },
	{ from: "now-1h", to: "now", label: "Last hour" },
	{ from: "now-3h", to: "now", label: "Last 3 hours" },
	{ from: "now-6h", to: "now", label: "Last 6 hours" },
	{ from: "now-12h", to: "now", label: "Last 12 hours" },
	{ from: "now-24h", to: "now", label: "Last 24 hours" },
	{ from: "now-2d", to: "now", label: "Last 2 days" },
	{ from: "now-7d", to: "now", label: "Last 7 days" },
	{ from: "now-30d", to: "now", label: "Last 30 days" },
	{ from: "now/d", to: "now", label: "Today so far" },
	{ from: "now-1d/d", to: "now-1d/d", label: "Yesterday" },
	{ from: "now-7d/d", to: "now-7d/d", label: "This day last week" },
	{ from: "now/w", to: "now", label: "This week so far" },
];

/** formatRange names a range for people. */
export function formatRange(from: string, to: string, range: Range, zone: Zone): string {
	const known = quickRanges.find((q) => q.from === from && q.to === to);
	if (known) return known.label;
	const last = /^now-(\d+)([smhdwMy])$/.exec(from);
	if (last && to === "now") return `Last ${last[1] === "1" ? "" : last[1] + " "}${unitNames[last[2]]}${last[1] === "1" ? "" : "s"}`;
	const exact = (range.to - range.from) < 10 * minute || range.from % minute !== 0 || range.to % minute !== 0;
	const start = formatTime(range.from, zone, exact);
	let end = formatTime(range.to, zone, exact);
	if (end.slice(0, 10) === start.slice(0, 10)) end = end.slice(11);
	return `${start} – ${end}`;
}

/** step of a time axis that gives about count marks, in milliseconds. */
export function tickStep(span: number, count: number): number {
	const steps = [1, 2, 5, 10, 15, 30].map((n) => n * second)
		.concat([1, 2, 5, 10, 15, 30].map((n) => n * minute), [1, 2, 3, 6, 12].map((n) => n * hour), [1, 2, 7, 14, 30, 91, 182, 365].map((n) => n * day));
	return steps.find((s) => span / s <= count) ?? 5 * 365 * day;
}

/** ticks lists the marks of a time axis: multiples of step since midnight. */
export function ticks(range: Range, step: number, zone: Zone): number[] {
	const found: number[] = [];
	let dayStart = floor(range.from, "d", zone);
	if (step >= day) {
		const days = Math.round(step / day);
		for (let at = dayStart; at <= range.to; at = shift(at, days, "d", zone)) if (at >= range.from) found.push(at);
		return found;
	}
	while (dayStart <= range.to) {
		const next = shift(dayStart, 1, "d", zone);
		const first = Math.max(0, Math.ceil((range.from - dayStart) / step));
		for (let at = dayStart + first * step; at < next && at <= range.to; at += step) found.push(at);
		dayStart = next;
	}
	return found;
}

/** zoomOut doubles a range around its middle, not beyond now. */
export function zoomOut(range: Range, now: number): Range {
	const half = (range.to - range.from) / 2;
	let from = range.from - half;
	let to = range.to + half;
	if (to > now && range.to <= now) {
		from -= to - now;
		to = now;
	}
	return { from: Math.max(0, Math.floor(from)), to: Math.floor(to) };
}

/** parseDuration reads "10s", "5m", "1h" as milliseconds; 0 for what is none. */
export function parseDuration(text: string): number {
	const match = /^(\d+)(s|m|h|d)$/.exec(text);
	return match ? Number(match[1]) * { s: second, m: minute, h: hour, d: day }[match[2] as "s"] : 0;
}
