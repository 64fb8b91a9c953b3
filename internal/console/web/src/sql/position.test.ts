import assert from "node:assert/strict";
import { test } from "node:test";
import { errorSpan } from "./position.ts";

/** What is marked in a query for a message. */
function marked(sql: string, message: string): string | undefined {
	const span = errorSpan(sql, message);
	return span && sql.slice(span.from, span.to);
}

test("the place of an error is found in each form in which ClickHouse says it", () => {
	const cases: [string, string, string | undefined][] = [
		["SELECT 1\nFORM flows", "Syntax error: failed at position 15 (flows) (line 2, col 6)", "flows"],
		["SELECT 'ÄÖ→' FORM flows", "Syntax error: failed at position 24 ('flows') (line 1, col 24)", "flows"],
		["SELECT (1", "Syntax error: failed at position 10 (end of query)", "1"],
		["SELECT Sorce FROM flows", "Unknown expression identifier `Sorce` in scope SELECT Sorce FROM flows", "Sorce"],
		["SELECT Source, Sorce FROM flows", "Unknown expression or function identifier 'Sorce'", "Sorce"],
		["SELECT flovs FROM flovs", "Unknown table expression identifier 'flovs'", "flovs"],
		["SELECT adress(1)", "Function with name `adress` does not exist", "adress"],
		["SELECT 1", "Memory limit exceeded", undefined],
		["SELECT 1", "Unknown expression identifier `other`", undefined],
	];
	for (const [sql, message, want] of cases) assert.equal(marked(sql, message), want, message);
});

test("a position behind the end marks the last character, also of nothing", () => {
	assert.deepEqual(errorSpan("", "failed at position 9"), { from: 0, to: 1 });
	assert.deepEqual(errorSpan("SELECT  ", "failed at position 99"), { from: 5, to: 6 });
});
