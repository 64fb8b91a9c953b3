// What lies above the page: dialogs, menus at a button or a point, short messages.

import { append, fill, h, type Child } from "./dom.ts";
import { icon } from "./icons.ts";

/** dialog opens a modal dialog and returns it; it removes itself when closed. */
export function dialog(title: string, ...children: Child[]): HTMLDialogElement {
	const close = h("button", { class: "quiet", type: "button", "aria-label": "Close", on: { click: () => box.close() } }, icon("close"));
	const box = h("dialog", { class: "dialog", "aria-label": title },
		h("header", {}, h("h2", {}, title), close),
		h("div", { class: "dialog-body", tabindex: "0" }, ...children));
	box.addEventListener("close", () => box.remove());
	box.addEventListener("click", (event) => {
		if (event.target === box) box.close();
	});
	document.body.append(box);
	box.showModal();
	return box;
}

export interface Popup { element: HTMLElement; close(): void }

let open: Popup | null = null;

/** closePopup closes the popup that is open, if any. */
export function closePopup(): void {
	open?.close();
}

/** popup shows content below an element, or at a point of the window. It closes on
 * Escape, on a click elsewhere, and when another one opens. The focus goes back to
 * where it was. */
export function popup(at: Element | { x: number; y: number }, content: HTMLElement, onClose?: () => void): Popup {
	open?.close();
	const before = document.activeElement;
	const element = h("div", { class: "popup" }, content);
	const stop = new AbortController();
	const it: Popup = {
		element,
		close() {
			if (open !== it) return;
			open = null;
			stop.abort();
			const inside = element.contains(document.activeElement);
			element.remove();
			if (at instanceof Element) at.setAttribute("aria-expanded", "false");
			if (inside && before instanceof HTMLElement) before.focus({ preventScroll: true });
			onClose?.();
		},
	};
	open = it;
	if (at instanceof Element) at.setAttribute("aria-expanded", "true");
	// Modal dialogs hide whatever is not inside of them.
	const host = (at instanceof Element ? at.closest("dialog") : null) ?? document.getElementById("main") ?? document.body;
	host.append(element);
	place(element, at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0));
	addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			event.preventDefault();
			event.stopPropagation();
			it.close();
		}
	}, { capture: true, signal: stop.signal });
	addEventListener("pointerdown", (event) => {
		const target = event.target as Node;
		if (!element.contains(target) && !(at instanceof Element && at.contains(target))) it.close();
	}, { capture: true, signal: stop.signal });
	addEventListener("resize", () => it.close(), { signal: stop.signal });
	return it;
}

/** place puts a fixed element below a rectangle, or above where there is no room. */
export function place(element: HTMLElement, at: DOMRect): void {
	const { width, height } = element.getBoundingClientRect();
	const left = Math.max(8, Math.min(at.left, innerWidth - width - 8));
	const below = at.bottom + 4;
	const top = below + height > innerHeight - 8 && at.top - 4 - height > 8 ? at.top - 4 - height : Math.min(below, Math.max(8, innerHeight - height - 8));
	element.style.left = `${left}px`;
	element.style.top = `${top}px`;
}

export interface MenuItem { label: string; run?: () => void; href?: string; hint?: string }

/** menu opens a list of actions, moved through with the arrow keys. */
export function menu(at: Element | { x: number; y: number }, items: MenuItem[], title?: string): Popup {
	const list = h("div", { class: "menu", role: "menu", "aria-label": title ?? "Actions" });
	const shown = items.map((item) => {
		const inner: Child[] = [h("span", {}, item.label), item.hint ? h("small", {}, item.hint) : null];
		const pick = () => {
			it.close();
			item.run?.();
		};
		return item.href === undefined
			? h("button", { type: "button", role: "menuitem", on: { click: pick } }, ...inner)
			: h("a", { href: item.href, role: "menuitem", on: { click: pick } }, ...inner);
	});
	if (title) list.append(h("p", { class: "menu-title", role: "presentation" }, title));
	append(list, shown);
	list.addEventListener("keydown", (event) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (event.key === "Tab") it.close();
		if (!step) return;
		event.preventDefault();
		const index = shown.indexOf(document.activeElement as (typeof shown)[number]);
		shown[(index + step + shown.length) % shown.length].focus();
	});
	const it = popup(at, list);
	shown[0]?.focus({ preventScroll: true });
	return it;
}

let toastTimer: number | undefined;

/** toast shows a short message at the bottom of the page, and has it read out. */
export function toast(text: string, level = "ok"): void {
	let box = document.getElementById("toast");
	if (!box) {
		box = h("div", { id: "toast", role: "status", "aria-live": "polite" });
		document.body.append(box);
	}
	fill(box, h("p", { data: { level } }, text));
	clearTimeout(toastTimer);
	toastTimer = window.setTimeout(() => box.replaceChildren(), 6000);
}
