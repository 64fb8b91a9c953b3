// Mouse, touch and keys on a chart over time: reading values, marking a range.

import { h } from "../dom.ts";
import type { Range } from "../time.ts";
import type { Follower } from "./crosshair.ts";
import { plot } from "./echarts.ts";
import { hideTip } from "./tip.ts";
import type { PanelContext } from "./visual.ts";

export interface Readable {
	/** times that can be read, ascending. */
	times(): number[];
	/** tip shows the values at a moment next to a point of the window, y pixels below
	 * the chart's top; null when a key moved there. */
	tip(index: number, x: number, y: number, inChart: number | null): void;
	/** say returns the values at a moment as a sentence. */
	say(index: number): string;
	/** click acts on what lies at a moment and a height, if anything does. */
	click?(index: number, at: { x: number; y: number }, inChart: number): void;
}

/** shortest range that dragging zooms to: one second. */
const shortest = 1000;

/** Less movement than this, in pixels, is a click. */
const clickDistance = 4;

/** nearest returns the index of the time closest to one, in an ascending list. */
export function nearest(times: number[], time: number): number {
	let low = 0;
	let high = times.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (times[middle] < time) low = middle + 1;
		else high = middle;
	}
	return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low;
}

export class Pointer implements Follower {
	private line = h("div", { class: "crosshair", hidden: true });
	private mark1 = h("div", { class: "selection", hidden: true });
	private spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
	private dragFrom: number | null = null;
	private keyAt: number | null = null;
	private keyMark: number | null = null;
	private leave: () => void;

	constructor(private root: HTMLElement, private context: PanelContext, private chart: Readable) {
		root.append(this.line, this.mark1, this.spoken);
		this.leave = context.crosshair.join(this);
		root.addEventListener("pointerdown", (e) => this.down(e));
		root.addEventListener("pointermove", (e) => this.move(e));
		root.addEventListener("pointerup", (e) => this.up(e));
		root.addEventListener("pointercancel", () => this.cancel());
		root.addEventListener("pointerleave", () => {
			if (this.dragFrom === null) this.quiet();
		});
		root.addEventListener("keydown", (e) => this.key(e));
		root.addEventListener("blur", () => {
			this.keyAt = this.keyMark = null;
			this.mark1.hidden = true;
			this.quiet();
		});
	}

	destroy(): void {
		this.leave();
		hideTip();
	}

	mark(time: number | null): void {
		const x = time === null ? null : this.xOf(time);
		this.line.hidden = x === null;
		if (x !== null) this.line.style.translate = `${x}px 0`;
	}

	private get width(): number {
		return Math.max(1, this.root.clientWidth - plot.left - plot.right);
	}

	private xOf(time: number): number | null {
		const { from, to } = this.context.range();
		const share = (time - from) / (to - from);
		return share < 0 || share > 1 ? null : plot.left + share * this.width;
	}

	private timeAt(clientX: number): number {
		const { from, to } = this.context.range();
		const x = clientX - this.root.getBoundingClientRect().left - plot.left;
		return from + Math.max(0, Math.min(1, x / this.width)) * (to - from);
	}

	private down(event: PointerEvent): void {
		if (event.button !== 0 || event.shiftKey) return;
		this.dragFrom = event.clientX;
		this.root.setPointerCapture(event.pointerId);
	}

	private move(event: PointerEvent): void {
		const time = this.timeAt(event.clientX);
		if (this.dragFrom !== null && Math.abs(event.clientX - this.dragFrom) > clickDistance) {
			this.select(this.timeAt(this.dragFrom), time);
		}
		this.read(time, event);
	}

	private read(time: number, event: PointerEvent): void {
		const times = this.chart.times();
		if (times.length === 0) return;
		const index = nearest(times, time);
		this.mark(times[index]);
		this.context.crosshair.point(this, times[index]);
		const box = this.root.getBoundingClientRect();
		this.chart.tip(index, event.clientX, event.clientY, event.clientY - box.top);
	}

	private up(event: PointerEvent): void {
		const start = this.dragFrom;
		if (start === null) return;
		this.cancel();
		if (Math.abs(event.clientX - start) > clickDistance) {
			this.zoom(this.timeAt(start), this.timeAt(event.clientX));
			return;
		}
		const times = this.chart.times();
		if (times.length === 0) return;
		const box = this.root.getBoundingClientRect();
		this.chart.click?.(nearest(times, this.timeAt(event.clientX)), { x: event.clientX, y: event.clientY }, event.clientY - box.top);
	}

	private cancel(): void {
		this.dragFrom = null;
		this.mark1.hidden = true;
	}

	private quiet(): void {
		hideTip();
		this.mark(null);
		this.context.crosshair.point(this, null);
	}

	private select(a: number, b: number): void {
		const x = [a, b].map((t) => this.xOf(t) ?? plot.left).sort((m, n) => m - n);
		this.mark1.hidden = false;
		this.mark1.style.left = `${x[0]}px`;
		this.mark1.style.width = `${x[1] - x[0]}px`;
	}

	private zoom(a: number, b: number): void {
		hideTip();
		let [from, to] = a < b ? [a, b] : [b, a];
		// Whole seconds: that is how finely flows are stored.
		from = Math.floor(from / shortest) * shortest;
		to = Math.max(from + shortest, Math.ceil(to / shortest) * shortest);
		this.context.zoom({ from, to });
	}

	private key(event: KeyboardEvent): void {
		const times = this.chart.times();
		if (times.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
		const last = times.length - 1;
		const at = this.keyAt ?? last + 1;
		const step = event.shiftKey ? 10 : 1;
		const moves: Record<string, number> = { ArrowLeft: at - step, ArrowRight: Math.min(at, last) + step, Home: 0, End: last };
		if (event.key in moves) {
			event.preventDefault();
			this.keyTo(Math.max(0, Math.min(last, moves[event.key])));
		} else if (event.key === "Enter" && this.keyAt !== null) {
			event.preventDefault();
			if (this.keyMark === null) {
				this.keyMark = times[this.keyAt];
				this.spoken.textContent = "Range begins here. Move, and press Enter to zoom.";
			} else if (this.keyMark !== times[this.keyAt]) {
				const range: Range = { from: this.keyMark, to: times[this.keyAt] };
				this.keyMark = null;
				this.zoom(range.from, range.to);
			}
		} else if (event.key === "Escape" && (this.keyAt !== null || this.keyMark !== null)) {
			event.preventDefault();
			this.keyMark = this.keyAt = null;
			this.mark1.hidden = true;
			this.quiet();
		}
	}

	private keyTo(index: number): void {
		const time = this.chart.times()[index];
		this.keyAt = index;
		this.mark(time);
		this.context.crosshair.point(this, time);
		if (this.keyMark !== null) this.select(this.keyMark, time);
		const box = this.root.getBoundingClientRect();
		this.chart.tip(index, box.left + (this.xOf(time) ?? plot.left), box.top + 20, null);
		this.spoken.textContent = this.chart.say(index);
	}
}
