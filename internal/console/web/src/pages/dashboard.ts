// A dashboard: its panels on their grid, the time, the filters.

import "../css/dashboard.css";
import "../css/panels.css";
import { ApiError, isAbort } from "../api.ts";
import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";
import { DashboardView } from "../dashboard/view.ts";
import { dashboardUID } from "../router.ts";

export function mount(root: HTMLElement, app: App): () => void {
	const uid = dashboardUID(location.pathname)!;
	const abort = new AbortController();
	let view: DashboardView | null = null;
	let retry: number | undefined;
	fill(root, h("p", { class: "hint loading-note" }, "Loading …"));

	const load = async () => {
		try {
			const dashboard = await app.api.dashboard(uid, abort.signal);
			if (abort.signal.aborted) return;
			view = new DashboardView(root, app, dashboard);
		} catch (error) {
			if (isAbort(error) || abort.signal.aborted) return;
			if (!(error instanceof ApiError)) console.error(error);
			const away = error instanceof ApiError && error.kind === "unavailable";
			const missing = error instanceof ApiError && error.status === 404;
			fill(root, h("div", { class: "empty" },
				h("h1", {}, missing ? "There is no such dashboard" : "The dashboard could not be loaded"),
				h("p", {}, missing ? `None has the name ${uid}. The menu above has all dashboards.` : String((error as Error).message)),
				away ? h("p", {}, "Asking again by itself.") : null,
				h("button", { type: "button", on: { click: () => void load() } }, "Try again")));
			clearTimeout(retry);
			if (away) retry = window.setTimeout(() => void load(), 4000);
		}
	};
	void load();
	// Nearly every dashboard has charts: their library comes while the rest is asked for.
	void import("../panels/timeseries.ts");
	return () => {
		abort.abort();
		clearTimeout(retry);
		view?.destroy();
	};
}
