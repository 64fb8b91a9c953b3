// Text to copy, with a button for it.

import { h } from "./dom.ts";

export function codeBlock(text: string, label: string): HTMLElement {
	const button = h("button", { type: "button", "aria-label": `Copy ${label}`, on: { click: () => void press() } }, "Copy");
	const pre = h("pre", { tabindex: "0", role: "region", "aria-label": label }, h("code", {}, text));
	return h("div", { class: "code" }, pre, button);

	async function press(): Promise<void> {
		button.textContent = (await copy()) ? "Copied" : "Press Ctrl+C";
		setTimeout(() => { button.textContent = "Copy"; }, 1500);
	}

	// navigator.clipboard exists only on https and localhost; selecting the text
	// leaves the rest to the keyboard.
	async function copy(): Promise<boolean> {
		try {
			await navigator.clipboard.writeText(text);
			return true;
		} catch {
			getSelection()?.selectAllChildren(pre);
			return false;
		}
	}
}
