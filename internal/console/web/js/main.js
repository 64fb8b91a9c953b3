// Puts the page together: which section polls what, and what its switches change.

import { trafficChart } from "./chart.js";
import { segments } from "./dom.js";
import { showExporters } from "./exporters.js";
import { showPipeline, showSummary } from "./pipeline.js";
import { poll } from "./poll.js";
import { showQueries, showRowCount } from "./query.js";
import { showSetup } from "./setup.js";
import { dimensions, showTop } from "./top.js";

const section = (id) => document.getElementById(id);
const windows = [
	{ value: "15m", label: "15 min" },
	{ value: "1h", label: "1 h" },
	{ value: "6h", label: "6 h" },
	{ value: "24h", label: "24 h" },
];
const units = [{ value: "bits", label: "bits/s" }, { value: "packets", label: "packets/s" }];

// What is chosen lives in the address, so that it survives a reload and can be
// passed on.
const address = new URLSearchParams(location.search);
const choice = {
	window: chosen("window", windows),
	unit: chosen("unit", units),
	by: chosen("by", dimensions),
};

function chosen(name, choices) {
	const wanted = address.get(name);
	return choices.some((c) => c.value === wanted) ? wanted : choices[0].value;
}

function change(name, value) {
	choice[name] = value;
	address.set(name, value);
	history.replaceState(null, "", `?${address}${location.hash}`);
}

/** poll, and note on the section which window it shows. */
function pollWindow(where, path, show) {
	return poll(where, path, (answer) => {
		show(answer);
		where.dataset.window = answer.window;
	});
}

const throughput = section("throughput");
const chart = trafficChart(throughput.querySelector(".chart"), throughput.querySelector(".legend"));
let traffic;

poll(section("pipeline"), () => "/api/pipeline", (pipeline) => {
	showPipeline(section("pipeline"), section("summary"), pipeline);
	showRowCount(section("query"), pipeline);
	throughput.querySelector(".empty").hidden = !pipeline.empty;
	throughput.querySelector(".chart").hidden = pipeline.empty;
	throughput.querySelector(".legend").hidden = pipeline.empty;
}, () => showSummary(section("summary"), "bad", "State unknown: what is shown is old"));
const askThroughput = pollWindow(throughput, () => `/api/throughput?window=${choice.window}`, (answer) => {
	traffic = answer;
	chart.show(traffic, choice.unit);
});
const askExporters = pollWindow(section("exporters"), () => `/api/exporters?window=${choice.window}`, (answer) =>
	showExporters(section("exporters"), answer));
const askTop = pollWindow(section("top"), () => `/api/top?window=${choice.window}&by=${choice.by}`, (answer) =>
	showTop(section("top"), answer, choice.by));
poll(section("setup"), () => "/api/setup", (setup) => {
	showSetup(section("setup"), setup);
	showQueries(section("query"), setup);
});

segments(section("windows"), windows, choice.window, (value) => {
	change("window", value);
	askThroughput();
	askExporters();
	askTop();
});
segments(section("units"), units, choice.unit, (value) => {
	change("unit", value);
	if (traffic) chart.show(traffic, value);
});
segments(section("dimensions"), dimensions, choice.by, (value) => {
	change("by", value);
	askTop();
});
