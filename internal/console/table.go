package console

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/leoluk/NetMeta/internal/query"
)

// column of an answer. Type is ClickHouse's name of it.
type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// table is the result of a query, its rows encoded as the page gets them: times are
// unix milliseconds, numbers are numbers also beyond 2^53, NaN and infinity are null,
// IPv4 addresses have no ::ffff: before them.
type table struct {
	columns   []column
	rows      [][]byte // each a JSON array
	read      query.Progress
	elapsed   time.Duration // in ClickHouse, with the way there
	waited    time.Duration // for a turn
	truncated bool
}

// tableFormat is the format that readTable reads: ClickHouse encodes the rows, of
// which only cells of a few types have to be touched.
const tableFormat = "JSONCompactEachRowWithNamesAndTypes"

// tableSettings make ClickHouse write cells as table has them.
var tableSettings = map[string]string{
	"output_format_json_quote_64bit_integers":    "0",
	"output_format_json_quote_decimals":          "0",
	"output_format_json_quote_denormals":         "0",
	"output_format_json_escape_forward_slashes":  "0",
	"output_format_json_named_tuples_as_objects": "1",
	"output_format_json_validate_utf8":           "1",
	"date_time_output_format":                    "unix_timestamp",
}

// errOtherFormat is a result in another format than was asked for.
var errOtherFormat = errors.New("the statement has a FORMAT clause, which the page cannot show")

// readTable reads at most so many rows and bytes of a result.
func readTable(result *query.Result, maxRows, maxBytes int) (*table, error) {
	if result.Format != "" && result.Format != tableFormat {
		return nil, errOtherFormat
	}
	t := &table{read: result.Progress}
	r := bufio.NewReaderSize(result, 64<<10)
	columns, err := query.ReadColumns(r)
	if err != nil {
		return nil, err
	}
	edits := make([]edit, len(columns))
	edited := false
	for i, c := range columns {
		t.columns = append(t.columns, column(c))
		edits[i] = editOf(c.Type)
		edited = edited || edits[i] != nil
	}
	return t, t.readRows(r, edits, edited, maxRows, maxBytes)
}

func (t *table) readRows(r *bufio.Reader, edits []edit, edited bool, maxRows, maxBytes int) error {
	size := 0
	for {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if len(t.rows) == maxRows || size+len(line) > maxBytes {
				t.truncated = true
				return nil
			}
			if edited {
				if line, err = editRow(line, edits); err != nil {
					return err
				}
			}
			size += len(line)
			t.rows = append(t.rows, line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// An edit rewrites a cell as ClickHouse has encoded it.
type edit func(out, cell []byte) []byte

var (
	wrapped   = regexp.MustCompile(`^(?:Nullable|LowCardinality)\((.*)\)$`)
	dateTimes = regexp.MustCompile(`^DateTime(?:64)?(?:\(|$)`)
	addresses = regexp.MustCompile(`^(?:(?:Array|Map|Tuple|Nullable|LowCardinality)\(.*)?IPv6\b`)
)

// editOf returns the edit of a column's type, nil for most.
func editOf(columnType string) edit {
	inner := columnType
	for {
		match := wrapped.FindStringSubmatch(inner)
		if match == nil {
			break
		}
		inner = match[1]
	}
	switch {
	case dateTimes.MatchString(inner):
		return editTime
	case addresses.MatchString(inner):
		return editAddress
	}
	return nil
}

// editTime makes milliseconds of "1700000000" or "1700000000.250".
func editTime(out, cell []byte) []byte {
	text := string(bytes.Trim(cell, `"`))
	seconds, fraction, _ := bytes.Cut([]byte(text), []byte("."))
	whole, err := strconv.ParseInt(string(seconds), 10, 64)
	if err != nil {
		return append(out, cell...) // null
	}
	digits := append(append([]byte(nil), fraction...), "000"...)[:3]
	milli, _ := strconv.ParseInt(string(digits), 10, 64) // digits of ClickHouse
	if bytes.HasPrefix(seconds, []byte("-")) {
		milli = -milli
	}
	return strconv.AppendInt(out, whole*1000+milli, 10)
}

var mapped = []byte(`"::ffff:`)

// editAddress takes ::ffff: off IPv4 addresses, also of those in an array.
func editAddress(out, cell []byte) []byte {
	for {
		before, after, found := bytes.Cut(cell, mapped)
		out = append(out, before...)
		if !found {
			return out
		}
		out = append(out, '"')
		if end := bytes.IndexByte(after, '"'); end < 0 || bytes.IndexByte(after[:end], '.') < 0 {
			out = append(out, mapped[1:]...)
		}
		cell = after
	}
}

// editRow applies edits to the cells of a row.
func editRow(row []byte, edits []edit) ([]byte, error) {
	out := append(make([]byte, 0, len(row)+len(edits)), '[')
	at, i := 1, 0
	for ; i < len(edits); i++ {
		for at < len(row) && (row[at] == ' ' || row[at] == ',') {
			at++
		}
		end := cellEnd(row, at)
		if end >= len(row) || end == at {
			break
		}
		if i > 0 {
			out = append(out, ',')
		}
		if edits[i] != nil {
			out = edits[i](out, row[at:end])
		} else {
			out = append(out, row[at:end]...)
		}
		at = end
	}
	if i < len(edits) || bytes.TrimSpace(row[at:])[0] != ']' {
		return nil, fmt.Errorf("read a row of %d columns: ClickHouse wrote %.100s", len(edits), row)
	}
	return append(out, ']'), nil
}

// cellEnd returns where the JSON value that begins at i ends.
func cellEnd(row []byte, i int) int {
	depth := 0
	for ; i < len(row); i++ {
		switch row[i] {
		case '"':
			for i++; i < len(row) && row[i] != '"'; i++ {
				if row[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}
