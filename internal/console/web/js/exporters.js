// Who sends flows.

import { el } from "./dom.js";
import { bits, count, duration } from "./present.js";

/** NetFlow exporters report a flow when it ends: a few minutes of silence are normal. */
const lateAfter = 180;

const sources = {
	packet: "packet",
	options: "options data",
	configured: "configured here",
	unspecified: "source not said",
};

export function showExporters(section, { exporters, total }) {
	section.querySelector(".aside").textContent = total > exporters.length
		? `${exporters.length} of ${count(total)}, most traffic first` : total === 1 ? "1 exporter" : `${count(total)} exporters`;
	const body = section.querySelector(".scroll");
	if (exporters.length === 0) {
		body.replaceChildren(el("p", { class: "empty" }, "No exporter has sent flows in this time."));
		return;
	}
	const now = Date.now() / 1000;
	const unknown = exporters.some((e) => e.rate_sources.includes("unknown"));
	body.replaceChildren(el("table", {},
		el("thead", {}, el("tr", {},
			el("th", { scope: "col" }, "Address"),
			el("th", { scope: "col" }, "Protocol"),
			el("th", { scope: "col", class: "number" }, "Mean traffic"),
			el("th", { scope: "col" }, "Trend"),
			el("th", { scope: "col", class: "number" }, "Flows"),
			el("th", { scope: "col" }, "Sampling"),
			el("th", { scope: "col", class: "number" }, "Last seen"))),
		el("tbody", {}, ...exporters.map((e) => row(e, now - e.last_seen)))),
		unknown ? el("p", { class: "hint" }, "Where the sampling rate is unknown, 1 is assumed, and traffic looks too small if the exporter samples: "
			+ "let it send its rate (options data, sampler table), or start NetMeta with --default-sampling-rate.") : "");
}

function row(e, age) {
	return el("tr", {},
		el("td", { class: "address" }, e.address),
		el("td", {}, e.protocol),
		el("td", { class: "number" }, bits(e.bits)),
		el("td", {}, sparkline(e.series)),
		el("td", { class: "number" }, count(e.flows)),
		el("td", {}, ...sampling(e)),
		el("td", { class: age > lateAfter ? "number late" : "number" }, `${duration(age)} ago`));
}

function sampling(e) {
	const known = e.rate_sources.filter((s) => s !== "unknown");
	const rate = e.rate_from === e.rate_to ? `1:${count(e.rate_from)}` : `1:${count(e.rate_from)} – 1:${count(e.rate_to)}`;
	const parts = [el("span", { title: known.map((s) => sources[s] ?? s).join(", ") }, rate)];
	if (e.rate_sources.includes("unknown")) {
		parts.push(" ", el("span", { class: "tag", "data-level": "warn" }, known.length > 0 ? "partly unknown" : "unknown"));
	} else {
		parts.push(" ", el("span", { class: "tag" }, known.map((s) => sources[s] ?? s).join(", ")));
	}
	return parts;
}

const width = 120, height = 24;

function sparkline(series) {
	const peak = Math.max(...series, 1e-9);
	const points = series.map((value, i) =>
		`${(i / Math.max(1, series.length - 1) * width).toFixed(1)},${(height - 1 - value / peak * (height - 3)).toFixed(1)}`);
	return el("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `trend, peak ${bits(peak)}` },
		el("path", { d: `M0,${height} L${points.join(" L")} L${width},${height} Z` }),
		el("polyline", { points: points.join(" ") }));
}
