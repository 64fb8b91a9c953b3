// What a dashboard shows, as its address holds it: the same names as in Grafana, so
// that links work in both.

import type { Variables } from "./api.ts";
import type { Variable } from "./dashboard/model.ts";

export interface ViewState {
	from: string;
	to: string;
	utc: boolean;
	/** Like "10s"; empty for none. */
	refresh: string;
	/** Only variables that the address names. */
	variables: Variables;
	/** The panel that fills the page. */
	panel: number | null;
	/** Rows that are open where the dashboard has them closed, or the other way. */
	rows: number[];
}

export interface Defaults { from: string; to: string; refresh: string }

const prefix = "var-";

/** parseState reads the part of an address after "?". */
export function parseState(search: string, defaults: Defaults): ViewState {
	const query = new URLSearchParams(search);
	const variables: Variables = {};
	for (const [name, value] of query) {
		if (name.startsWith(prefix)) (variables[name.slice(prefix.length)] ??= []).push(value);
	}
	const panel = Number((query.get("viewPanel") ?? "").replace(/^panel-/, ""));
	const refresh = query.get("refresh");
	return {
		from: query.get("from") || defaults.from,
		to: query.get("to") || defaults.to,
		utc: query.get("timezone") === "utc",
		refresh: refresh === null ? defaults.refresh : /^\d+[smhd]$/.test(refresh) ? refresh : "",
		variables,
		panel: Number.isInteger(panel) && panel > 0 ? panel : null,
		rows: (query.get("rows") ?? "").split(".").map(Number).filter((id) => Number.isInteger(id) && id > 0),
	};
}

/** formatState writes it back. What is as the dashboard has it anyway is left out,
 * but for the time: a link shows the same when the dashboard's default changes. */
export function formatState(state: ViewState, defaults: Defaults): string {
	const query = new URLSearchParams();
	query.set("from", state.from);
	query.set("to", state.to);
	if (state.utc) query.set("timezone", "utc");
	if (state.refresh !== defaults.refresh) query.set("refresh", state.refresh);
	for (const [name, values] of Object.entries(state.variables)) for (const value of values) query.append(prefix + name, value);
	if (state.rows.length > 0) query.set("rows", [...state.rows].sort((a, b) => a - b).join("."));
	if (state.panel !== null) query.set("viewPanel", String(state.panel));
	return query.toString();
}

export const allValue = "$__all";

function list(value: string | string[] | undefined): string[] {
	return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** defaultValues are what a variable has when the address does not name it. */
export function defaultValues(variable: Variable): string[] {
	if (variable.type === "textbox") return list(variable.current?.value ?? variable.query ?? "").map(String);
	const current = list(variable.current?.value);
	if (current.length > 0) return current;
	if (variable.includeAll) return [allValue];
	const first = variable.options?.find((o) => o.selected) ?? variable.options?.[0];
	return first ? [first.value] : [];
}

/** valuesOf are the values that a variable has in a state. */
export function valuesOf(variable: Variable, state: ViewState): string[] {
	const given = state.variables[variable.name];
	if (!given || (given.length === 0)) return defaultValues(variable);
	if (variable.type === "textbox") return [variable.name === "sql" ? given[0] : tidyList(given.join(","))];
	return given;
}

/** isDefault tells whether a variable filters nothing beyond what it does by itself. */
export function isDefault(variable: Variable, state: ViewState): boolean {
	const now = valuesOf(variable, state);
	const usual = defaultValues(variable);
	return now.length === usual.length && now.every((v, i) => v === usual[i]);
}

/** tidyList removes spaces and empty entries, as links that add to an empty list leave them:
 * ",!192.0.2.1" is "!192.0.2.1". */
export function tidyList(text: string): string {
	return text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "").join(", ");
}

/** withVariable is a state in which one variable has other values. */
export function withVariable(state: ViewState, variable: Variable, values: string[]): ViewState {
	const variables = { ...state.variables };
	const usual = defaultValues(variable);
	if (values.length === usual.length && values.every((v, i) => v === usual[i])) delete variables[variable.name];
	else variables[variable.name] = values;
	return { ...state, variables };
}

/** withoutDefaults is the same state without variables that are as they are anyway,
 * and without the data source, of which the console has one. */
export function withoutDefaults(list: Variable[], state: ViewState): ViewState {
	return list.reduce((s, v) => {
		if (!(v.name in s.variables)) return s;
		return withVariable(s, v, v.type === "datasource" ? defaultValues(v) : valuesOf(v, s));
	}, state);
}

/** queryVariables are the values to send with a query. */
export function queryVariables(list: Variable[], state: ViewState): Variables {
	const variables: Variables = {};
	for (const v of list) {
		if (v.type === "datasource") continue;
		const values = valuesOf(v, state);
		if (values.length > 0) variables[v.name] = values;
	}
	return variables;
}
