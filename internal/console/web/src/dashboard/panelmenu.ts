// What one can do with a panel: full screen, its query, its data, downloads.

import type { Result } from "../api.ts";
import { h, type Child } from "../dom.ts";
import { dialog, menu, type MenuItem } from "../overlay.ts";
import { formatValue, group } from "../units.ts";
import type { PanelContext } from "../panels/visual.ts";
import { csv, fileName, json, save, saveURL } from "./exports.ts";
import { kindOf } from "./fields.ts";
import { formatTime } from "../time.ts";
import type { PanelView } from "./panelview.ts";

export function openPanelMenu(view: PanelView, at: Element, context: PanelContext): void {
	const { panel, frames, host } = view;
	const title = panel.title ?? "panel";
	const name = (f: number, extension: string) => fileName(frames.length > 1 ? `${title} ${frames[f].refId}` : title, extension);
	const items: MenuItem[] = [{ label: host.isFull(panel) ? "Back to the dashboard" : "View full screen", run: () => host.toggleFull(panel) }];
	if (frames.length > 0) {
		items.push(
			{ label: "Show query", run: () => showQuery(view, context) },
			{ label: "Show data", run: () => showData(view, context) },
			{ label: "Open in SQL page", href: sqlAddress(frames[0].result.sql) },
			{ label: "Download CSV", run: () => frames.forEach((f, i) => save(name(i, "csv"), csv(f.result), "text/csv")) },
			{ label: "Download JSON", run: () => frames.forEach((f, i) => save(name(i, "json"), json(f.result), "application/json")) },
		);
		if (view.visual?.png) items.push({ label: "Download PNG", run: () => saveURL(fileName(title, "png"), view.visual!.png!()) });
	}
	items.push({ label: "Reload", run: () => view.again() });
	menu(at, items, title);
}

/** sqlAddress is where the SQL page shows a statement. */
export function sqlAddress(sql: string): string {
	return `/sql?sql=${encodeURIComponent(sql)}`;
}

function facts(result: Result): string {
	const parts = [
		`${group(result.rows.length)} ${result.rows.length === 1 ? "row" : "rows"} in ${formatValue(result.elapsed_ms, "ms")}`,
		`read ${group(result.rows_read)} rows, ${formatValue(result.bytes_read, "decbytes")}`,
	];
	if (result.interval) parts.push(`buckets of ${formatValue(result.interval, "s")}`);
	if (result.truncated) parts.push("cut off at the limit of rows");
	return parts.join(" · ");
}

function showQuery(view: PanelView, context: PanelContext): void {
	dialog(`Query of ${view.panel.title ?? "the panel"}`, view.frames.map(({ refId, result }): Child => h("section", { class: "query" },
		h("p", { class: "hint" }, view.frames.length > 1 ? `${refId}: ` : "", facts(result)),
		h("pre", { class: "code", tabindex: "0" }, result.sql),
		h("p", { class: "buttons" },
			h("a", { class: "button primary", href: sqlAddress(result.sql), on: { click: closeDialogs } }, "Open in SQL page"),
			h("button", { type: "button", on: { click: () => void copy(result.sql, context) } }, "Copy")))));
}

function closeDialogs(): void {
	document.querySelectorAll("dialog").forEach((d) => d.close());
}

async function copy(text: string, context: PanelContext): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
		context.app.announce("Copied.");
	} catch {
		context.app.announce("The browser does not allow copying here: select the text instead.", "warn");
	}
}

const mostRows = 1000;

function showData(view: PanelView, context: PanelContext): void {
	dialog(`Data of ${view.panel.title ?? "the panel"}`, view.frames.map(({ refId, result }): Child => {
		const kinds = result.columns.map(kindOf);
		const cell = (value: unknown, i: number) => kinds[i] === "time" && typeof value === "number" ? formatTime(value, context.zone())
			: value === null ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
		return h("section", { class: "query" },
			h("p", { class: "hint" }, view.frames.length > 1 ? `${refId}: ` : "", facts(result), result.rows.length > mostRows ? ` · the first ${mostRows} rows; a download has all` : ""),
			h("table", {},
				h("thead", {}, h("tr", {}, result.columns.map((c, i) => h("th", { scope: "col", class: kinds[i] === "number" ? "number" : undefined }, c.name)))),
				h("tbody", {}, result.rows.slice(0, mostRows).map((row) => h("tr", {}, row.map((v, i) => h("td", { class: kinds[i] === "number" ? "number" : undefined }, cell(v, i))))))));
	}));
}
