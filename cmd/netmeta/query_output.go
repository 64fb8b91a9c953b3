package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/query"
	"github.com/leoluk/NetMeta/internal/table"
)

// queryRun is a query that runs.
type queryRun struct {
	client   *query.Client
	id       string
	options  queryOptions
	out      io.Writer
	started  time.Time
	progress *queryProgress
}

// passing returns standard output for results that are passed on as they come. On a
// terminal, they would mix with the progress.
func (r *queryRun) passing() io.Writer {
	if isTerminal(r.out) {
		return stopFirst{r}
	}
	return r.out
}

// stopFirst ends the progress before anything is written.
type stopFirst struct{ *queryRun }

// Write implements io.Writer.
func (s stopFirst) Write(p []byte) (int, error) {
	s.progress.stop()
	return s.out.Write(p)
}

// copy passes a result on as it comes.
func (r *queryRun) copy(result *query.Result) error {
	_, err := io.Copy(r.passing(), result)
	return err
}

// defaultWidth is for drawings that do not go to a terminal.
const defaultWidth = 80

// draw reads a result and draws it.
func (r *queryRun) draw(result *query.Result) error {
	rows, err := query.ReadRows(result)
	if err != nil {
		return err
	}
	if r.options.output == "sparkline" {
		return r.drawSparkline(rows)
	}
	keep := r.options.limit
	values, count, err := collectRows(rows, keep)
	if err != nil {
		return err
	}
	r.progress.stop()
	width := terminalWidth(r.out)
	if r.options.wide {
		width = 0
	}
	if err := table.Write(r.out, rows.Columns, values, width); err != nil {
		return err
	}
	if more := count - len(values); more > 0 {
		fmt.Fprintf(r.out, "… and %s more (--limit 0 shows all)\n", counted(more, "row"))
	}
	_, err = fmt.Fprintln(r.out, r.footer(count, result.Progress))
	return err
}

func (r *queryRun) drawSparkline(rows *query.Rows) error {
	// Far more than a terminal can show; what is behind must not cost memory.
	const most = 2_000_000
	values, count, err := collectRows(rows, most)
	if err != nil {
		return err
	}
	if count > most {
		return fmt.Errorf("--output sparkline: %s are too many to draw: GROUP BY a longer time, toStartOfMinute or toStartOfHour", counted(count, "row"))
	}
	r.progress.stop()
	width := terminalWidth(r.out)
	if width == 0 {
		width = defaultWidth
	}
	if err := table.Draw(r.out, rows.Columns, values, width); err != nil {
		return fmt.Errorf("--output sparkline: %w", err)
	}
	if count == 0 {
		_, err = fmt.Fprintln(r.out, "no rows")
	}
	return err
}

// collectRows reads all rows, counts them, and keeps the first ones; 0 is all.
func collectRows(rows *query.Rows, keep int) (values [][]query.Value, count int, err error) {
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return values, count, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if count++; keep == 0 || count <= keep {
			values = append(values, row)
		}
	}
}

// footer says what the query took. What it has read is known when its output begins;
// with progress also later.
func (r *queryRun) footer(count int, read query.Progress) string {
	if last := r.progress.last(); last.Rows > read.Rows {
		read = last
	}
	return fmt.Sprintf("%s in %.3f s; read %s, %s", counted(count, "row"), time.Since(r.started).Seconds(),
		counted(int(read.Rows), "row"), humanize.Bytes(read.Bytes))
}

// counted writes a number with what it counts.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return humanize.Comma(int64(n)) + " " + what
}
