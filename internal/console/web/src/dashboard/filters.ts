// The bar of filters above the panels: one control for each variable.

import { isAbort, type Option } from "../api.ts";
import type { App } from "../app.ts";
import { fill, freshId, h } from "../dom.ts";
import { icon } from "../icons.ts";
import { menu } from "../overlay.ts";
import { allValue, defaultValues, isDefault, queryVariables, tidyList, valuesOf, withVariable, type ViewState } from "../state.ts";
import type { Range } from "../time.ts";
import type { Dashboard, Variable } from "./model.ts";
import { openPicker, pickerIcon, pickerText } from "./picker.ts";

interface Config {
	app: App;
	dashboard: Dashboard;
	state: () => ViewState;
	range: () => Range;
	change: (state: ViewState) => void;
}

/** These are always there; other text fields come when they are wanted. */
const prominent = new Set(["host"]);

export class Filters {
	readonly root = h("div", { class: "filters", role: "group", "aria-label": "Filters" });
	readonly variables: Variable[];
	private wanted = new Set<string>();
	private errors = new Map<string, string>();
	private texts = new Map<string, Map<string, string>>();
	private asked = new Set<string>();
	private checks = new Map<string, AbortController>();
	private abort = new AbortController();

	constructor(private config: Config) {
		this.variables = (config.dashboard.templating?.list ?? []);
		this.show();
	}

	private get shownVariables(): Variable[] {
		return this.variables.filter((v) => v.hide !== 2 && v.type !== "datasource" && v.type !== "constant");
	}

	destroy(): void {
		this.abort.abort();
		for (const check of this.checks.values()) check.abort();
	}

	/** isFiltered tells whether any variable is not as the dashboard has it. */
	isFiltered(): boolean {
		return this.shownVariables.some((v) => !isDefault(v, this.config.state()));
	}

	/** cleared is the present state without filters. */
	cleared(): ViewState {
		this.wanted.clear();
		this.errors.clear();
		return this.shownVariables.reduce((state, v) => withVariable(state, v, defaultValues(v)), this.config.state());
	}

	setError(name: string, message: string): void {
		if (this.errors.get(name) === message) return;
		this.errors.set(name, message);
		this.wanted.add(name);
		this.show();
	}

	clearErrors(): void {
		this.errors.clear();
	}

	/** focus goes to the first field. */
	focus(): void {
		(this.root.querySelector<HTMLElement>("input") ?? this.root.querySelector<HTMLElement>("button"))?.focus();
	}

