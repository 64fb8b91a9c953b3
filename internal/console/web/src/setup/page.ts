// The setup page: how to send flows here, and how other programs ask for them.

import "../css/narrow.css";
import "./setup.css";
import type { App } from "../app.ts";
import { codeBlock } from "../codeblock.ts";
import { fill, h } from "../dom.ts";
import { poll } from "../poll.ts";
import type { Pipeline, Setup } from "./api.ts";
import { deviceTabs } from "./devicetabs.ts";
import { showSummary } from "./pipeline.ts";

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Send flows");
	const problem = h("div", { class: "error", role: "alert", hidden: true });
	const summary = h("p", { class: "pill", role: "status", "data-level": "idle" }, "Asking …");
	const arrived = h("p", { class: "aside", id: "arrived" });
	const devices = h("div", { class: "body" });
	const programs = h("div", { class: "body" });
	fill(root, h("div", { class: "narrow" },
		h("header", { class: "page-head" }, h("h1", {}, "Send flows"), summary),
		problem,
		h("section", { class: "card", id: "setup", "aria-labelledby": "setup-title" },
			h("header", {}, h("h2", { id: "setup-title" }, "Point a router here"), arrived), devices),
		h("section", { class: "card", id: "programs", "aria-labelledby": "programs-title" },
			h("header", {}, h("h2", { id: "programs-title" }, "Ask from other programs")), programs)));

	const endSetup = poll({
		ask: (signal) => app.api.get<Setup>("/api/setup", signal),
		show(setup) {
			fill(devices, deviceTabs(setup));
			fill(programs, otherPrograms(setup));
			return 0;
		},
		fail(error) {
			problem.hidden = error === undefined;
			problem.textContent = error?.message ?? "";
		},
	});
	// Whoever configures a router sees here that it has worked.
	const endState = poll({
		ask: (signal) => app.api.get<Pipeline>("/api/pipeline", signal),
		show(pipeline) {
			showSummary(summary, pipeline.level, pipeline.summary);
			fill(arrived, arrivedText(pipeline));
			return pipeline.refresh;
		},
		fail(error) {
			if (error) showSummary(summary, "bad", "State unknown: NetMeta does not answer");
		},
	});
	return () => {
		endSetup();
		endState();
	};
}

function arrivedText(pipeline: Pipeline) {
	const datagrams = pipeline.stages.find((stage) => stage.id === "datagrams")?.total ?? 0;
	if (datagrams === 0) return "No datagram has arrived yet; this changes by itself.";
	return [`${datagrams.toLocaleString("en")} datagrams have arrived: `, h("a", { href: "/path" }, "what became of them")];
}

function otherPrograms({ clickhouse }: Setup) {
	const curl = `curl http://${clickhouse}/ --data-binary 'SELECT count() FROM flows'`;
	return [
		h("p", {}, "In the browser, the ", h("a", { href: "/sql" }, "SQL page"), " completes tables, columns and functions. From a shell on this host:"),
		codeBlock(curl, "the curl command"),
		h("p", { class: "hint" }, "Any ClickHouse client that speaks HTTP works at ", h("code", {}, `http://${clickhouse}`),
			": DBeaver, Grafana, clickhouse-go. Access is read-only."),
	];
}
