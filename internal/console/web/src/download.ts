// Handing a file to the person at the browser.

import { h } from "./dom.ts";

/** Saves text under a name, as if it had been downloaded. */
export function download(name: string, type: string, text: string): void {
	const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
	h("a", { href: url, download: name }).click();
	// The browser has taken hold of it once the click has been handled.
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
