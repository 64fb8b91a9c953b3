// The data path: what each stage takes in, passes on and loses.

import "../css/narrow.css";
import "./setup.css";
import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";
import { poll, selecting } from "../poll.ts";
import type { Pipeline } from "./api.ts";
import { showSummary, stages } from "./pipeline.ts";

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Data path");
	const summary = h("p", { class: "pill", role: "status", id: "summary", "data-level": "idle" }, "Asking …");
	const problem = h("div", { class: "error", role: "alert", hidden: true });
	const list = h("ol", { class: "stages" });
	const first = h("section", { class: "card first-run", hidden: true }, firstRun());
	fill(root,
		h("header", { class: "page-head" }, h("h1", {}, "Data path"), summary),
		h("section", { id: "pipeline", "aria-label": "Stages of the data path" }, problem, list),
		first,
		h("p", { class: "hint" }, "Counted since NetMeta was started, except for the rows that are stored. ",
			h("a", { href: "/d/netmeta-pipeline" }, "The Pipeline dashboard"), " shows the same over time."));

	return poll({
		ask: (signal) => app.api.get<Pipeline>("/api/pipeline", signal),
		show(pipeline) {
			showSummary(summary, pipeline.level, pipeline.summary);
			if (!selecting(list)) fill(list, stages(pipeline));
			first.hidden = !pipeline.empty;
			return pipeline.refresh;
		},
		fail(error) {
			problem.hidden = error === undefined;
			problem.textContent = error ? `${error.message} ${error.hint ?? ""}` : "";
			if (error) showSummary(summary, "bad", "State unknown: what is shown is old");
		},
	});
}

/** What to do while no flow is stored. */
export function firstRun(): HTMLElement {
	return h("div", { class: "empty" },
		h("h2", {}, "No flows yet"),
		h("p", {}, "As soon as a router sends sFlow, NetFlow or IPFIX here, its traffic appears within seconds."),
		h("p", {}, h("a", { class: "button primary", href: "/setup" }, "Point a router here")));
}
