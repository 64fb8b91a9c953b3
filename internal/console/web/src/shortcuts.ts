// Keys that act on the page, and the help that lists them.

import { h, isTyping } from "./dom.ts";
import { dialog } from "./overlay.ts";

interface Shortcut { key: string; description: string; run: () => void }

/** sequenceTime is how long the second key of "g h" may take, in milliseconds. */
const sequenceTime = 1000;

export class Shortcuts {
	private all: Shortcut[] = [];
	private pending = "";
	private pendingSince = 0;

	constructor() {
		document.addEventListener("keydown", (event) => this.press(event));
		this.add("?", "Show this help", () => this.help());
	}

	add(key: string, description: string, run: () => void): () => void {
		const shortcut = { key, description, run };
		this.all.push(shortcut);
		return () => {
			this.all = this.all.filter((s) => s !== shortcut);
		};
	}

	help(): void {
		const rows = this.all.map((s) => h("div", {}, h("dt", {}, s.key.split(" ").map((k) => h("kbd", {}, k))), h("dd", {}, s.description)));
		dialog("Keyboard", h("dl", { class: "keys" }, rows,
			h("div", {}, h("dt", {}, h("kbd", {}, "←"), h("kbd", {}, "→")), h("dd", {}, "In a chart: read the values, one moment after the other")),
			h("div", {}, h("dt", {}, h("kbd", {}, "Enter")), h("dd", {}, "In a chart: mark a range, Enter again zooms into it")),
			h("div", {}, h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, "Close a menu or a dialog"))));
	}

	private press(event: KeyboardEvent): void {
		if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
		if (document.querySelector("dialog[open]")) return;
		const sequence = event.timeStamp - this.pendingSince < sequenceTime && this.pending ? `${this.pending} ${event.key}` : event.key;
		const found = this.all.findLast((s) => s.key === sequence) ?? this.all.findLast((s) => s.key === event.key);
		this.pending = "";
		if (found) {
			event.preventDefault();
			found.run();
		} else if (this.all.some((s) => s.key.startsWith(event.key + " "))) {
			this.pending = event.key;
			this.pendingSince = event.timeStamp;
		}
	}
}
