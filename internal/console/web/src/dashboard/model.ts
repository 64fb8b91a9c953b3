// Dashboards as Grafana's classic JSON has them: the part that the console reads.

export interface Dashboard {
	uid: string;
	title: string;
	description?: string;
	tags?: string[];
	panels: Panel[];
	templating?: { list: Variable[] };
	time?: { from: string; to: string };
	timezone?: string;
	refresh?: string | false;
	links?: DashboardLink[];
	timepicker?: { refresh_intervals?: string[] };
}

export interface DashboardLink { title: string; url?: string; type?: string; tags?: string[]; keepTime?: boolean; includeVars?: boolean }

export interface GridPos { x: number; y: number; w: number; h: number }

export interface Target { refId: string; rawSql?: string; format?: number; queryType?: string; hide?: boolean }

export interface Panel {
	id: number;
	type: string;
	title?: string;
	description?: string;
	gridPos: GridPos;
	targets?: Target[];
	fieldConfig?: FieldConfig;
	options?: Record<string, any>;
	links?: DataLink[];
	/** Rows only: closed rows hold their panels, open ones are followed by them. */
	collapsed?: boolean;
	panels?: Panel[];
	transparent?: boolean;
}

export interface FieldConfig { defaults?: FieldOptions; overrides?: Override[] }

export interface Override { matcher: { id: string; options?: any }; properties: { id: string; value?: any }[] }

export interface FieldOptions {
	unit?: string;
	decimals?: number;
	min?: number;
	max?: number;
	displayName?: string;
	description?: string;
	noValue?: string;
	color?: { mode?: string; fixedColor?: string };
	thresholds?: { mode?: string; steps: { color: string; value: number | null }[] };
	mappings?: Mapping[];
	links?: DataLink[];
	custom?: Record<string, any>;
}

export interface Mapping { type: string; options: any }

export interface DataLink { title: string; url: string; targetBlank?: boolean }

export interface Variable {
	name: string;
	type: string;
	label?: string;
	description?: string;
	/** 0 shown, 1 without its label, 2 not shown. */
	hide?: number;
	multi?: boolean;
	includeAll?: boolean;
	current?: { text?: string | string[]; value?: string | string[] };
	options?: { text: string; value: string; selected?: boolean }[];
	query?: any;
}

/** everyPanel lists all panels of a dashboard, those inside of closed rows too. */
export function everyPanel(dashboard: Dashboard): Panel[] {
	return dashboard.panels.flatMap((p) => [p, ...(p.panels ?? [])]);
}
