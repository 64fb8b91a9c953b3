// Where in a query an error of ClickHouse is.

export interface Span {
	from: number;
	to: number;
}

/** Forms in which ClickHouse names what it does not know, each with the name as group 1. */
const unknown = [
	/[Uu]nknown expression(?: or [a-z ]+)? identifier [`'"]([^`'"]+)[`'"]/,
	/[Uu]nknown table expression identifier [`'"]([^`'"]+)[`'"]/,
	/[Uu]nknown (?:aggregate )?function [`'"]?(\w+)/,
	/[Ff]unction with name [`'"](\w+)[`'"]/,
	/Function [`'"](\w+)[`'"] does not exist/,
	/[Uu]nknown table [`'"]?(?:\w+\.)?(\w+)/,
	/Table (?:\w+\.)?[`'"]?(\w+)[`'"]? (?:does not exist|doesn't exist)/,
	/[Uu]nknown setting [`'"]?(\w+)/,
	/[Ff]unction [`'"]?(\w+)[`'"]?/,
	/[Mm]issing columns: '([^']+)'/,
];

/**
 * errorSpan returns what to mark in sql for an error message, or undefined where the
 * message says nothing about a place. ClickHouse counts bytes, from 1; the editor
 * counts UTF-16 units, from 0.
 */
export function errorSpan(sql: string, message: string): Span | undefined {
	const syntax = /failed at position (\d+)(?: \((?:'([^']*)'|([^()]+))\))?/.exec(message);
	if (syntax) {
		const at = fromBytes(sql, Number(syntax[1]) - 1);
		const token = syntax[2] ?? "";
		if (token && !sql.startsWith(token, at)) {
			const found = sql.indexOf(token);
			if (found >= 0) return { from: found, to: found + token.length };
		}
		return word(sql, Math.min(at, sql.length));
	}
	for (const form of unknown) {
		const name = form.exec(message)?.[1];
		if (!name) continue;
		const at = find(sql, name);
		if (at >= 0) return { from: at, to: at + name.length };
	}
	return undefined;
}

function fromBytes(text: string, bytes: number): number {
	const encoded = new TextEncoder().encode(text);
	return new TextDecoder().decode(encoded.subarray(0, Math.max(0, bytes))).length;
}

/** The word that begins at a position; the last character where the query ends there. */
function word(sql: string, at: number): Span {
	if (at >= sql.trimEnd().length) {
		const end = sql.trimEnd().length;
		return { from: Math.max(0, end - 1), to: Math.max(end, 1) };
	}
	const length = /^(?:\w+|.)/su.exec(sql.slice(at))?.[0].length ?? 1;
	return { from: at, to: at + length };
}

/** Where name stands as a word of its own, or -1. */
function find(sql: string, name: string): number {
	const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	return new RegExp(`(?<![\\w.])${escaped}(?!\\w)`, "i").exec(sql)?.index ?? sql.indexOf(name);
}
