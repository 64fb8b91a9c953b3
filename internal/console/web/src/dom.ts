// Making elements: text always goes in as text, and styles through the CSSOM,
// since the Content-Security-Policy refuses style attributes.

export type Child = Node | string | number | null | undefined | false | Child[];

type Listeners = { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

export interface Props {
	class?: string;
	on?: Listeners;
	style?: Record<string, string>;
	data?: Record<string, string>;
	/** Any other attribute; false, null and undefined leave it out, true sets it empty. */
	[attribute: string]: unknown;
}

/** h makes an HTML element: h("p", { class: "hint" }, "text", child). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
	const element = document.createElement(tag);
	apply(element, props);
	append(element, children);
	return element;
}

/** svg makes an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): SVGElementTagNameMap[K] {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	apply(element, props);
	append(element, children);
	return element;
}

function apply(element: HTMLElement | SVGElement, props: Props): void {
	for (const [name, value] of Object.entries(props)) {
		if (value === undefined || value === null || value === false) continue;
		if (name === "on") {
			for (const [type, listener] of Object.entries(value as Record<string, EventListener>)) element.addEventListener(type, listener);
		} else if (name === "style") {
			for (const [property, text] of Object.entries(value as Record<string, string>)) element.style.setProperty(property, text);
		} else if (name === "data") {
			Object.assign(element.dataset, value);
		} else {
			element.setAttribute(name, value === true ? "" : String(value));
		}
	}
}

/** append adds children, skipping what is absent. */
export function append(parent: Element, children: Child[]): void {
	for (const child of children) {
		if (Array.isArray(child)) append(parent, child);
		else if (child instanceof Node) parent.append(child);
		else if (child !== null && child !== undefined && child !== false) parent.append(String(child));
	}
}

/** fill replaces what is in an element. */
export function fill(parent: Element, ...children: Child[]): void {
	parent.replaceChildren();
	append(parent, children);
}

let lastId = 0;

/** freshId returns an id that no other element of the page has. */
export function freshId(prefix: string): string {
	lastId++;
	return `${prefix}-${lastId}`;
}

/** isTyping tells whether keys go into a field, where shortcuts must not act. */
export function isTyping(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
		|| target.shadowRoot?.activeElement != null);
}
