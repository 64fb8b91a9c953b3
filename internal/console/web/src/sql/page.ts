// The SQL page: ask anything, see the answer as a table or over time.

import "./sql.css";
import { type ApiError, isAbort, type Result } from "../api.ts";
import type { App } from "../app.ts";
import { csv, json, save } from "../dashboard/exports.ts";
import { h } from "../dom.ts";
import { bytes, count } from "../present.ts";
import { chartable, resultChart } from "./chart.ts";
import { createEditor, type Editor } from "./editor.ts";
import { forget, history, remember } from "./history.ts";
import { noSchema, type Schema } from "./schema.ts";
import { resultTable } from "./table.ts";
import { schemaBrowser } from "./tables.ts";

const limits = [100, 1000, 10000];
const firstLimit = 1000;
const start = `SELECT Source, Destination, sum(Bytes) AS bytes
FROM flows
WHERE Time > now() - INTERVAL 15 MINUTE
GROUP BY Source, Destination
ORDER BY bytes DESC
LIMIT 20`;

/** Reads the query that an address asks for; empty where there is none. */
export const queryIn = (search: string): string => new URLSearchParams(search).get("sql") ?? "";

export function sqlAddress(sql: string, limit: number): string {
	const parameters = new URLSearchParams({ sql });
	if (limit !== firstLimit) parameters.set("limit", String(limit));
	return `/sql?${parameters}`;
}

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("SQL");
	const page = new SQLPage(root, app);
	const unlisten = app.onLocation(() => page.follow());
	return () => {
		unlisten();
		page.leave();
	};
}

class SQLPage {
	private readonly leaving = new AbortController();
	private readonly editor: Editor;
	private readonly run = h("button", { type: "button", class: "primary", id: "run", on: { click: () => void this.ask() } }, "Run");
	private readonly stop = h("button", { type: "button", id: "cancel", disabled: true, on: { click: () => this.cancel() } }, "Cancel");
	private readonly limit = h("select", { id: "limit", "aria-label": "Rows at most" },
		...limits.map((n) => h("option", { value: String(n), selected: n === firstLimit }, `${n.toLocaleString("en")} rows`)));
	private readonly status = h("p", { class: "sql-status", id: "sql-status", role: "status" });
	private readonly problem = h("div", { class: "error", id: "sql-error", role: "alert", hidden: true });
	private readonly output = h("section", { class: "card sql-result", id: "result", "aria-label": "Result", hidden: true });
	private readonly side = h("aside", { class: "card sql-side", "aria-label": "What there is to ask for" });
	private readonly earlier = h("ol", { class: "sql-history" });
	private readonly examples = h("ul", { class: "sql-examples" });
	private request: AbortController | undefined;
	private clock: number | undefined;
	private takeAwayChart: () => void = () => undefined;
	private view: "table" | "chart" = "table";

	/** The query that the address names and the page has taken up. */
	private taken = queryIn(location.search);