	/** show builds the bar for the present state, and keeps the focus where it was. */
	show(): void {
		const state = this.config.state();
		const focused = this.root.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.focus : undefined;
		const typed = document.activeElement instanceof HTMLInputElement && focused ? document.activeElement.value : null;
		const visible = this.shownVariables.filter((v) => v.type !== "textbox" || prominent.has(v.name) || this.wanted.has(v.name) || !isDefault(v, state));
		const rest = this.shownVariables.filter((v) => !visible.includes(v));
		// What others refer to as "the first filter" stays first: lists before fields.
		fill(this.root,
			visible.map((v) => this.control(v, state)),
			rest.length > 0 ? this.addButton(rest) : null,
			this.isFiltered() ? h("button", { type: "button", class: "quiet clear-filters", data: { focus: "clear" }, on: { click: () => this.config.change(this.cleared()) } }, "Clear filters") : null);
		this.root.hidden = this.shownVariables.length === 0;
		if (focused) {
			const again = this.root.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`);
			if (again instanceof HTMLInputElement && typed !== null && this.errors.has(focused)) again.value = typed;
			again?.focus({ preventScroll: true });
		}
	}

	/** checkAll has every value of the address checked, as a link may bring bad ones. */
	async checkAll(): Promise<void> {
		const { app, dashboard, state } = this.config;
		if (!this.variables.some((v) => v.type === "textbox" && !isDefault(v, state()))) return;
		try {
			const { errors } = await app.api.check(dashboard.uid, queryVariables(this.variables, state()), this.abort.signal);
			for (const [name, message] of Object.entries(errors ?? {})) this.setError(name, message);
		} catch {
			// The panels say what is wrong with the first of them.
		}
	}

	private addButton(rest: Variable[]): HTMLElement {
		const add: HTMLElement = h("button", {
			type: "button", class: "quiet add-filter", "aria-haspopup": "menu", "aria-expanded": "false", data: { focus: "add" },
			on: {
				click: () => void menu(add, rest.map((v) => ({
					label: v.label || v.name,
					run: () => {
						this.wanted.add(v.name);
						this.show();
						this.root.querySelector<HTMLElement>(`[data-focus="${v.name}"]`)?.focus();
					},
				})), "Filter by"),
			},
		}, icon("plus"), "Filter");
		return add;
	}

	private control(v: Variable, state: ViewState): HTMLElement {
		const label = v.label || v.name;
		const error = this.errors.get(v.name);
		const errorId = freshId("field-error");
		const changed = !isDefault(v, state);
		const inner = v.type === "textbox" ? this.field(v, state, error ? errorId : undefined) : this.chooser(v, state, error ? errorId : undefined);
		const removable = changed || (v.type === "textbox" && this.wanted.has(v.name) && !prominent.has(v.name));
		return h("div", { class: "filter", data: { variable: v.name, changed: String(changed) }, title: v.description },
			h("div", { class: "filter-box" }, inner, removable ? h("button", {
				type: "button", class: "quiet", "aria-label": `Remove the filter ${label}`, data: { focus: `${v.name}-remove` },
				on: {
					click: () => {
						this.wanted.delete(v.name);
						this.errors.delete(v.name);
						this.apply(v, defaultValues(v));
					},
				},
			}, icon("close")) : null),
			error ? h("p", { class: "field-error", id: errorId, role: "alert" }, error) : null);
	}

	private field(v: Variable, state: ViewState, errorId?: string): HTMLElement {
		const id = freshId("filter");
		const value = valuesOf(v, state)[0] ?? "";
		const input = h("input", {
			type: "text", id, value, spellcheck: "false", autocomplete: "off", autocapitalize: "off", data: { focus: v.name },
			placeholder: v.name === "sql" ? "SrcPort = 53 AND Bytes > 1000" : "any", "aria-invalid": errorId ? "true" : undefined, "aria-describedby": errorId,
			on: {
				change: () => void this.checked(v, input.value),
				keydown: (event) => {
					if (event.key === "Escape") input.value = value;
				},
			},
		});
		if (v.name === "sql") input.classList.add("wide");
		return h("label", { for: id }, h("span", {}, v.label || v.name), input);
	}

	/** checked asks whether a value can be used before anything is done with it. */
	private async checked(v: Variable, typed: string): Promise<void> {
		const value = v.name === "sql" ? typed.trim() : tidyList(typed);
		this.checks.get(v.name)?.abort();
		const check = new AbortController();
		this.checks.set(v.name, check);
		const state = withVariable(this.config.state(), v, [value]);
		try {
			const { errors } = await this.config.app.api.check(this.config.dashboard.uid, queryVariables(this.variables, state), check.signal);
			if (check.signal.aborted) return;
			if (errors?.[v.name]) {
				this.setError(v.name, errors[v.name]);
				return;
			}
		} catch (error) {
			if (isAbort(error)) return;
			// The panels will say what is wrong, if anything is.
		}
		this.errors.delete(v.name);
		this.apply(v, [value]);
	}

	private apply(v: Variable, values: string[]): void {
		this.config.change(withVariable(this.config.state(), v, values));
		this.show();
	}

	private chooser(v: Variable, state: ViewState, errorId?: string): HTMLElement {
		const label = v.label || v.name;
		const values = valuesOf(v, state);
		const fixed = v.type === "custom" ? this.customOptions(v) : null;
		if (fixed && !v.multi && fixed.length <= 3) {
			return h("div", { class: "filter-segments", role: "group", "aria-label": label }, h("span", {}, label), fixed.map((o) => h("button", {
				type: "button", "aria-pressed": String(values[0] === o.value), data: { focus: `${v.name}-${o.value}` }, on: { click: () => this.apply(v, [o.value]) },
			}, o.text)));
		}
		const texts = this.texts.get(v.name);
		if (!fixed && !texts && values.some((x) => x !== allValue)) void this.learnTexts(v);
		const name = (value: string) => fixed?.find((o) => o.value === value)?.text ?? texts?.get(value) ?? value;
		const button: HTMLElement = h("button", {
			type: "button", class: "filter-button", "aria-haspopup": "dialog", "aria-expanded": "false", data: { focus: v.name }, "aria-describedby": errorId,
			on: {
				click: () => openPicker(button, {
					label, multi: v.multi === true, all: v.includeAll === true, values,
					options: fixed ? async () => fixed.filter((o) => o.value !== allValue) : (signal) => this.options(v, signal),
					change: (next) => this.apply(v, next),
				}),
			},
		}, h("span", {}, label), h("b", {}, pickerText(values, name)), pickerIcon());
		return button;
	}

	private customOptions(v: Variable): Option[] {
		const listed = (v.options ?? []).map((o) => ({ text: String(o.text), value: String(o.value) }));
		if (listed.length > 0) return listed;
		const made = String(v.query ?? "").split(",").map((part) => {
			const [text, value] = part.split(" : ");
			return { text: text.trim(), value: (value ?? text).trim() };
		}).filter((o) => o.text !== "");
		return v.includeAll ? [{ text: "All", value: allValue }, ...made] : made;
	}

	private async options(v: Variable, signal: AbortSignal): Promise<Option[]> {
		const range = this.config.range();
		const { options } = await this.config.app.api.variable({
			dashboard: this.config.dashboard.uid, name: v.name, from: Math.floor(range.from / 1000), to: Math.ceil(range.to / 1000),
			variables: queryVariables(this.variables, this.config.state()),
		}, signal);
		this.texts.set(v.name, new Map(options.map((o) => [o.value, o.text])));
		return options;
	}

	/** learnTexts asks once how the chosen values are called. */
	private async learnTexts(v: Variable): Promise<void> {
		if (this.asked.has(v.name)) return;
		this.asked.add(v.name);
		try {
			await this.options(v, this.abort.signal);
			this.show();
		} catch {
			// The values themselves are shown then.
		}
	}
}
