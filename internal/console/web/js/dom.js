// Builds elements. Text always becomes a text node, never markup: names and
// addresses come from the network.

const svgNames = new Set(["svg", "path", "polyline", "circle"]);

/**
 * el("td", {class: "number"}, "12") makes <td class="number">12</td>. Properties
 * that begin with "on" are event listeners; undefined and false ones are left out.
 */
export function el(name, properties = {}, ...children) {
	const node = svgNames.has(name)
		? document.createElementNS("http://www.w3.org/2000/svg", name)
		: document.createElement(name);
	for (const [key, value] of Object.entries(properties)) {
		if (value === undefined || value === false) continue;
		if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
		else node.setAttribute(key, value === true ? "" : value);
	}
	node.append(...children.filter((child) => child !== undefined && child !== null));
	return node;
}

/** A row of buttons of which one is pressed. choices: [{value, label}]. */
export function segments(container, choices, chosen, choose) {
	const buttons = choices.map(({ value, label }) =>
		el("button", {
			type: "button",
			"data-value": value,
			"aria-pressed": String(value === chosen),
			onclick: () => {
				for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.value === value));
				choose(value);
			},
		}, label));
	container.replaceChildren(...buttons);
}

/** Text to copy, with a button for it. */
export function codeBlock(text, label) {
	const button = el("button", { type: "button", "aria-label": `Copy ${label}` }, "Copy");
	button.addEventListener("click", async () => {
		button.textContent = (await copy(text)) ? "Copied" : "Press Ctrl+C";
		setTimeout(() => { button.textContent = "Copy"; }, 1500);
	});
	const pre = el("pre", { tabindex: "0", role: "region", "aria-label": label }, el("code", {}, text));
	return el("div", { class: "code" }, pre, button);

	// navigator.clipboard exists only on https and localhost; selecting the text
	// leaves the rest to the keyboard.
	async function copy(value) {
		try {
			await navigator.clipboard.writeText(value);
			return true;
		} catch {
			getSelection().selectAllChildren(pre);
			return false;
		}
	}
}