	constructor(root: HTMLElement, private readonly app: App) {
		const asked = this.taken;
		this.takeLimit();
		this.editor = createEditor({
			text: asked || history()[0]?.sql || start,
			run: () => void this.ask(),
			cancel: () => this.cancel(),
			changed: () => this.editor.markError(undefined),
		});
		root.replaceChildren(h("div", { class: "sql" },
			h("div", { class: "sql-main" },
				h("section", { class: "card", "aria-labelledby": "sql-title" },
					h("header", {}, h("h1", { id: "sql-title" }, "SQL"),
						h("p", { class: "aside" }, "Read-only. ", h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"), " runs, ", h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Space"), " completes.")),
					h("div", { class: "body" }, this.editor.element,
						h("div", { class: "sql-tools" }, this.run, this.stop, this.limit, this.status)),
					this.problem),
				this.output),
			this.side));
		this.showSide(noSchema);
		void this.learn();
		if (asked) void this.ask();
		else this.editor.focus();
	}

	/** Shows what the address asks for, after the browser's Back. */
	follow(): void {
		const asked = queryIn(location.search);
		if (asked === this.taken) return;
		this.taken = asked;
		this.takeLimit();
		this.editor.setText(asked || start);
		if (asked) void this.ask();
	}

	private takeLimit(): void {
		const limit = Number(new URLSearchParams(location.search).get("limit") ?? firstLimit);
		if (limits.includes(limit)) this.limit.value = String(limit);
	}

	leave(): void {
		this.leaving.abort();
		this.cancel();
		this.takeAwayChart();
		this.editor.destroy();
	}

	/** Fetches what there is to ask for. Without it the page works, only without completion. */
	private async learn(): Promise<void> {
		try {
			const schema = await this.app.api.schema(this.leaving.signal);
			this.editor.setSchema(schema);
			this.showSide(schema);
		} catch (error) {
			if (isAbort(error)) return;
			this.side.querySelector(".schema")?.replaceChildren(h("p", { class: "error" }, `Tables and columns cannot be listed: ${(error as ApiError).message}`),
				h("button", { type: "button", on: { click: () => void this.learn() } }, "Try again"));
		}
	}

	private showSide(schema: Schema): void {
		this.examples.replaceChildren(...schema.examples.map(({ title, sql }) =>
			h("li", {}, h("button", { type: "button", title: sql, on: { click: () => this.use(sql) } }, title))));
		this.side.replaceChildren(
			h("details", { open: true, id: "examples" }, h("summary", {}, h("h2", {}, "Examples")), this.examples),
			h("details", { open: true, id: "schema" }, h("summary", {}, h("h2", {}, "Tables and functions")),
				schema === noSchema ? h("div", { class: "schema" }, h("p", { class: "hint" }, "Loading …")) : schemaBrowser(schema, (text) => this.editor.insert(text))),
			h("details", { open: history().length > 0, id: "history" }, h("summary", {}, h("h2", {}, "History")), this.earlier));
		this.showHistory();
	}

	private showHistory(): void {
		const runs = history();
		this.earlier.replaceChildren(...runs.map((run) => h("li", {},
			h("button", { type: "button", title: run.sql, on: { click: () => this.use(run.sql) } },
				h("code", {}, run.sql.replace(/\s+/g, " ")),
				h("small", {}, `${new Date(run.at).toLocaleString("en-GB")} · ${count(run.rows)} rows · ${seconds(run.took)}`)))));
		if (runs.length > 0) {
			this.earlier.append(h("li", {}, h("button", { type: "button", class: "quiet", on: { click: () => { forget(); this.showHistory(); } } }, "Forget all of them")));
		} else {
			this.earlier.append(h("li", { class: "hint" }, "What you run is kept here, in this browser only."));
		}
	}

	/** Takes an example or an earlier query into the editor and runs it. */
	private use(sql: string): void {
		this.editor.setText(sql);
		this.editor.focus();
		void this.ask();
	}

	private async ask(): Promise<void> {
		const sql = this.editor.text().trim();
		if (sql === "") {
			this.fail("There is nothing to run: write a query, or take one of the examples.");
			return;
		}
		this.cancel();
		const request = this.request = new AbortController();
		const limit = Number(this.limit.value);
		this.taken = sql;
		this.app.navigate(sqlAddress(sql, limit));
		this.begin();
		const began = performance.now();
		try {
			const result = await this.app.api.sql(sql, limit, request.signal);
			if (request.signal.aborted) return;
			this.end();
			this.status.textContent = summary(result);
			remember({ sql, at: Date.now(), rows: result.rows.length, took: performance.now() - began });
			this.showHistory();
			this.show(result, limit);
		} catch (error) {
			if (request.signal.aborted) return;
			this.end();
			this.status.textContent = `Failed after ${seconds(performance.now() - began)}`;
			this.output.hidden = true;
			const { message, hint } = error as ApiError;
			this.fail(message, hint);
			this.editor.markError(message);
		}
	}

	/** Stops the query that runs, here and in ClickHouse. Returns whether there was one. */
	private cancel(): boolean {
		if (!this.request) return false;
		this.request.abort();
		this.end();
		this.status.textContent = "Cancelled";
		return true;
	}

	private begin(): void {
		this.problem.hidden = true;
		this.editor.markError(undefined);
		this.stop.disabled = false;
		this.output.setAttribute("aria-busy", "true");
		const began = performance.now();
		// A status region speaks with every change: while it counts, it is silent.
		this.status.setAttribute("aria-live", "off");
		const tick = (): void => { this.status.textContent = `Running … ${seconds(performance.now() - began)}`; };
		tick();
		this.clock = window.setInterval(tick, 100);
	}

	private end(): void {
		this.request = undefined;
		clearInterval(this.clock);
		this.stop.disabled = true;
		this.output.removeAttribute("aria-busy");
		this.status.removeAttribute("aria-live");
	}

	private fail(message: string, hint?: string): void {
		this.problem.replaceChildren(h("p", {}, message), hint ? h("p", { class: "hint" }, hint) : "");
		this.problem.hidden = false;
	}

	private show(result: Result, limit: number): void {
		const canChart = chartable(result);
		if (!canChart) this.view = "table";
		const body = h("div", { class: "sql-view" });
		const draw = (view: "table" | "chart"): void => {
			this.view = view;
			this.takeAwayChart();
			this.takeAwayChart = () => undefined;
			for (const button of views.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset["value"] === view));
			if (view === "chart") this.takeAwayChart = resultChart(body, this.app, result);
			else body.replaceChildren(result.rows.length > 0 ? resultTable(result) : h("p", { class: "empty" }, "No rows: the query is right, and nothing matches it."));
		};
		const views = h("div", { class: "segments", role: "group", "aria-label": "Show as" },
			...(["table", "chart"] as const).map((view) => h("button", { type: "button", "data-value": view, on: { click: () => draw(view) } }, view === "table" ? "Table" : "Chart")));
		views.hidden = !canChart;
		this.output.replaceChildren(
			h("header", {}, h("h2", {}, "Result"), views,
				h("div", { class: "sql-save" },
					h("button", { type: "button", id: "save-csv", on: { click: () => save("netmeta.csv", csv(result), "text/csv") } }, "CSV"),
					h("button", { type: "button", id: "save-json", on: { click: () => save("netmeta.json", json(result), "application/json") } }, "JSON"))),
			result.truncated ? h("p", { class: "notice", "data-level": "warn", id: "truncated" },
				`Only the first ${limit.toLocaleString("en")} rows are here: there are more. Choose a higher limit, or group and order so that the first ones are those that matter.`) : "",
			body);
		this.output.hidden = false;
		draw(this.view);
	}
}

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

const summary = (r: Result): string =>
	`${count(r.rows.length)} ${r.rows.length === 1 ? "row" : "rows"} in ${seconds(r.elapsed_ms)} · ${count(r.rows_read)} rows read (${bytes(r.bytes_read)})`;
