// Queries that were run in this browser, newest first.

export interface Run {
	sql: string;
	/** Milliseconds since 1970. */
	at: number;
	rows: number;
	/** Milliseconds that it took. */
	took: number;
}

const key = "netmeta.sql.history";
const most = 50;

export function history(): Run[] {
	try {
		const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
		return Array.isArray(stored) ? stored.filter(isRun) : [];
	} catch {
		return []; // storage is switched off, or holds something else
	}
}

/** Puts a run at the top; the same query is kept once. */
export function remember(run: Run): Run[] {
	const runs = [run, ...history().filter((earlier) => earlier.sql !== run.sql)].slice(0, most);
	store(runs);
	return runs;
}

export function forget(): void {
	store([]);
}

function store(runs: Run[]): void {
	try {
		localStorage.setItem(key, JSON.stringify(runs));
	} catch {
		// Storage is full or switched off: the page works without a history.
	}
}

function isRun(value: unknown): value is Run {
	const run = value as Run | null;
	return typeof run === "object" && run !== null && typeof run.sql === "string" && typeof run.at === "number"
		&& typeof run.rows === "number" && typeof run.took === "number";
}
