// The alert rules as a person reads them: what is wrong first.

import { h } from "../dom.ts";
import { duration, short } from "../present.ts";
import type { Level } from "../setup/api.ts";
import { mark } from "../setup/pipeline.ts";
import type { AlertInstance, AlertRule, AlertState } from "../api.ts";

export const names: Record<AlertState, string> = { firing: "Firing", error: "Cannot be evaluated", pending: "Pending", nodata: "No data", ok: "OK" };
const order: AlertState[] = ["firing", "error", "pending", "nodata", "ok"];
const severities = ["critical", "warning", "info"];

/** Instances beyond these are counted, not listed. */
const mostInstances = 25;

/** Firing ones first, the severest of them first, then by name. */
export function byUrgency(rules: AlertRule[]): AlertRule[] {
	const rank = (rule: AlertRule): number => order.indexOf(rule.state) * 10 + (severities.indexOf(rule.severity) + 10) % 10;
	return rules.toSorted((a, b) => rank(a) - rank(b) || a.title.localeCompare(b.title));
}

export function levelOf({ state, severity }: { state: AlertState; severity: string }): Level {
	if (state === "firing") return severity === "critical" ? "bad" : "warn";
	return ({ error: "warn", pending: "warn", nodata: "idle", ok: "ok" } as const)[state];
}

/** A rule that wants attention, or one that is well; open says whether it shows all it knows. */
export function ruleCard(rule: AlertRule, open: boolean): Element {
	const level = levelOf(rule);
	return h("details", { class: "rule", "data-level": level, "data-state": rule.state, "data-uid": rule.uid, open },
		h("summary", {},
			h("span", { class: "state" }, mark(level), names[rule.state]),
			h("h2", {}, rule.title),
			h("span", { class: "tag" }, rule.severity),
			h("span", { class: "since" }, rule.state === "ok" ? "" : age(rule.since))),
		h("div", { class: "rule-body" },
			rule.summary ? h("p", {}, rule.summary) : null,
			rule.action ? h("p", { class: "advice" }, h("b", {}, "What to do: "), rule.action) : null,
			rule.instances.length > 0 ? instanceTable(rule.instances) : null,
			rule.dashboard ? h("p", {}, h("a", { class: "button", href: address(rule.dashboard) }, "Open the dashboard")) : null));
}

function instanceTable(instances: AlertInstance[]): Element {
	const urgent = instances.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
	return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What the rule applies to" },
		h("table", {},
			h("thead", {}, h("tr", {},
				h("th", { scope: "col" }, "Applies to"), h("th", { scope: "col" }, "State"),
				h("th", { scope: "col", class: "number" }, "Value"), h("th", { scope: "col" }, "Since"), h("th", { scope: "col" }, h("span", { class: "unseen" }, "Look at it")))),
			h("tbody", {}, ...urgent.slice(0, mostInstances).map(instanceRow))),
		urgent.length > mostInstances ? h("p", { class: "hint" }, `and ${urgent.length - mostInstances} more`) : null);
}

function instanceRow(instance: AlertInstance): Element {
	const labels = Object.entries(instance.labels);
	const what = labels.map(([, value]) => value).join(", ") || "all";
	return h("tr", {},
		h("td", { title: labels.map(([name, value]) => `${name} = ${value}`).join("\n") }, ...labels.length > 0
			? labels.map(([name, value]) => h("span", { class: "label" }, h("small", {}, `${name} `), value)) : ["all"]),
		h("td", {}, names[instance.state]),
		h("td", { class: "number" }, valueText(instance.value)),
		h("td", {}, age(instance.since)),
		h("td", {}, instance.link ? h("a", { href: address(instance.link), "aria-label": `Look at ${what}` }, "Look") : null));
}

const valueText = (value: number | string | null): string =>
	value === null ? "–" : typeof value === "string" ? value : Number.isInteger(value) && Math.abs(value) < 1e5 ? String(value) : short(value);

/** Dashboards are named by uid or address. */
const address = (dashboard: string): string => (dashboard.startsWith("/") ? dashboard : `/d/${dashboard}`);

/** "for 5 min" */
export function age(since: string | number | null, now = Date.now()): string {
	if (since === null || since === "" || since === 0) return "";
	const at = typeof since === "number" ? since : Date.parse(since);
	return Number.isNaN(at) || at <= 0 ? "" : `for ${duration((now - at) / 1000)}`;
}
