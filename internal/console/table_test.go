package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/query"
)

func resultOf(content []byte) *query.Result {
	return &query.Result{Reader: bytes.NewReader(content), Format: tableFormat}
}

// FuzzReadTable promises that whatever a server sends is read as rows that are JSON
// with as many cells as columns, or refused.
func FuzzReadTable(f *testing.F) {
	for _, row := range []string{`["1", "::ffff:1.2.3.4", 3]`, `[null, null, {"a": [1, "]"]}]`, `["\"", "", ""]`, `[`, `]`, ``, `["1" "2", 3]`, `[1,2,3,4]`, `[,,]`} {
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, row string) {
		content := "[\"t\",\"a\",\"x\"]\n[\"DateTime64(3)\",\"Array(IPv6)\",\"String\"]\n" + row + "\n"
		table, err := readTable(resultOf([]byte(content)), 100, 1e6)
		if err != nil || !json.Valid([]byte(row)) || strings.Contains(row, "\n") {
			return
		}
		for _, line := range table.rows {
			var cells []any
			if err := json.Unmarshal(line, &cells); err != nil || len(cells) != 3 {
				t.Errorf("%q becomes %q: %v", row, line, err)
			}
		}
	})
}
