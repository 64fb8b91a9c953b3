package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/retention"
)

func newRetentionCommand() *cobra.Command {
	var (
		raw, minutes, hours retention.Age
		disk                retention.Share
		output              string
		address             func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Show and change how long flows and their sums are kept",
		Long: `retention shows how long flows, their sums by minute and by hour, and counters are
kept, and how much there is of them. With an age, it changes that first. Nothing is
rewritten, neither by the change nor later: whole parts are dropped when all that is in
them has passed the age.

--disk drops the oldest days of flows until the disk is below a share. It looks once, so
let it run again and again, for example every ten minutes by a CronJob. Sums stay, and so
does the newest day: where that is not enough, it says so, with exit status 1.`,
		Example: `  netmeta retention
  netmeta retention --raw 30d --minutes 1y --hours 5y
  netmeta retention --disk 80%`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			db, err := openClickHouse(address)
			if err != nil {
				return err
			}
			defer db.Close()
			if err := reach(cmd.Context(), db); err != nil {
				return err
			}
			keep := clickhouse.Retention{Raw: time.Duration(raw), Minutes: time.Duration(minutes), Hours: time.Duration(hours)}
			report, failed := runRetention(cmd.Context(), db, keep, disk)
			if report == nil {
				return failed
			}
			if err := writeReport(cmd.OutOrStdout(), output, report, report.table); err != nil {
				return err
			}
			return failed
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	address = addClickHouseFlag(cmd)
	flags.Var(&raw, "raw", "keep flows and interface counters for so long: 12h, 30d, 6w, 2y")
	flags.Var(&minutes, "minutes", "keep sums by minute for so long")
	flags.Var(&hours, "hours", "keep sums by hour for so long")
	flags.Var(&disk, "disk", "drop the oldest days of flows until the disk is less full than this: 80%")
	flags.StringVar(&output, "output", "table", "table or json")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

// retentionReport is what is kept, and what was dropped for it.
type retentionReport struct {
	Tables  []keptTable     `json:"tables"`
	Dropped []retention.Day `json:"dropped"`
}

type keptTable struct {
	Table   string     `json:"table"`
	Seconds int64      `json:"kept_seconds"` // 0: for ever
	Oldest  *time.Time `json:"oldest"`       // null: nothing is stored
	Rows    uint64     `json:"rows"`
	Bytes   uint64     `json:"bytes"`
}

// runRetention changes what is asked for and reports what there is. An error comes with
// a report where something was dropped, but not enough.
func runRetention(ctx context.Context, db *sql.DB, keep clickhouse.Retention, disk retention.Share) (*retentionReport, error) {
	if err := clickhouse.SetRetention(ctx, db, keep); err != nil {
		return nil, err
	}
	report := &retentionReport{Tables: []keptTable{}, Dropped: []retention.Day{}}
	var failed error
	if disk != 0 {
		var dropped []retention.Day
		dropped, failed = retention.KeepBelow(ctx, db, disk)
		if failed != nil {
			failed = fmt.Errorf("--disk %s: %w", disk, failed)
		}
		report.Dropped = append(report.Dropped, dropped...)
	}
	tables, err := clickhouse.ReadRetention(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, k := range tables {
		t := keptTable{Table: k.Table, Seconds: int64(k.Age / time.Second), Rows: k.Rows, Bytes: k.Bytes}
		if k.Rows > 0 {
			oldest := k.Oldest.UTC()
			t.Oldest = &oldest
		}
		report.Tables = append(report.Tables, t)
	}
	return report, failed
}

func (r *retentionReport) table(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "table\tkept for\toldest (UTC)\trows\ton disk")
	for _, t := range r.Tables {
		age, oldest := "ever", "-"
		if t.Seconds > 0 {
			age = retention.Age(time.Duration(t.Seconds) * time.Second).String()
		}
		if t.Oldest != nil {
			oldest = t.Oldest.Format(time.DateTime)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", t.Table, age, oldest, humanize.Comma(int64(t.Rows)), humanize.IBytes(t.Bytes))
	}
	for _, d := range r.Dropped {
		fmt.Fprintf(out, "dropped flows of %s\t\t\t%s\t%s\n", d.Day, humanize.Comma(int64(d.Flows)), humanize.IBytes(d.Bytes))
	}
	return out.Flush()
}
