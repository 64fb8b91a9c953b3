// Who the traffic is from, to, or for.

import { el } from "./dom.js";
import { bits, packets, percent } from "./present.js";

export const dimensions = [
	{ value: "source", label: "Sources" },
	{ value: "destination", label: "Destinations" },
	{ value: "source-as", label: "Source AS" },
	{ value: "destination-as", label: "Destination AS" },
	{ value: "service", label: "Services" },
];

export function showTop(section, answer, by) {
	const body = section.querySelector(".scroll");
	if (answer.rows.length === 0) {
		body.replaceChildren(el("p", { class: "empty" }, "No traffic in this time."));
		return;
	}
	const biggest = answer.rows[0].bits;
	body.replaceChildren(el("table", { "data-by": by },
		el("thead", {}, el("tr", {},
			el("th", { scope: "col" }, dimensions.find((d) => d.value === by).label),
			el("th", { scope: "col", class: "number" }, "Mean traffic"),
			el("th", { scope: "col", class: "number" }, "Share"),
			el("th", { scope: "col" }, el("span", { class: "unseen" }, "Compared with the first")))),
		el("tbody", {}, ...answer.rows.map((row) => el("tr", { title: packets(row.packets) },
			el("td", { class: "address" }, row.label),
			el("td", { class: "number" }, bits(row.bits)),
			el("td", { class: "number" }, percent(row.bits / (answer.bits || 1))),
			el("td", { class: "share" }, bar(row.bits / (biggest || 1))))))));
}

function bar(share) {
	const fill = el("i");
	fill.style.width = `${Math.max(0.5, share * 100)}%`;
	return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}
