// Numbers for people, in Grafana's units.

interface Scale { base: number; prefixes: string[] }

const si: Scale = { base: 1000, prefixes: ["", "k", "M", "G", "T", "P", "E"] };
const iec: Scale = { base: 1024, prefixes: ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] };
const short: Scale = { base: 1000, prefixes: ["", "k", "M", "G", "T", "P", "E"] };

interface Unit { scale: Scale; suffix: string; space: string }

const units: Record<string, Unit> = {
	bps: { scale: si, suffix: "bit/s", space: " " },
	Bps: { scale: si, suffix: "B/s", space: " " },
	pps: { scale: si, suffix: "pps", space: " " },
	cps: { scale: si, suffix: "/s", space: " " },
	ops: { scale: si, suffix: "ops/s", space: " " },
	hertz: { scale: si, suffix: "Hz", space: " " },
	bits: { scale: iec, suffix: "bit", space: " " },
	decbits: { scale: si, suffix: "bit", space: " " },
	bytes: { scale: iec, suffix: "B", space: " " },
	decbytes: { scale: si, suffix: "B", space: " " },
	short: { scale: short, suffix: "", space: " " },
};

/** rates are units whose value is zero where there is no row. */
export function isRate(unit: string | undefined): boolean {
	return unit === "bps" || unit === "pps" || unit === "cps" || unit === "Bps" || unit === "ops";
}

/** Three significant digits: 1.23, 12.3, 123. */
function digits(value: number, decimals?: number): string {
	if (decimals !== undefined) return value.toFixed(decimals);
	const size = Math.abs(value);
	if (size === 0) return "0";
	return size >= 99.95 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function trimZeros(text: string): string {
	return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** group separates thousands: 1,234,567. */
export function group(value: number, decimals = 0): string {
	return value.toLocaleString("en-US", { maximumFractionDigits: decimals, minimumFractionDigits: 0 });
}

function scaled(value: number, unit: Unit, decimals: number | undefined, tidy: boolean): string {
	let size = Math.abs(value);
	let power = 0;
	// 999.7 would be written as 1000.
	while (size >= unit.scale.base - 0.5 && power < unit.scale.prefixes.length - 1) {
		size /= unit.scale.base;
		power++;
	}
	const whole = power === 0 && Number.isInteger(value);
	let text = whole ? String(Math.abs(value)) : digits(size, decimals);
	if (tidy) text = trimZeros(text);
	const suffix = unit.scale.prefixes[power] + unit.suffix;
	return (value < 0 ? "−" : "") + text + (suffix ? unit.space + suffix : "");
}

/** duration writes seconds in the two largest units: "2 h 5 min". */
export function duration(seconds: number): string {
	const size = Math.abs(seconds);
	const sign = seconds < 0 ? "−" : "";
	if (size < 60) return sign + (size < 1 && size > 0 ? `${trimZeros(digits(size * 1000))} ms` : `${trimZeros(digits(size))} s`);
	const steps: [number, string][] = [[365 * 86400, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
	const first = steps.findIndex(([n]) => size >= n);
	const [large, largeName] = steps[first];
	const whole = Math.floor(size / large);
	const next = steps[first + 1];
	const rest = next ? Math.floor((size % large) / next[0]) : 0;
	return `${sign}${whole} ${largeName}${rest ? ` ${rest} ${next[1]}` : ""}`;
}

/** formatValue writes a number in a unit; tidy leaves trailing zeros out, for axes. */
export function formatValue(value: number, unit = "short", decimals?: number, tidy = false): string {
	if (!Number.isFinite(value)) return "–";
	const known = units[unit];
	if (known) return scaled(value, known, decimals, tidy);
	if (unit.startsWith("suffix:")) return scaled(value, { scale: short, suffix: unit.slice(7).trim(), space: " " }, decimals, tidy);
	switch (unit) {
		case "percent": return percent(value, decimals, tidy);
		case "percentunit": return percent(value * 100, decimals, tidy);
		case "s":
		case "dtdurations": return duration(value);
		case "ms":
		case "dtdurationms": return Math.abs(value) < 1000 ? `${trimZeros(digits(value, decimals))} ms` : duration(value / 1000);
		case "locale": return group(value, decimals ?? 2);
		case "none":
		case "string": return Number.isInteger(value) ? String(value) : trimZeros(digits(value, decimals ?? 2));
		default: return scaled(value, units.short, decimals, tidy) + (unit ? ` ${unit}` : "");
	}
}

function percent(value: number, decimals: number | undefined, tidy: boolean): string {
	if (value > 0 && value < 0.1 && decimals === undefined && !tidy) return "<0.1 %";
	const text = digits(value, decimals ?? (tidy ? undefined : Math.abs(value) >= 99.95 || value === 0 ? 0 : 1));
	return `${tidy ? trimZeros(text) : text} %`;
}

/** axisUnits tells whether an axis counts by 1024. */
export function countsBy1024(unit: string | undefined): boolean {
	return unit === "bytes" || unit === "bits";
}
