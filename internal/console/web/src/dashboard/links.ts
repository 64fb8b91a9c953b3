// Links of values: Grafana's placeholders, filled in.

import type { Cell } from "../api.ts";
import type { DataLink, Variable } from "./model.ts";
import { valuesOf, type ViewState } from "../state.ts";

/** Value is what was clicked on. */
export interface Value {
	raw: Cell;
	text: string;
	/** The other columns of its row, or the labels of its series, by name. */
	fields: Record<string, Cell>;
	labels?: Record<string, string>;
	/** The series' name. */
	name?: string;
	/** When it was, in unix milliseconds, for points of a time series. */
	time?: number;
}

export interface LinkScope {
	variables: Variable[];
	state: ViewState;
	/** The dashboard that is shown, if one is. */
	uid?: string;
}

/** encode leaves only unreserved characters, as Grafana's percentencode does. */
function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
}

function queryParam(variable: Variable, scope: LinkScope): string {
	return valuesOf(variable, scope.state).map((v) => `var-${variable.name}=${encodeURIComponent(v)}`).join("&");
}

function timeRange(scope: LinkScope): string {
	const zone = scope.state.utc ? "&timezone=utc" : "";
	return `from=${encodeURIComponent(scope.state.from)}&to=${encodeURIComponent(scope.state.to)}${zone}`;
}

function placeholder(inner: string, value: Value, scope: LinkScope): string | null {
	const field = /^__data\.fields(?:\[["']?(.+?)["']?\]|\.([^.:]+))/.exec(inner);
	if (field) return encodeURIComponent(String(value.fields[field[1] ?? field[2]] ?? ""));
	const label = /^__field\.labels(?:\[["']?(.+?)["']?\]|\.([^:]+))/.exec(inner);
	if (label) return encodeURIComponent(value.labels?.[label[1] ?? label[2]] ?? "");
	switch (inner.replace(/:.*$/, "")) {
		case "__value.raw":
		case "__value": return encodeURIComponent(String(value.raw ?? ""));
		case "__value.text": return encodeURIComponent(value.text);
		case "__value.numeric": return encodeURIComponent(String(Number(value.raw)));
		case "__value.time": return String(value.time ?? "");
		case "__series.name":
		case "__field.name": return encodeURIComponent(value.name ?? "");
		case "__url_time_range": return timeRange(scope);
		case "__from": return encodeURIComponent(scope.state.from);
		case "__to": return encodeURIComponent(scope.state.to);
		case "__all_variables": return scope.variables.map((v) => queryParam(v, scope)).filter(Boolean).join("&");
	}
	const [name, format] = inner.split(":");
	const variable = scope.variables.find((v) => v.name === name);
	// What a dashboard leaves out filters nothing there.
	if (!variable) return /^\w+$/.test(name) ? "" : null;
	if (format === "queryparam") return queryParam(variable, scope);
	const values = valuesOf(variable, scope.state);
	const text = values.length > 1 ? `{${values.join(",")}}` : (values[0] ?? "");
	return format === "raw" ? text : encode(text);
}

/** linkURL fills in a link for a value. Empty parts of its query are left out. */
export function linkURL(url: string, value: Value, scope: LinkScope): string {
	const filled = url.replace(/\$\{([^}]+)\}/g, (whole, inner: string) => placeholder(inner, value, scope) ?? whole);
	const [path, query] = splitOnce(filled, "?");
	if (query === undefined) return safe(path);
	return safe(`${path}?${query.split("&").filter((p) => p !== "").join("&")}`);
}

function splitOnce(text: string, at: string): [string, string | undefined] {
	const i = text.indexOf(at);
	return i < 0 ? [text, undefined] : [text.slice(0, i), text.slice(i + 1)];
}

/** safe refuses addresses that would run a script. */
export function safe(url: string): string {
	return /^(https?:\/\/|mailto:|[/?#](?!\/))/i.test(url) || !/^[\w+.-]*:/.test(url) && !url.startsWith("//") ? url : "#";
}

/** keepPlace has a link to the same dashboard leave rows open, and a panel on full
 * screen: one goes on looking at what one has clicked on. */
function keepPlace(url: string, scope: LinkScope): string {
	if (!scope.uid || !url.startsWith(`/d/${scope.uid}?`)) return url;
	const { rows, panel } = scope.state;
	return url + (rows.length > 0 ? `&rows=${rows.join(".")}` : "") + (panel === null ? "" : `&viewPanel=${panel}`);
}

export interface FilledLink { title: string; url: string; blank: boolean }

export function fillLinks(links: DataLink[] | undefined, value: Value, scope: LinkScope): FilledLink[] {
	return (links ?? []).map((l) => ({ title: l.title, url: keepPlace(linkURL(l.url, value, scope), scope), blank: l.targetBlank === true }));
}
