package awsvpc

import (
	"fmt"
	"io"
	"strings"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/parquet"
)

// rows decodes a file of Parquet: a column for each field, with underscores in its name
// instead of hyphens, and numbers as such.
type rows struct {
	*parquet.Reader
	decoder
	names []string // of the fields in plan
}

func openRows(o Options, file io.ReaderAt, size int64) (importer.Rows, error) {
	reader, err := parquet.Open(file, size)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(reader.Names()))
	for i, name := range reader.Names() {
		names[i] = fieldOf(name, i)
	}
	plan, err := parsePlan(strings.Join(names, " "))
	if err != nil {
		return nil, fmt.Errorf("the columns of the Parquet file are not those of a flow log: %w", err)
	}
	r := &rows{Reader: reader, decoder: decoder{exporter: o.Exporter}}
	var used []int
	for i, set := range plan {
		if set != nil {
			used = append(used, i)
			r.plan, r.names = append(r.plan, set), append(r.names, names[i])
		}
	}
	reader.Use(used)
	return r, nil
}

// fieldOf returns the field that a column holds. Those that flow logs do not have get a
// name that none has.
func fieldOf(column string, place int) string {
	name := strings.ReplaceAll(strings.ToLower(column), "_", "-")
	if _, known := setters[name]; known {
		return name
	}
	return fmt.Sprintf("column-%d", place)
}

// Decode implements importer.Rows.
func (r *rows) Decode(out *importer.Output) (importer.Reason, error) {
	if err := r.Next(); err != nil {
		return importer.Sent, err
	}
	r.record.reset()
	for i, set := range r.plan {
		value := r.Text(i)
		if len(value) == 0 || len(value) == 1 && value[0] == '-' {
			continue
		}
		if !set(&r.record, value) {
			out.Problem = fmt.Sprintf("%s is %+q", r.names[i], value[:min(len(value), 40)])
			return importer.BadValue, nil
		}
	}
	return r.complete(out), nil
}
