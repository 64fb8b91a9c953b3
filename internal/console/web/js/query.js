// How to query with SQL.

import { codeBlock, el } from "./dom.js";
import { count } from "./present.js";

export function showQueries(section, { clickhouse, examples }) {
	const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
	const curl = `curl http://${clickhouse}/ --data-binary ${shellQuoted("SELECT count() FROM flows_raw")}`;
	section.querySelector(".body").replaceChildren(
		el("h3", {}, "From a shell on this host"),
		codeBlock(curl, "the curl command"),
		...examples.flatMap(({ title, sql }) => [el("h3", {}, title), codeBlock(sql, title)]),
		el("p", { class: "hint" }, "Any ClickHouse client that speaks HTTP works at ", el("code", {}, `http://${clickhouse}`),
			": DBeaver, Grafana, clickhouse-go. Access is read-only."));
}

export function showRowCount(section, pipeline) {
	const rows = pipeline.stages.find((s) => s.id === "rows")?.total;
	section.querySelector(".aside").textContent = rows === null || rows === undefined ? "" : `${count(rows)} flows to ask`;
}
