// The small window with the values below the pointer. A page has one.

import { fill, h, type Child } from "../dom.ts";

let tip: HTMLElement | null = null;

export interface TipRow { name: string; colour?: string; value: string; strong?: boolean }

const mostRows = 14;

/** showTip puts the window next to a point of the browser's window. */
export function showTip(x: number, y: number, title: string, rows: TipRow[]): void {
	if (!tip) {
		tip = h("div", { class: "tip", "aria-hidden": "true" });
	}
	if (!tip.isConnected) document.body.append(tip);
	const shown = rows.length > mostRows ? rows.slice(0, mostRows - 1) : rows;
	const content: Child[] = [
		h("p", {}, title),
		shown.map((r) => h("div", { class: r.strong ? "strong" : undefined },
			h("span", { class: "swatch", style: { background: r.colour ?? "transparent" } }), h("span", { class: "name" }, r.name), h("b", {}, r.value))),
		shown.length < rows.length ? h("p", {}, `and ${rows.length - shown.length} more`) : null,
	];
	fill(tip, ...content);
	const { width, height } = tip.getBoundingClientRect();
	const left = x + 16 + width > innerWidth - 8 ? x - 16 - width : x + 16;
	tip.style.left = `${Math.max(8, left)}px`;
	tip.style.top = `${Math.max(8, Math.min(y + 14, innerHeight - height - 8))}px`;
}

export function hideTip(): void {
	tip?.remove();
}
