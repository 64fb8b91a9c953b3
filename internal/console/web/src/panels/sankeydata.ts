// From rows to the nodes and links of a Sankey diagram.

import type { Cell, Result } from "../api.ts";

export interface SankeyNode {
	/** Its column and its name: the same name in two columns are two nodes. */
	id: string;
	label: string;
	/** Index of its column in the result. */
	column: number;
	/** Its place from left to right. */
	level: number;
	/** The row that it comes from first. */
	fields: Record<string, Cell>;
}

export interface SankeyLink { source: string; target: string; value: number }

export interface Sankey { nodes: SankeyNode[]; links: SankeyLink[]; /** Of the result, from left to right. */ columns: number[] }

/** labelOf leaves out the arrows by which queries tell left from right: in Grafana,
 * the same name in two columns would be one node. */
function labelOf(cell: Cell): string {
	return String(cell ?? "").replace(/^→ | →$/, "") || "none";
}

/** sankeyOf sums up the value column between neighbouring columns of names, the
 * largest links first. Columns that are hidden, and rows without a positive value,
 * are left out. */
export function sankeyOf(result: Result, valueColumn: number, hidden: boolean[]): Sankey {
	const columns = result.columns.flatMap((_, i) => (i < valueColumn && !hidden[i] ? [i] : []));
	const nodes = new Map<string, SankeyNode>();
	const links = new Map<string, SankeyLink>();
	for (const row of result.rows) {
		const value = Number(row[valueColumn]);
		if (!(value > 0)) continue;
		const fields = Object.fromEntries(result.columns.map((c, i) => [c.name, row[i]]));
		const ids = columns.map((column, level) => {
			const label = labelOf(row[column]);
			const id = `${level}\u0000${label}`;
			if (!nodes.has(id)) nodes.set(id, { id, label, column, level, fields });
			return id;
		});
		for (let i = 1; i < ids.length; i++) {
			const key = `${ids[i - 1]}\u0001${ids[i]}`;
			const link = links.get(key);
			if (link) link.value += value;
			else links.set(key, { source: ids[i - 1], target: ids[i], value });
		}
	}
	return { nodes: [...nodes.values()], links: [...links.values()].sort((a, b) => b.value - a.value), columns };
}
