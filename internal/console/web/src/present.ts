// How numbers look on the pages beside the dashboards, which have Grafana's units.

const prefixes: [number, string][] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** 1234567 -> "1.23 M": three digits and a decimal prefix. */
function scaled(value: number): string {
	const size = Math.abs(value);
	const [factor, prefix] = prefixes.find(([f]) => size >= f * 0.9995) ?? [1, ""];
	const n = value / factor;
	const digits = Math.abs(n) >= 99.95 || (factor === 1 && Number.isInteger(n)) ? 0 : Math.abs(n) >= 9.995 ? 1 : 2;
	return `${n.toFixed(digits)} ${prefix}`;
}

export const bits = (perSecond: number): string => `${scaled(perSecond)}bit/s`;
export const packets = (perSecond: number): string => `${scaled(perSecond)}packets/s`.replace(/ ([kMGTP])/, " $1 ");

/** As axes write it: "2.50 Mbit/s" -> "2.5 Mbit/s". */
export const trimmed = (text: string): string => text.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");

export const bytes = (n: number): string => `${scaled(n)}B`;

/** A rate without its unit, for a number that stands large on its own. */
export const short = (value: number): string => scaled(value).trim();

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = (n: number): string => (n < 1e8 ? whole.format(n) : short(n));

export const percent = (share: number): string => (share > 0 && share < 0.001 ? "<0.1 %" : `${(share * 100).toFixed(1)} %`);

/** 75 -> "1 min 15 s" */
export function duration(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	if (s < 60) return `${s} s`;
	if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`;
	if (s < 7200) return `${Math.round(s / 60)} min`;
	return `${Math.round(s / 3600)} h`;
}

