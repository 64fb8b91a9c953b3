import assert from "node:assert/strict";
import { test } from "node:test";
import type { Variable } from "./dashboard/model.ts";
import { formatState, isDefault, parseState, queryVariables, tidyList, valuesOf, withoutDefaults, withVariable } from "./state.ts";

const defaults = { from: "now-3h", to: "now", refresh: "1m" };
const host: Variable = { name: "host", type: "textbox", current: { text: "", value: "" } };
const exporter: Variable = { name: "exporter", type: "query", multi: true, includeAll: true, current: { text: ["All"], value: ["$__all"] } };
const direction: Variable = { name: "direction", type: "custom", includeAll: true, current: { text: "All", value: "$__all" } };

test("an address that is read and written stays the same", () => {
	const query = "from=now-1h&to=now&timezone=utc&refresh=10s&var-exporter=192.0.2.1&var-exporter=2001%3Adb8%3A%3A4&var-host=192.0.2.7%2C%21198.51.100.0%2F24&rows=5.12&viewPanel=3";
	assert.equal(formatState(parseState("?" + query, defaults), defaults), query);
});

test("an address without anything shows what the dashboard has", () => {
	const state = parseState("", defaults);
	assert.deepEqual([state.from, state.to, state.refresh, state.utc, state.panel], ["now-3h", "now", "1m", false, null]);
	assert.deepEqual(valuesOf(exporter, state), ["$__all"]);
	assert.deepEqual(valuesOf(host, state), [""]);
	assert.ok(isDefault(exporter, state) && isDefault(host, state));
});

test("nonsense in an address is left out", () => {
	const state = parseState("?refresh=now&viewPanel=x&from=&rows=a..-1", defaults);
	assert.deepEqual([state.refresh, state.panel, state.from, state.rows], ["", null, "now-3h", []]);
});

test("Grafana's way to name a panel is understood", () => assert.equal(parseState("?viewPanel=panel-7", defaults).panel, 7));

test("a value as it is by default is not in the address", () => {
	const state = withVariable(parseState("?var-host=192.0.2.1", defaults), host, [""]);
	assert.deepEqual(state.variables, {});
	assert.deepEqual(withVariable(state, direction, ["in"]).variables, { direction: ["in"] });
});

test("lists that links have added to are tidied", () => {
	assert.equal(tidyList(",!192.0.2.1"), "!192.0.2.1");
	assert.equal(tidyList(" , 192.0.2.1, 192.0.2.2 ,"), "192.0.2.1, 192.0.2.2");
	assert.deepEqual(valuesOf(host, parseState("?var-host=%2C!192.0.2.1", defaults)), ["!192.0.2.1"]);
});

test("what links name although it is as always is left out", () => {
	const source: Variable = { name: "datasource", type: "datasource", current: { value: "clickhouse" } };
	const state = parseState("?var-datasource=other&var-exporter=$__all&var-host=&var-direction=in&var-unknown=1", defaults);
	assert.deepEqual(withoutDefaults([source, exporter, host, direction], state).variables, { direction: ["in"], unknown: ["1"] });
});

test("queries get all variables but the data source", () => {
	const source: Variable = { name: "datasource", type: "datasource", current: { value: "clickhouse" } };
	assert.deepEqual(queryVariables([source, exporter, host, direction], parseState("?var-host=192.0.2.1&var-direction=in", defaults)),
		{ exporter: ["$__all"], host: ["192.0.2.1"], direction: ["in"] });
});
