// What every page gets: the API, moving between pages, and the shell around it.

import type { Api, Session } from "./api.ts";
import type { Theme } from "./theme.ts";

/** Mount builds a page in root and returns what takes it down again: requests are
 * aborted there, timers and listeners outside of root removed. */
export type Mount = (root: HTMLElement, app: App) => () => void;

export interface PageModule { mount: Mount }

export interface App {
	readonly api: Api;
	readonly theme: Theme;
	readonly session: Session;
	/** navigate shows another address of the console ("/d/netmeta-host?from=now-1h"),
	 * as a new entry of the browser's history or in place of the present one. The
	 * page stays mounted when only the part after "?" changes. */
	navigate(url: string, options?: { replace?: boolean }): void;
	/** onLocation calls listener when the part after "?" has changed below a mounted
	 * page, also by the browser's Back. Returns what ends that. */
	onLocation(listener: () => void): () => void;
	/** setTitle names the page in the window's title. */
	setTitle(title: string): void;
	/** announce has a screen reader say something, and shows it for a moment. */
	announce(text: string, level?: "ok" | "warn" | "bad"): void;
	/** shortcut adds a key to the page, listed in the help that "?" opens; returns
	 * what removes it. Keys are as in KeyboardEvent.key, "g h" for two in a row. */
	shortcut(key: string, description: string, run: () => void): () => void;
	/** timeQuery is the time range of the address as "from=…&to=…" (or ""), for links
	 * that should keep it. */
	timeQuery(): string;
}
