// ClickHouse's SQL as the editor colours it. Names of functions come from the server.

import { SQLDialect } from "@codemirror/lang-sql";

export const keywords = (
	"all and anti any array as asc asof between by case cast cross cube date day desc describe desc distinct else end except exists explain " +
	"fill final first following for format from full global group grouping having hour ilike in indexes inner intersect interval into is join " +
	"last left like limit minute month not null nulls offset on or order outer over partition preceding prewhere quarter range recursive right " +
	"rollup row rows sample second select semi sets settings show step substring table tables then ties timestamp to totals union unbounded using values " +
	"view week when where window with year"
).split(" ");

const types = (
	"bool date date32 datetime datetime64 decimal decimal32 decimal64 decimal128 dynamic enum8 enum16 fixedstring float32 float64 " +
	"int8 int16 int32 int64 int128 int256 ipv4 ipv6 json lowcardinality map nested nothing nullable string tuple " +
	"uint8 uint16 uint32 uint64 uint128 uint256 uuid variant"
).split(" ");

/** The dialect, which knows the given functions by name. */
export function clickhouse(functions: string[]): SQLDialect {
	return SQLDialect.define({
		keywords: keywords.join(" "),
		types: types.join(" "),
		builtin: functions.map((name) => name.toLowerCase()).filter((name) => /^\w+$/.test(name) && !reserved.has(name)).join(" "),
		// A backslash escapes in ClickHouse's strings; # and -- begin a comment.
		backslashEscapes: true,
		hashComments: true,
		doubleQuotedStrings: false,
		identifierQuotes: "`\"",
		operatorChars: "*+-%<>!=&|^/?:",
	});
}

const reserved = new Set([...keywords, ...types]);
