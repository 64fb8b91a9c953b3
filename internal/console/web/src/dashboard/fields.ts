// How a field looks: a panel's defaults, with what its overrides say of the field.

import type { Column } from "../api.ts";
import { duration, formatValue } from "../units.ts";
import { formatTime, type Zone } from "../time.ts";
import type { FieldConfig, FieldOptions, Mapping, Override } from "./model.ts";

export interface Field {
	/** The column's name. */
	name: string;
	/** ClickHouse's type. */
	type: string;
	labels: Record<string, string>;
	refId: string;
}

export type Kind = "time" | "number" | "text";

/** inner strips what wraps a type: LowCardinality(Nullable(String)) is String. */
function inner(type: string): string {
	const match = /^(?:Nullable|LowCardinality|SimpleAggregateFunction)\((?:\w+, ?)?(.*)\)$/.exec(type);
	return match ? inner(match[1]) : type;
}

/** kindOf tells what a column of ClickHouse holds for a chart. */
export function kindOf(column: Column): Kind {
	const type = inner(column.type);
	if (/^DateTime|^Date\b|^Date32/.test(type)) return "time";
	if (/^(U?Int\d|Float|Decimal|Bool)/.test(type)) return "number";
	return "text";
}

/** regexp reads "/text/flags" as Grafana does, and plain text as a pattern. */
function regexp(text: string): RegExp | null {
	const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
	try {
		return match ? new RegExp(match[1], match[2].replace("g", "")) : new RegExp(`^${text}$`);
	} catch {
		return null;
	}
}

function matches(override: Override, field: Field, display: string): boolean {
	const { id, options } = override.matcher;
	switch (id) {
		case "byName": return options === field.name || options === display;
		case "byNames": return (options?.names ?? []).some((n: string) => n === field.name || n === display);
		case "byRegexp": {
			const pattern = regexp(String(options));
			return pattern !== null && (pattern.test(display) || pattern.test(field.name));
		}
		case "byType": return options === kindOf(field) || (options === "string" && kindOf(field) === "text");
		case "byFrameRefID": return options === field.refId;
		default: return false;
	}
}

/** displayName fills in a field's name for people. */
export function displayName(template: string | undefined, field: Field): string {
	if (!template) {
		const labels = Object.values(field.labels);
		return labels.length > 0 ? labels.join(", ") : field.name;
	}
	return template.replace(/\$\{__field\.(?:labels(?:\.([^}]+)|\[["']?([^\]"']+)["']?\])?|(name|displayName))\}/g, (_, a, b, name) => {
		if (name) return field.name;
		const label = a ?? b;
		return label === undefined ? Object.values(field.labels).join(", ") : (field.labels[label] ?? "");
	}).trim();
}

/** resolve returns a field's options and its name for people. */
export function resolve(config: FieldConfig | undefined, field: Field): { options: FieldOptions; name: string } {
	const options: FieldOptions = { ...config?.defaults, custom: { ...config?.defaults?.custom } };
	let name = displayName(options.displayName, field);
	for (const override of config?.overrides ?? []) {
		if (!matches(override, field, name)) continue;
		for (const { id, value } of override.properties) {
			if (id.startsWith("custom.")) setPath(options.custom!, id.slice(7).split("."), value);
			else (options as Record<string, unknown>)[id] = value;
			if (id === "displayName") name = displayName(value, field);
		}
	}
	return { options, name };
}

function setPath(target: Record<string, any>, path: string[], value: unknown): void {
	const [first, ...rest] = path;
	if (rest.length === 0) {
		target[first] = value;
		return;
	}
	target[first] = { ...target[first] };
	setPath(target[first], rest, value);
}

export interface Shown { text: string; color?: string }

function mapped(mappings: Mapping[] | undefined, value: unknown): Shown | null {
	for (const { type, options } of mappings ?? []) {
		if (type === "value" && options[String(value)]) return options[String(value)];
		if (type === "range" && typeof value === "number" && value >= (options.from ?? -Infinity) && value <= (options.to ?? Infinity)) return options.result;
		if (type === "regex" && regexp(options.pattern)?.test(String(value))) return options.result;
		if (type === "special") {
			const hit = { null: value === null, nan: Number.isNaN(value), "null+nan": value === null || Number.isNaN(value),
				true: value === true, false: value === false, empty: value === "" }[options.match as string];
			if (hit) return options.result;
		}
	}
	return null;
}

/** show writes a value as its field says, with the colour that a mapping gives it. */
export function show(value: unknown, kind: Kind, options: FieldOptions, zone: Zone): Shown {
	const found = mapped(options.mappings, value);
	if (found) return { text: found.text ?? String(value), color: found.color };
	if (value === null || value === undefined || value === "") return { text: options.noValue ?? "–" };
	if (typeof value === "number") {
		if (options.unit === "dateTimeFromNow") return { text: fromNow(value) };
		if (kind === "time" || options.unit?.startsWith("dateTime")) return { text: formatTime(value, zone) };
		if (options.unit === undefined && Number.isInteger(value) && Math.abs(value) < 1e6) return { text: String(value) };
		return { text: formatValue(value, options.unit, options.decimals) };
	}
	if (Array.isArray(value)) return { text: value.map((v) => (typeof v === "object" ? JSON.stringify(v) : String(v))).join(", ") };
	return { text: typeof value === "object" ? JSON.stringify(value) : String(value) };
}

function fromNow(ms: number): string {
	const seconds = Math.round((Date.now() - ms) / 1000);
	if (Math.abs(seconds) < 1) return "now";
	return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** thresholdColour is the colour of the highest step that a value reaches. */
export function thresholdColour(value: number | null, options: FieldOptions): string | undefined {
	const { steps, mode } = options.thresholds ?? { steps: [] };
	if (value === null) return undefined;
	let at = value;
	if (mode === "percentage") {
		const min = options.min ?? 0;
		at = (100 * (value - min)) / ((options.max ?? 100) - min);
	}
	let colour: string | undefined;
	for (const step of steps) if (step.value === null || at >= step.value) colour = step.color;
	return colour;
}
