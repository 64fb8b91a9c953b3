// What /api/pipeline and /api/setup answer.

export type Level = "idle" | "ok" | "warn" | "bad";

export interface Figure {
	label: string;
	value: number;
	/** Per second. */
	rate?: number;
	/** "bytes" or "seconds"; a count otherwise. */
	unit?: string;
}

export interface Stage {
	id: string;
	title: string;
	unit: string;
	level: Level;
	advice?: string;
	total: number | null;
	/** Per second. */
	rate: number | null;
	details: Figure[];
	losses: Figure[];
}

export interface Pipeline {
	/** Seconds until it is worth asking again. */
	refresh: number;
	level: Level;
	summary: string;
	/** No flow is stored. */
	empty: boolean;
	stages: Stage[];
}

export interface Listener {
	name: string;
	/** HOST:PORT as bound. */
	address: string;
}

export interface Setup {
	listeners: Listener[];
	/** Of this host, as others may reach it. */
	addresses: string[];
	/** HOST:PORT of ClickHouse's HTTP interface. */
	clickhouse: string;
}
