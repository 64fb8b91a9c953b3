// Lists of alerts and of dashboards.

import type { AlertRule, AlertState } from "../api.ts";
import { fill, h, type Child } from "../dom.ts";
import { safe } from "../dashboard/links.ts";
import { homeUID } from "../router.ts";
import type { MakeVisual } from "./visual.ts";

const stateLevels: Record<AlertState, { level: string; label: string; rank: number }> = {
	firing: { level: "bad", label: "Firing", rank: 0 },
	error: { level: "bad", label: "Error", rank: 1 },
	pending: { level: "warn", label: "Pending", rank: 2 },
	nodata: { level: "idle", label: "No data", rank: 3 },
	ok: { level: "ok", label: "Normal", rank: 4 },
};

export const alerts: MakeVisual = (root, context) => {
	const box = h("div", { class: "list", tabindex: "0", role: "group", "aria-label": context.panel.title ?? "Alerts" });
	root.append(box);
	let abort = new AbortController();
	const options = context.panel.options ?? {};
	const wanted = (r: AlertRule) => {
		const f = options.stateFilter ?? {};
		return { firing: f.firing ?? true, pending: f.pending ?? true, error: f.error ?? true, nodata: f.noData ?? false, ok: f.normal ?? false }[r.state];
	};
	const draw = () => {
		abort.abort();
		abort = new AbortController();
		context.app.api.alerts(abort.signal).then(({ rules }) => {
			const shown = rules.filter(wanted).sort((a, b) => stateLevels[a.state].rank - stateLevels[b.state].rank).slice(0, options.maxItems ?? 20);
			fill(box, shown.length > 0 ? h("ul", {}, shown.map(row)) : h("p", { class: "quiet-note" },
				h("span", { class: "pill", data: { level: rules.length > 0 ? "ok" : "idle" } }, rules.length > 0 ? "All quiet" : "No rules"),
				rules.length > 0 ? ` ${rules.length} rules are watched, none is firing.` : " No alert rules are set up here."));
		}).catch((error) => {
			if (!abort.signal.aborted) fill(box, h("p", { class: "error" }, String(error.message ?? error)));
		});
	};
	return { draw, redraw() {}, destroy: () => abort.abort() };
};

function row(rule: AlertRule): Child {
	const { level, label } = stateLevels[rule.state];
	const link = rule.instances.find((i) => i.state === rule.state && i.link)?.link;
	return h("li", { data: { level } },
		h("span", { class: "pill" }, label),
		h("span", { class: "list-main" }, h("a", { href: link ? safe(link) : "/alerts" }, rule.title), h("small", {}, rule.summary)));
}

export const dashboards: MakeVisual = (root, context) => {
	const box = h("div", { class: "list", tabindex: "0", role: "group", "aria-label": context.panel.title ?? "Dashboards" });
	root.append(box);
	const abort = new AbortController();
	const draw = () => {
		context.app.api.dashboards(abort.signal).then((all) => {
			const query = context.app.timeQuery();
			const tags: string[] = context.panel.options?.tags ?? [];
			const shown = all.filter((d) => d.uid !== homeUID && tags.every((t) => d.tags?.includes(t)));
			fill(box, h("ul", {}, shown.map((d) => h("li", {}, h("span", { class: "list-main" },
				h("a", { href: `/d/${encodeURIComponent(d.uid)}${query ? `?${query}` : ""}` }, d.title), h("small", {}, d.description))))));
		}).catch((error) => {
			if (!abort.signal.aborted) fill(box, h("p", { class: "error" }, String(error.message ?? error)));
		});
	};
	return { draw, redraw() {}, destroy: () => abort.abort() };
};
