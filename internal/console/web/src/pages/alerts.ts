// Alerts.

import type { App } from "../app.ts";
import { fill, h } from "../dom.ts";

export function mount(root: HTMLElement, app: App): () => void {
	app.setTitle("Alerts");
	fill(root, h("h1", {}, "Alerts"));
	return () => {};
}
