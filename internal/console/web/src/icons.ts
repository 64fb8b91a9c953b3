// The page's few icons, drawn on a 16 by 16 grid with the text's colour.

import { svg } from "./dom.ts";

const paths = {
	back: "M10 3 5 8l5 5",
	forward: "M6 3l5 5-5 5",
	down: "M4 6l4 4 4-4",
	zoomOut: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM5 7h4M10.3 10.3 14 14",
	refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
	clock: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 5v3.2l2.2 1.6",
	more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
	close: "M4 4l8 8M12 4l-8 8",
	plus: "M8 3v10M3 8h10",
	info: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 7.3V11M8 5h.01",
	search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14",
	filter: "M2.5 3.5h11L9.5 8.5V13L6.5 11.5v-3z",
	sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1",
	moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z",
	keyboard: "M1.8 4h12.4v8H1.8zM4 6.6h.01M6.6 6.6h.01M9.2 6.6h.01M11.8 6.6h.01M5 9.5h6",
	menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
	up: "M4 10l4-4 4 4",
	link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
	check: "M3.5 8.5l3 3 6-7",
	warn: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01",
};

export type IconName = keyof typeof paths;

/** icon draws an icon; it is decoration, so the button around it needs a name. */
export function icon(name: IconName): SVGSVGElement {
	return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: paths[name] }));
}
