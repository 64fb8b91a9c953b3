// What every kind of panel gets and gives.

import type { App } from "../app.ts";
import type { Colours } from "../colours.ts";
import type { LinkScope, Value } from "../dashboard/links.ts";
import type { DataLink, Panel } from "../dashboard/model.ts";
import type { Frame } from "../dashboard/series.ts";
import type { Range, Zone } from "../time.ts";
import type { Crosshair } from "./crosshair.ts";

export interface PanelContext {
	readonly app: App;
	readonly panel: Panel;
	readonly colours: Colours;
	readonly crosshair: Crosshair;
	/** range is what the data at hand were asked for. */
	range(): Range;
	zone(): Zone;
	scope(): LinkScope;
	/** zoom shows another range in the whole dashboard. */
	zoom(range: Range): void;
	/** openLinks offers the links of a value in a menu at an element or a point. */
	openLinks(at: Element | { x: number; y: number }, value: Value, links: DataLink[]): void;
	/** refuse shows an explanation in place of the data. */
	refuse(title: string, text: string): void;
}

export interface Visual {
	/** draw shows new data; false when there is nothing in them. */
	draw(frames: Frame[]): boolean | void;
	/** redraw shows the same data again, after a change of size or colours. */
	redraw(): void;
	/** png returns the picture as a data: URL, where there is one. */
	png?(): string;
	destroy(): void;
}

export type MakeVisual = (root: HTMLElement, context: PanelContext) => Visual;

/** noData tells whether no query of a panel has returned a row. */
export function noData(frames: Frame[]): boolean {
	return frames.every((f) => f.result.rows.length === 0);
}
