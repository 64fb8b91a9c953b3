// Which module shows which kind of panel. Modules are loaded when a panel of the kind
// comes into view.

import type { MakeVisual } from "./visual.ts";

const kinds: Record<string, () => Promise<MakeVisual>> = {
	timeseries: async () => (await import("./timeseries.ts")).make,
	graph: async () => (await import("./timeseries.ts")).make,
	stat: async () => (await import("./stat.ts")).make,
	table: async () => (await import("./table.ts")).make,
	heatmap: async () => (await import("./heatmap.ts")).make,
	piechart: async () => (await import("./pie.ts")).make,
	"netsage-sankey-panel": async () => (await import("./sankey.ts")).make,
	text: async () => (await import("./text.ts")).make,
	alertlist: async () => (await import("./lists.ts")).alerts,
	dashlist: async () => (await import("./lists.ts")).dashboards,
};

/** isKnown tells whether the console can show a kind of panel. */
export function isKnown(type: string): boolean {
	return type in kinds;
}

export function loadKind(type: string): Promise<MakeVisual> {
	return kinds[type]();
}

/** hasQueries tells whether panels of a kind ask ClickHouse. */
export function hasQueries(type: string): boolean {
	return !["text", "alertlist", "dashlist", "row"].includes(type);
}
