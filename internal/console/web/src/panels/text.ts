// Text in Markdown: headings, paragraphs, lists, tables, emphasis, code and links.
// Everything becomes elements; HTML inside stays text.

import { fill, h, type Child } from "../dom.ts";
import { linkURL, safe } from "../dashboard/links.ts";
import type { MakeVisual } from "./visual.ts";

export const make: MakeVisual = (root, context) => {
	const box = h("div", { class: "markdown", tabindex: "0", role: "group", "aria-label": context.panel.title ?? "Text" });
	root.append(box);
	const redraw = () => {
		const fillIn = (url: string) => linkURL(url, { raw: "", text: "", fields: {} }, context.scope());
		fill(box, markdown(String(context.panel.options?.content ?? ""), fillIn));
	};
	return { draw: redraw, redraw, destroy() {} };
};

/** markdown makes elements of a text; link fills in the addresses of links. */
export function markdown(text: string, link: (url: string) => string = safe): Child[] {
	const lines = text.replace(/\r\n?/g, "\n").split("\n");
	const out: Child[] = [];
	let i = 0;
	while (i < lines.length) {
		const line = lines[i];
		const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
		if (line.trim() === "") {
			i++;
		} else if (line.startsWith("```")) {
			const end = lines.findIndex((l, at) => at > i && l.startsWith("```"));
			out.push(h("pre", { class: "code" }, lines.slice(i + 1, end < 0 ? undefined : end).join("\n")));
			i = end < 0 ? lines.length : end + 1;
		} else if (heading) {
			// The page and the panel have the first two levels.
			const level = Math.min(6, heading[1].length + 2) as 3 | 4 | 5 | 6;
			out.push(h(`h${level}`, {}, inline(heading[2], link)));
			i++;
		} else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
			const ordered = /^\s*\d/.test(line);
			const items: string[] = [];
			for (; i < lines.length && lines[i].trim() !== ""; i++) {
				const item = /^\s*(?:[-*+]|\d+[.)])\s+(.*)$/.exec(lines[i]);
				if (item) items.push(item[1]);
				else items[items.length - 1] += " " + lines[i].trim();
			}
			out.push(h(ordered ? "ol" : "ul", {}, items.map((t) => h("li", {}, inline(t, link)))));
		} else if (line.includes("|") && /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[i + 1] ?? "")) {
			const rows: string[][] = [];
			for (; i < lines.length && lines[i].includes("|"); i++) rows.push(lines[i].trim().replace(/^\||\|$/g, "").split("|").map((c) => c.trim()));
			out.push(h("table", {}, h("thead", {}, h("tr", {}, rows[0].map((c) => h("th", { scope: "col" }, inline(c, link))))),
				h("tbody", {}, rows.slice(2).map((r) => h("tr", {}, r.map((c) => h("td", {}, inline(c, link))))))));
		} else {
			const start = i;
			while (i < lines.length && lines[i].trim() !== "" && !/^(#{1,6}\s|```|\s*[-*+]\s)/.test(lines[i])) i++;
			if (i === start) i++;
			out.push(h("p", {}, inline(lines.slice(start, i).join(" "), link)));
		}
	}
	return out;
}

function inline(text: string, link: (url: string) => string): Child[] {
	const out: Child[] = [];
	const pattern = /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|\[([^\]]+)\]\(([^)\s]+)\)/g;
	let last = 0;
	for (const m of text.matchAll(pattern)) {
		out.push(text.slice(last, m.index));
		last = m.index + m[0].length;
		if (m[1] !== undefined) out.push(h("code", {}, m[1]));
		else if (m[2] !== undefined) out.push(h("strong", {}, inline(m[2], link)));
		else if (m[3] !== undefined || m[4] !== undefined) out.push(h("em", {}, inline(m[3] ?? m[4], link)));
		else out.push(h("a", { href: link(m[6]), rel: "noopener" }, inline(m[5], link)));
	}
	out.push(text.slice(last));
	return out;
}
