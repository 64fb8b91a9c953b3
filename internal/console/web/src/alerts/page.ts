// The alerts page: what is wrong, since when, and what to do about it.

import "../css/narrow.css";
import "./alerts.css";
import type { AlertRule } from "../api.ts";
import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";
import { poll, selecting } from "../poll.ts";
import { mark } from "../setup/pipeline.ts";
import { byUrgency, levelOf, names, ruleCard } from "./rules.ts";

/** Seconds between two looks; rules are evaluated no more often. */
const refresh = 10;

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Alerts");
	const summary = h("p", { class: "pill", role: "status", id: "alerts-summary", "data-level": "idle" }, "Asking …");
	const problem = h("div", { class: "error", role: "alert", hidden: true });
	const urgent = h("div", { class: "rules", id: "alerts-urgent" });
	const well = h("div", { class: "rules", id: "alerts-well" });
	// What a person has opened or closed stays so when the state is asked anew.
	const opened = new Map<string, boolean>();
	root.addEventListener("toggle", (event) => {
		const rule = (event.target as HTMLElement).closest<HTMLDetailsElement>("details.rule");
		if (rule?.dataset["uid"]) opened.set(rule.dataset["uid"], rule.open);
	}, { capture: true });
	fill(root, h("div", { class: "narrow" }, h("header", { class: "page-head" }, h("h1", {}, "Alerts"), summary), problem, urgent, well));
	let shown = "";

	function show(rules: AlertRule[]): void {
		// Drawn anew only when something has changed: the focus stays where it is.
		const now = JSON.stringify(rules);
		if (now === shown || selecting(root)) return;
		shown = now;
		const sorted = byUrgency(rules);
		const notOK = sorted.filter((rule) => rule.state !== "ok");
		const ok = sorted.filter((rule) => rule.state === "ok");
		const card = (rule: AlertRule, open: boolean): Element => ruleCard(rule, opened.get(rule.uid) ?? open);
		fill(urgent, notOK.map((rule) => card(rule, rule.state === "firing" || rule.state === "error")));
		fill(well, ok.length > 0 ? h("h2", {}, notOK.length > 0 ? "All the others are OK" : "Rules") : null, ok.map((rule) => card(rule, false)));
		const worst = sorted[0];
		summary.dataset["level"] = worst ? levelOf(worst) : "idle";
		fill(summary, mark(worst ? levelOf(worst) : "idle"), h("span", {}, sentence(rules)));
	}

	return poll({
		ask: (signal) => app.api.alerts(signal),
		show: ({ rules }) => {
			show(rules);
			return refresh;
		},
		fail(error) {
			problem.hidden = error === undefined;
			problem.textContent = error ? `${error.message} ${error.hint ?? ""}` : "";
			if (!error) return;
			shown = "";
			summary.dataset["level"] = "bad";
			fill(summary, mark("bad"), h("span", {}, "State unknown: what is shown is old"));
		},
	});
}

function sentence(rules: AlertRule[]): string {
	if (rules.length === 0) return "There are no rules";
	const counts = (["firing", "error", "pending"] as const)
		.map((state) => [rules.filter((rule) => rule.state === state).length, names[state].toLowerCase()] as const)
		.filter(([n]) => n > 0)
		.map(([n, name]) => `${n} ${name}`);
	return counts.length > 0 ? counts.join(", ") : `Nothing is wrong: ${rules.length} rules, none fires`;
}
