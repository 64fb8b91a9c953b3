// Colours of series: the same thing has the same colour in every panel.

/** Pairs of light and dark: readable on the card of either theme, and apart from one
 * another for most kinds of colour blindness when next to each other. */
const palette: [string, string][] = [
	["#2a6fdb", "#6ea6ff"], ["#c9661a", "#f0a25b"], ["#1d8a52", "#4fc98a"], ["#8547c6", "#c294f0"],
	["#c93a4b", "#ff8590"], ["#0f8c94", "#57cdd4"], ["#a07c00", "#e3c34c"], ["#c2417f", "#f28cbc"],
	["#5a63d6", "#a3abff"], ["#5f8f1e", "#a5d15e"], ["#946036", "#d8a878"], ["#2b7a71", "#62b8ad"],
];

/** Names choose among the first ones; the others serve where two would meet. */
const preferred = 10;

const grey: [string, string] = ["#7a8796", "#8593a3"];

/** Grafana's names, in this page's tones. */
const named: Record<string, [string, string]> = {
	green: palette[2], blue: palette[0], orange: palette[1], red: palette[4], yellow: palette[6], purple: palette[3],
	gray: grey, grey, text: ["#17202b", "#e6eaf0"], transparent: ["#00000000", "#00000000"],
	white: ["#ffffff", "#ffffff"], black: ["#000000", "#000000"],
};

/** Things that every network has keep a colour that people know them by. */
const known: Record<string, number> = {
	in: 0, incoming: 0, received: 0, out: 1, outgoing: 1, sent: 1, tcp: 0, udp: 1, icmp: 4, icmpv6: 7, "ipv6-icmp": 7, esp: 3, gre: 5, ipv4: 0, ipv6: 2,
	sflow: 0, netflow: 1, ipfix: 2,
};

export function namedColour(name: string, dark: boolean): string {
	if (name.startsWith("#") || name.startsWith("rgb")) return name;
	const match = /^(dark|semi-dark|light|super-light)-(\w+)$/.exec(name);
	const pair = named[match ? match[2] : name] ?? grey;
	const colour = pair[dark ? 1 : 0];
	if (!match) return colour;
	const toward = match[1].includes("dark") ? "#000000" : "#ffffff";
	return mix(colour, toward, match[1].startsWith("semi") ? 0.12 : 0.25);
}

/** textColour is the same for text, darker on light cards so that it can be read. */
export function textColour(name: string, dark: boolean): string {
	const colour = namedColour(name, dark);
	return dark || !/^#[0-9a-f]{6}$/i.test(colour) ? colour : mix(colour, "#000000", 0.2);
}

/** mix returns a colour that is share of the way from one #rrggbb to another. */
export function mix(a: string, b: string, share: number): string {
	const channel = (text: string, i: number) => parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16);
	return "#" + [0, 1, 2].map((i) => Math.round(channel(a, i) * (1 - share) + channel(b, i) * share).toString(16).padStart(2, "0")).join("");
}

/** baseName leaves the direction out of a series' name, so that both directions of
 * the same thing share a colour. */
export function baseName(name: string): string {
	const base = name.replace(/[\s,:(–-]*\b(in|out|incoming|outgoing|ingress|egress)\)?\s*$/i, "").trim();
	return (base === "" ? name : base).toLowerCase();
}

/** isRest tells whether a series is what the others leave over. */
export function isRest(name: string): boolean {
	return /^(other|others|rest)$/.test(baseName(name));
}

function hash(text: string): number {
	let h = 2166136261;
	for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
	return h >>> 0;
}

/** Colours hands out colours for the series of a dashboard. A name keeps its colour
 * in every panel; where two of one panel would meet, the later one moves on. */
export class Colours {
	private given = new Map<string, number>();

	/** of returns the colours of a panel's series, by their names, in that order. */
	of(names: string[], dark: boolean): string[] {
		const taken = new Set<number>();
		const inPanel = new Map<string, number>();
		return names.map((name) => {
			const base = baseName(name);
			if (isRest(base)) return grey[dark ? 1 : 0];
			let index = inPanel.get(base);
			if (index === undefined) {
				index = known[base] ?? this.given.get(base) ?? hash(base) % preferred;
				for (let tries = 0; taken.has(index % palette.length) && tries < palette.length; tries++) index++;
				index %= palette.length;
				taken.add(index);
				inPanel.set(base, index);
				if (!this.given.has(base)) this.given.set(base, index);
			}
			return palette[index][dark ? 1 : 0];
		});
	}
}

/** Heat scales from few to many, for either theme: few is close to the card. */
export function heatScale(dark: boolean): string[] {
	return dark
		? ["#1b2a44", "#21508a", "#2a7fb0", "#35ad9f", "#8fce5e", "#f2d24b", "#f98e3c", "#f0545a"]
		: ["#e4eefb", "#a9cdf0", "#63a7dd", "#2f8fb5", "#3aa387", "#9bb534", "#e08f23", "#c9303f"];
}

/** heatColour is the colour of a share from 0 to 1 of the most. */
export function heatColour(share: number, dark: boolean): string {
	const scale = heatScale(dark);
	const at = Math.max(0, Math.min(1, share)) * (scale.length - 1);
	const low = Math.min(scale.length - 2, Math.floor(at));
	return mix(scale[low], scale[low + 1], at - low);
}
