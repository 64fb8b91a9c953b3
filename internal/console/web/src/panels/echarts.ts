// The parts of ECharts that charts over time take.

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { Theme } from "../theme.ts";

use([LineChart, BarChart, GridComponent, MarkLineComponent, CanvasRenderer]);

export type { EChartsType };

export function makeChart(root: HTMLElement): EChartsType {
	return init(root, null, { renderer: "canvas" });
}

/** Palette is what charts draw with, read from theme.css. */
export interface Palette { text: string; muted: string; line: string; card: string; accent: string; font: string; dark: boolean }

const read = new Map<string, Palette>();

export function paletteOf(theme: Theme): Palette {
	const key = String(theme.dark);
	let palette = read.get(key);
	if (!palette) {
		palette = {
			text: theme.colour("--text"), muted: theme.colour("--muted"), line: theme.colour("--line"), card: theme.colour("--card"),
			accent: theme.colour("--accent"), font: getComputedStyle(document.body).fontFamily, dark: theme.dark,
		};
		read.set(key, palette);
	}
	return palette;
}

/** pngOf returns what a chart shows as a data: URL, on the ground that its panel has. */
export function pngOf(chart: EChartsType, theme: Theme): string {
	return chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: paletteOf(theme).card });
}

/** Where the plot lies inside of a chart, in pixels: the same everywhere, so that the
 * axes of panels above one another line up. */
export const plot = { left: 68, right: 20, top: 10, bottom: 24 };
