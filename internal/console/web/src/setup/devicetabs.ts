// How to point a router here.

import { codeBlock } from "../codeblock.ts";
import { h } from "../dom.ts";
import type { Setup } from "./api.ts";
import { type Device, devices } from "./devices.ts";

const names: Record<string, string> = { sflow: "sFlow", netflow: "NetFlow v9, IPFIX", "netflow-legacy": "NetFlow v5" };

/** Configuration for common devices, with the address and port to send to filled in. */
export function deviceTabs({ listeners, addresses }: Setup): Element[] {
	const ports = new Map(listeners.map((l) => [l.name, portOf(l.address)]));
	const usable = devices.filter((d) => ports.has(d.listener));
	const panel = h("div", { class: "setup-panel", role: "tabpanel", id: "setup-panel", tabindex: "0" });
	const list = h("datalist", { id: "host-addresses" }, ...addresses.map((a) => h("option", { value: a })));
	const input = h("input", {
		type: "text", list: "host-addresses", value: guess(addresses), spellcheck: "false", autocomplete: "off", on: { input: () => render() },
	});
	const ready = h("div", { class: "fields" },
		h("label", {}, "Address of this host, as the router reaches it", input), list,
		h("p", { class: "ports" }, ...listeners.map((l) =>
			h("span", {}, `${names[l.name] ?? l.name} `, h("b", {}, `udp ${portOf(l.address)}`), onlyLocal(l.address) ? " (this host only)" : ""))));
	let chosen: Device | undefined = usable[0];
	if (!chosen) return [ready, h("p", {}, "No port is open for flows: see netmeta-standalone --help.")];

	const tabs = usable.map((device) => h("button", {
		type: "button", role: "tab", id: `tab-${device.id}`, "aria-controls": "setup-panel", on: { click: () => choose(device) },
	}, device.name));
	const tablist = h("div", { class: "segments", role: "tablist", "aria-label": "Device", on: { keydown: move } }, ...tabs);

	function move(event: KeyboardEvent): void {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
		if (!step || !chosen) return;
		const next = (usable.indexOf(chosen) + step + usable.length) % usable.length;
		choose(usable[next]);
		tabs[next]?.focus();
	}

	function choose(device: Device | undefined): void {
		chosen = device;
		render();
	}

	function render(): void {
		if (!chosen) return;
		tabs.forEach((tab, i) => {
			tab.setAttribute("aria-selected", String(usable[i] === chosen));
			tab.tabIndex = usable[i] === chosen ? 0 : -1;
		});
		panel.setAttribute("aria-labelledby", `tab-${chosen.id}`);
		const host = input.value.trim() || "ADDRESS";
		panel.replaceChildren(
			codeBlock(chosen.config(host, ports.get(chosen.listener) ?? ""), `configuration for ${chosen.name}`),
			h("p", { class: "hint" }, chosen.hint));
	}

	render();
	return [ready, tablist, panel];
}

const portOf = (address: string): string => address.slice(address.lastIndexOf(":") + 1);
const onlyLocal = (address: string): boolean => /^(127\.|\[::1\]|localhost)/.test(address);

/** The address by which the page was opened is reachable; loopback is to nobody else. */
function guess(addresses: string[]): string {
	const opened = location.hostname.replace(/^\[|\]$/g, "");
	const loopback = /^(127\.|::1$|localhost$)/.test(opened);
	return loopback ? addresses[0] ?? opened : opened;
}
