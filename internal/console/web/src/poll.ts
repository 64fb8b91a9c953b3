// Asking again and again, for what changes by itself.

import { type ApiError, isAbort } from "./api.ts";

/** Milliseconds until another try after a failure. */
const retryAfter = 4000;

export interface Poll<T> {
	ask(signal: AbortSignal): Promise<T>;
	/** Shows an answer and returns how many seconds it is good for; 0: for ever. */
	show(answer: T): number;
	/** Shows what is wrong; undefined when it is well again. */
	fail(error: ApiError | undefined): void;
}

/**
 * Asks now and then as often as show says; after an error every few seconds, so that
 * the page recovers by itself. A hidden tab asks nothing. Returns what ends it.
 */
export function poll<T>({ ask, show, fail }: Poll<T>): () => void {
	const ended = new AbortController();
	let timer: number | undefined, request: AbortController | undefined, final = false;

	async function turn(): Promise<void> {
		clearTimeout(timer);
		request?.abort();
		const mine = request = new AbortController();
		let wait = retryAfter;
		try {
			const answer = await ask(mine.signal);
			if (mine.signal.aborted) return;
			fail(undefined);
			wait = show(answer) * 1000;
			final = wait === 0;
		} catch (error) {
			if (mine.signal.aborted || isAbort(error)) return;
			fail(error as ApiError);
		}
		if (!document.hidden && !final) timer = window.setTimeout(() => void turn(), wait);
	}

	document.addEventListener("visibilitychange", () => {
		if (document.hidden) clearTimeout(timer);
		else if (!final) void turn();
	}, { signal: ended.signal });
	void turn();
	return () => {
		ended.abort();
		clearTimeout(timer);
		request?.abort();
	};
}

/** Whether a person is marking text there: to draw it anew would unmark it. */
export function selecting(section: Element): boolean {
	const selection = getSelection();
	return selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode);
}
