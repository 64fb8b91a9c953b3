// How to point a router here.

import { devices } from "./devices.js";
import { codeBlock, el } from "./dom.js";

const names = { sflow: "sFlow", netflow: "NetFlow v9, IPFIX", "netflow-legacy": "NetFlow v5" };

export function showSetup(section, { listeners, addresses }) {
	const ports = Object.fromEntries(listeners.map((l) => [l.name, portOf(l.address)]));
	const usable = devices.filter((d) => d.listener in ports);
	const panel = el("div", { class: "setup-panel", role: "tabpanel", id: "setup-panel", tabindex: "0" });
	const list = el("datalist", { id: "host-addresses" }, ...addresses.map((a) => el("option", { value: a })));
	const input = el("input", { type: "text", list: "host-addresses", value: guess(addresses), spellcheck: "false", autocomplete: "off", oninput: () => render() });
	let chosen = usable[0];

	const tabs = usable.map((device) => el("button", {
		type: "button", role: "tab", id: `tab-${device.id}`, "aria-controls": "setup-panel", onclick: () => choose(device),
	}, device.name));
	const tablist = el("div", { class: "segments", role: "tablist", "aria-label": "Device", onkeydown: move }, ...tabs);

	function move(event) {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
		if (!step) return;
		const next = (usable.indexOf(chosen) + step + usable.length) % usable.length;
		choose(usable[next]);
		tabs[next].focus();
	}

	function choose(device) {
		chosen = device;
		render();
	}

	function render() {
		tabs.forEach((tab, i) => {
			tab.setAttribute("aria-selected", String(usable[i] === chosen));
			tab.tabIndex = usable[i] === chosen ? 0 : -1;
		});
		panel.setAttribute("aria-labelledby", `tab-${chosen.id}`);
		const host = input.value.trim() || "ADDRESS";
		panel.replaceChildren(
			codeBlock(chosen.config(host, ports[chosen.listener]), `configuration for ${chosen.name}`),
			el("p", { class: "hint" }, chosen.hint));
	}

	section.querySelector(".body").replaceChildren(
		el("div", { class: "fields" },
			el("label", {}, "Address of this host, as the router reaches it", input), list,
			el("p", { class: "ports" }, ...listeners.map((l) =>
				el("span", {}, `${names[l.name] ?? l.name} `, el("b", {}, `udp ${portOf(l.address)}`), onlyLocal(l.address) ? " (this host only)" : "")))),
		...(usable.length > 0 ? [tablist, panel] : [el("p", {}, "No port is open for flows: see netmeta-standalone --help.")]));
	if (usable.length > 0) render();
}

const portOf = (address) => address.slice(address.lastIndexOf(":") + 1);
const onlyLocal = (address) => /^(127\.|\[::1\]|localhost)/.test(address);

/** The address by which the page was opened is reachable; loopback is to nobody else. */
function guess(addresses) {
	const opened = location.hostname.replace(/^\[|\]$/g, "");
	const loopback = /^(127\.|::1$|localhost$)/.test(opened);
	return loopback ? addresses[0] ?? opened : opened;
}
