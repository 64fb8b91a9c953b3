import assert from "node:assert/strict";
import { test } from "node:test";
import { parseState } from "../state.ts";
import { fillLinks, linkURL, safe } from "./links.ts";
import type { Variable } from "./model.ts";

const variables: Variable[] = [
	{ name: "exporter", type: "query", multi: true, includeAll: true, current: { value: ["$__all"] } },
	{ name: "source", type: "textbox", current: { value: "" } },
];
const scope = (search: string) => ({ variables, state: parseState(search, { from: "now-3h", to: "now", refresh: "" }) });
const value = { raw: "192.0.2.1", text: "192.0.2.1", fields: { Source: "a & b", "Source AS": 64496 } };

test("links keep time and filters", () => {
	assert.equal(
		linkURL("/d/netmeta-host?var-host=${__value.raw}&${__url_time_range}&${exporter:queryparam}&${missing:queryparam}", value, scope("?from=now-1h&var-exporter=x&var-exporter=y")),
		"/d/netmeta-host?var-host=192.0.2.1&from=now-1h&to=now&var-exporter=x&var-exporter=y");
});

test("what is excluded is added to what was there", () => {
	assert.equal(linkURL("/d/x?var-source=${source:percentencode}%2C!${__value.raw}", value, scope("?var-source=a,(b)")), "/d/x?var-source=a%2C%20%28b%29%2C!192.0.2.1");
});

test("other fields of the row are filled in, encoded", () => {
	assert.equal(linkURL('/d/x?var-a=${__data.fields["Source"]}&var-b=${__data.fields["Source AS"]}', value, scope("")), "/d/x?var-a=a%20%26%20b&var-b=64496");
});

test("filtering by a value leaves open what one looks at", () => {
	const links = [{ title: "Filter by this", url: "/d/netmeta-overview?var-source=${__value.raw}" }, { title: "Host", url: "/d/netmeta-host?var-host=${__value.raw}" }];
	assert.deepEqual(fillLinks(links, value, { ...scope("?rows=5.6&viewPanel=60"), uid: "netmeta-overview" }).map((l) => l.url),
		["/d/netmeta-overview?var-source=192.0.2.1&rows=5.6&viewPanel=60", "/d/netmeta-host?var-host=192.0.2.1"]);
});

test("all variables are handed on at once", () => {
	assert.equal(linkURL("/d/x?${__all_variables}", value, scope("?var-source=1")), "/d/x?var-exporter=%24__all&var-source=1");
});

test("links that would run a script, or hide where they lead, go nowhere", () => {
	for (const bad of ["javascript:alert(1)", " javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "//example.net/x"]) assert.equal(safe(bad.trim()), "#", bad);
	for (const good of ["/d/x", "?from=now-1h", "#row", "https://example.net/", "mailto:noc@example.net"]) assert.equal(safe(good), good);
});
