// The console's HTTP interface: what it answers, and how its errors arrive.

import type { Dashboard } from "./dashboard/model.ts";

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

export interface Column { name: string; type: string }

/** Result is the answer to a query. Times are unix milliseconds. */
export interface Result {
	columns: Column[];
	rows: Cell[][];
	sql: string;
	/** Width of a time bucket in seconds. */
	interval: number;
	elapsed_ms: number;
	rows_read: number;
	bytes_read: number;
	truncated: boolean;
}

export interface DashboardInfo { uid: string; title: string; description: string; tags: string[] }

export type Variables = Record<string, string[]>;

export interface QueryRequest {
	dashboard: string;
	panel: number;
	target: string;
	/** Unix seconds. */
	from: number;
	to: number;
	points: number;
	variables: Variables;
}

export interface VariableRequest { dashboard: string; name: string; from: number; to: number; variables: Variables }

export interface Option { text: string; value: string }

export interface Schema {
	tables: { name: string; comment: string; columns: { name: string; type: string; comment: string }[] }[];
	functions: { name: string; arguments: string; returns: string; description: string; example: string }[];
	examples: { title: string; sql: string }[];
}

export type AlertState = "ok" | "pending" | "firing" | "error" | "nodata";

export interface AlertInstance { labels: Record<string, string>; value: number; state: AlertState; since: string | null; link: string }

export interface AlertRule {
	uid: string;
	title: string;
	severity: string;
	state: AlertState;
	since: string | null;
	value: number | null;
	summary: string;
	action: string;
	dashboard: string;
	instances: AlertInstance[];
}

export interface Session { user: string | null; login: boolean }

export type ErrorKind = "variable" | "limit" | "unavailable" | "query" | "login";

/** ApiError is a refusal by the console, or its silence (kind "unavailable"). */
export class ApiError extends Error {
	constructor(
		message: string,
		readonly kind: ErrorKind,
		readonly status: number,
		readonly variable?: string,
		readonly hint?: string,
	) {
		super(message);
		this.name = "ApiError";
	}
}

/** isAbort tells whether an error only means that the page gave up the request. */
export function isAbort(error: unknown): boolean {
	return error instanceof DOMException && error.name === "AbortError";
}

const kinds = new Set<string>(["variable", "limit", "unavailable", "query", "login"]);

function kindOfStatus(status: number): ErrorKind {
	if (status === 401 || status === 403) return "login";
	if (status === 413 || status === 422) return "limit";
	if (status >= 500) return "unavailable";
	return "query";
}

export class Api {
	/** Called when an answer says that one has to log in. */
	onLogin: () => void = () => {};

	dashboards = (signal?: AbortSignal) => this.get<DashboardInfo[]>("/api/dashboards", signal);
	dashboard = (uid: string, signal?: AbortSignal) => this.get<Dashboard>(`/api/dashboards/${encodeURIComponent(uid)}`, signal);
	query = (request: QueryRequest, signal?: AbortSignal) => this.post<Result>("/api/query", request, signal);
	variable = (request: VariableRequest, signal?: AbortSignal) => this.post<{ options: Option[] }>("/api/variable", request, signal);
	check = (dashboard: string, variables: Variables, signal?: AbortSignal) =>
		this.post<{ errors: Record<string, string> }>("/api/check", { dashboard, variables }, signal);
	sql = (sql: string, limit: number, signal?: AbortSignal) => this.post<Result>("/api/sql", { sql, limit }, signal);
	schema = (signal?: AbortSignal) => this.get<Schema>("/api/sql/schema", signal);
	alerts = (signal?: AbortSignal) => this.get<{ rules: AlertRule[] }>("/api/alerts", signal);
	session = (signal?: AbortSignal) => this.get<Session>("/api/session", signal);
	login = (password: string) => this.post<unknown>("/api/login", { password });
	logout = () => this.post<unknown>("/api/logout", {});

	get<T>(path: string, signal?: AbortSignal): Promise<T> {
		return this.send<T>(path, { signal });
	}

	post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
		return this.send<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
	}

	private async send<T>(path: string, init: RequestInit): Promise<T> {
		let response: Response;
		try {
			response = await fetch(path, init);
		} catch (error) {
			if (isAbort(error)) throw error;
			throw new ApiError("NetMeta does not answer.", "unavailable", 0, undefined, "Is the process still running, and is the network up?");
		}
		const text = await response.text();
		let body: unknown;
		try {
			body = text === "" ? {} : JSON.parse(text);
		} catch {
			body = { error: text.slice(0, 500) };
		}
		if (response.ok) return body as T;
		const refusal = body as { error?: string; kind?: string; variable?: string; hint?: string };
		const kind = refusal.kind && kinds.has(refusal.kind) ? (refusal.kind as ErrorKind) : kindOfStatus(response.status);
		if (kind === "login" && path !== "/api/login") this.onLogin();
		throw new ApiError(refusal.error ?? `${path} answered with status ${response.status}`, kind, response.status, refusal.variable, refusal.hint);
	}
}
