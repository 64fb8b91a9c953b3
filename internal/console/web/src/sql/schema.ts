// What the server says can be asked for, by its parts.

import type { Schema } from "../api.ts";

export type { Schema };
export type Table = Schema["tables"][number];
export type Column = Table["columns"][number];
export type SqlFunction = Schema["functions"][number];

export const noSchema: Schema = { tables: [], functions: [], examples: [] };
