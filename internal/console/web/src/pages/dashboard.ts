// Dashboards.

import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Dashboard");
	fill(root, h("h1", {}, "Dashboard"));
	return () => {};
}
