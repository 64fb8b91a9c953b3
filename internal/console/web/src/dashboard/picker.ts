// Choosing from a list with a search: the button, and what it opens.

import { isAbort, type Option } from "../api.ts";
import { fill, h } from "../dom.ts";
import { icon } from "../icons.ts";
import { popup } from "../overlay.ts";
import { allValue } from "../state.ts";

export interface PickerConfig {
	label: string;
	multi: boolean;
	/** All is offered, and is what an empty choice means. */
	all: boolean;
	values: string[];
	options: (signal: AbortSignal) => Promise<Option[]>;
	change: (values: string[]) => void;
}

const mostShown = 300;

/** openPicker opens the list below a button. Choices with several values act when
 * the list closes, others at once. */
export function openPicker(at: Element, config: PickerConfig): void {
	const abort = new AbortController();
	let chosen = new Set(config.values.filter((v) => v !== allValue));
	let changed = false;
	const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search ${config.label}`, autocomplete: "off" });
	const list = h("div", { class: "picker-list", role: "group", "aria-label": config.label });
	const box = h("div", { class: "picker" }, search, list);
	const it = popup(at, box, () => {
		abort.abort();
		if (changed) config.change(chosen.size > 0 ? [...chosen] : config.all ? [allValue] : []);
	});
	search.focus({ preventScroll: true });
	fill(list, h("p", { class: "hint" }, "Loading …"));

	const show = (options: Option[]) => {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		const matching = options.filter((o) => words.every((w) => o.text.toLowerCase().includes(w) || o.value.toLowerCase().includes(w)));
		const type = config.multi ? "checkbox" : "radio";
		const row = (text: string, value: string, on: boolean) => h("label", {}, h("input", {
			type, name: "picker", value, checked: on,
			on: { change: (event) => pick(value, (event.target as HTMLInputElement).checked, options) },
		}), h("span", {}, text));
		fill(list,
			config.all && words.length === 0 ? row("All", allValue, chosen.size === 0) : null,
			matching.slice(0, mostShown).map((o) => row(o.text, o.value, chosen.has(o.value))),
			matching.length > mostShown ? h("p", { class: "hint" }, `${matching.length - mostShown} more: search to find them.`) : null,
			matching.length === 0 ? h("p", { class: "hint" }, options.length === 0 ? "There is nothing to choose in this time range." : "Nothing matches.") : null);
	};
	const pick = (value: string, on: boolean, options: Option[]) => {
		changed = true;
		if (value === allValue) chosen = new Set();
		else if (!config.multi) chosen = new Set([value]);
		else if (on) chosen.add(value);
		else chosen.delete(value);
		if (!config.multi) {
			it.close();
			return;
		}
		const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : "";
		show(options);
		list.querySelector<HTMLInputElement>(`input[value="${CSS.escape(focused)}"]`)?.focus();
	};
	config.options(abort.signal).then((options) => {
		// What is chosen is offered even when it is not among the options any more.
		const missing = [...chosen].filter((v) => !options.some((o) => o.value === v)).map((v) => ({ text: v, value: v }));
		const every = [...missing, ...options.filter((o) => o.value !== allValue)];
		search.addEventListener("input", () => show(every));
		show(every);
	}).catch((error) => {
		if (!isAbort(error)) fill(list, h("p", { class: "error" }, String(error.message ?? error)));
	});
	box.addEventListener("keydown", (event) => {
		if (event.key === "Enter" && event.target === search) {
			const first = list.querySelector<HTMLInputElement>(`input:not([value="${allValue}"])`);
			first?.click();
		} else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			const fields = [search, ...list.querySelectorAll("input")];
			const index = fields.indexOf(document.activeElement as HTMLInputElement);
			event.preventDefault();
			fields[Math.max(0, Math.min(fields.length - 1, index + (event.key === "ArrowDown" ? 1 : -1)))].focus();
		}
	});
}

/** pickerText sums up a choice for its button. */
export function pickerText(values: string[], text: (value: string) => string): string {
	const chosen = values.filter((v) => v !== allValue);
	if (chosen.length === 0) return "All";
	if (chosen.length <= 2) return chosen.map(text).join(", ");
	return `${text(chosen[0])} and ${chosen.length - 1} more`;
}

/** pickerIcon is the sign that a button opens a list. */
export const pickerIcon = () => icon("down");
