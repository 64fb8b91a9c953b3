package chdb

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each block of a result would otherwise be written as if it were all of it.
func TestResultOfManyBlocksIsOneDocument(t *testing.T) {
	const sql = "SELECT number AS `a\n\"b`, 'x' AS s FROM numbers(3) SETTINGS max_block_size = 1"
	for format, want := range map[string]string{
		"TabSeparated": "0\tx\n1\tx\n2\tx\n",
		"TSVWithNames": "a\\n\"b\ts\n0\tx\n1\tx\n2\tx\n",
		"CSVWithNames": "\"a\n\"\"b\",\"s\"\n0,\"x\"\n1,\"x\"\n2,\"x\"\n",
		"JSONCompactStringsEachRowWithNamesAndTypes": "[\"a\\n\\\"b\", \"s\"]\n[\"UInt64\", \"String\"]\n[\"0\", \"x\"]\n[\"1\", \"x\"]\n[\"2\", \"x\"]\n",
	} {
		t.Run(format, func(t *testing.T) {
			if got := read(t, Query{SQL: []byte(sql), Format: format}); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	for _, q := range []Query{
		{SQL: []byte(sql), Format: "JSON"},
		{SQL: []byte(sql + " FORMAT JSONCompact -- not at the end")},
	} {
		var document struct{ Rows int }
		if got := read(t, q); json.Unmarshal([]byte(got), &document) != nil || document.Rows != 3 {
			t.Errorf("%s: got %s, want one document with 3 rows", q.SQL, got)
		}
	}
	if got := read(t, Query{SQL: []byte(sql), Format: "PrettyCompact"}); strings.Count(got, "┐") != 1 {
		t.Errorf("got more than one table:\n%s", got)
	}
}

func read(t *testing.T, q Query) string {
	t.Helper()
	testEngine(t)
	text, err := ask(q)
	if err != nil {
		t.Fatal(err)
	}
	return text + "\n"
}
