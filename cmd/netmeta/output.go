package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

// completeEnum lets the shell complete a flag that takes one of a few values.
func completeEnum(cmd *cobra.Command, flag string, values ...cobra.Completion) {
	complete := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist: a mistake in this program
	}
}

func checkOutput(output string) error {
	if output != "table" && output != "json" {
		return fmt.Errorf("--output %q: must be table or json", output)
	}
	return nil
}

// writeReport writes a report as JSON, or as a table for people.
func writeReport(w io.Writer, output string, report any, table func(io.Writer) error) error {
	write := table
	if output == "json" {
		write = func(w io.Writer) error { return json.NewEncoder(w).Encode(report) }
	}
	if err := write(w); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// progress shows on a terminal how far a run has come. Elsewhere it is silent.
type progress struct {
	w       io.Writer
	unit    string
	total   uint64 // 0: unknown
	started time.Time
	shown   bool
}

func newProgress(w io.Writer, unit string, total uint64) *progress {
	p := &progress{w: io.Discard, unit: unit, total: total, started: time.Now()}
	if isTerminal(w) {
		p.w = w
	}
	return p
}

func (p *progress) update(count uint64) {
	elapsed := time.Since(p.started)
	rate := float64(count) / max(elapsed.Seconds(), 0.001)
	done := humanize.Comma(int64(count))
	left := ""
	if p.total > 0 && rate > 0 {
		done += " of " + humanize.Comma(int64(p.total))
		remaining := time.Duration(float64(p.total-count) / rate * float64(time.Second))
		left = fmt.Sprintf(", %s left", remaining.Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r%s %s, %s/s%s%s", done, p.unit, humanize.Comma(int64(rate)), left, eraseToEnd)
	p.shown = true
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprintln(p.w)
	}
}
