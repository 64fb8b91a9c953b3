package query

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// RowsFormat is the format of a result that ReadRows reads.
const RowsFormat = "JSONCompactStringsEachRowWithNamesAndTypes"

// Column is a column of a result.
type Column struct {
	Name string
	Type string // ClickHouse's name of it
}

// Value is a value of a result as ClickHouse writes it.
type Value struct {
	Text string
	Null bool
}

// Rows are the rows of a result, one after the other.
type Rows struct {
	Columns  []Column
	r        *bufio.Reader
	nullable []bool
}

// ReadRows reads the columns of a result in RowsFormat. A statement without output
// has none.
func ReadRows(r io.Reader) (*Rows, error) {
	rows := &Rows{r: bufio.NewReaderSize(r, 64<<10)}
	var err error
	if rows.Columns, err = ReadColumns(rows.r); err != nil {
		return nil, err
	}
	for _, column := range rows.Columns {
		rows.nullable = append(rows.nullable, nullable(column.Type))
	}
	return rows, nil
}

// ReadColumns reads the two lines that a result begins with in the formats
// JSONCompact…EachRowWithNamesAndTypes. A statement without output has none: then there
// are no columns, and no error.
func ReadColumns(r *bufio.Reader) ([]Column, error) {
	names, err := readStrings(r)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	types, err := readStrings(r)
	if err != nil {
		return nil, fmt.Errorf("read the types of the columns: %w", err)
	}
	if len(types) != len(names) {
		return nil, fmt.Errorf("read the types of the columns: %d of %d", len(types), len(names))
	}
	columns := make([]Column, len(names))
	for i, name := range names {
		columns[i] = Column{Name: name, Type: types[i]}
	}
	return columns, nil
}

// nullable tells whether a column of a type can have no value. In others the text by
// which NULL is written is just a text.
func nullable(columnType string) bool {
	for _, prefix := range []string{"Nullable(", "LowCardinality(Nullable(", "Variant(", "Dynamic", "SimpleAggregateFunction("} {
		if strings.HasPrefix(columnType, prefix) {
			return true
		}
	}
	return false
}

// Next returns the next row, or io.EOF behind the last one.
func (r *Rows) Next() ([]Value, error) {
	texts, err := readStrings(r.r)
	if err != nil {
		return nil, err
	}
	if len(texts) != len(r.Columns) {
		return nil, fmt.Errorf("read a row: %d values for %d columns", len(texts), len(r.Columns))
	}
	const null = "ᴺᵁᴸᴸ"
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i] = Value{Text: text}
		if text == null && r.nullable[i] {
			values[i] = Value{Null: true}
		}
	}
	return values, nil
}

// readStrings reads one array of strings, a line.
func readStrings(r *bufio.Reader) ([]string, error) {
	line, err := r.ReadBytes('\n')
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	var texts []string
	if err := json.Unmarshal(line, &texts); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	return texts, nil
}

// CopyArray writes a result in the format JSONEachRow as one array of objects, a row a
// line. Where reading fails, the array stays open, so that nobody takes it for whole.
func CopyArray(w io.Writer, r io.Reader) error {
	in, out := bufio.NewReaderSize(r, 64<<10), bufio.NewWriterSize(w, 64<<10)
	before := "[\n"
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out.WriteString(before) // bufio.Writer keeps its error for Flush
			out.Write(line)
			before = ",\n"
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return errors.Join(err, out.Flush())
		case before == "[\n":
			out.WriteString("[]\n")
		default:
			out.WriteString("\n]\n")
		}
		return out.Flush()
	}
}
