// From panels with places on Grafana's grid to sections, each with a grid of its own.

import type { Panel } from "./model.ts";

export interface Section {
	/** The row above the panels; the first section may have none. */
	row: Panel | null;
	panels: Panel[];
}

/** sectionsOf splits panels at rows. A closed row brings its panels along, an open one
 * has those that follow. Panels are in reading order. */
export function sectionsOf(panels: Panel[]): Section[] {
	const ordered = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
	const sections: Section[] = [];
	for (const panel of ordered) {
		if (panel.type === "row") sections.push({ row: panel, panels: readingOrder(panel.panels ?? []) });
		else {
			if (sections.length === 0) sections.push({ row: null, panels: [] });
			sections[sections.length - 1].panels.push(panel);
		}
	}
	return sections;
}

function readingOrder(panels: Panel[]): Panel[] {
	return [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
}

export interface Place { column: string; row: string; height: number }

/** Height of a unit of the grid and of the gap between two, in pixels: as in Grafana,
 * so that a dashboard is as high here as there. */
export const unit = 30;
export const gap = 8;

/** placeOf is a panel's place in the grid of its section. */
export function placeOf(panel: Panel, section: Section): Place {
	const top = Math.min(...section.panels.map((p) => p.gridPos.y));
	const { x, y, w, h } = panel.gridPos;
	return { column: `${x + 1} / span ${w}`, row: `${y - top + 1} / span ${h}`, height: h * unit + (h - 1) * gap };
}
