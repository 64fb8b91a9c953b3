package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/retention"
)

func newRollupsCommand() *cobra.Command {
	var (
		since   retention.Age
		repair  bool
		output  string
		address func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "rollups",
		Short: "Compare the sums by minute and hour with the flows, and repair them",
		Long: `rollups shows the hours whose sums, in flows_1m and flows_1h, are not those of
flows_raw. ClickHouse that was killed may have stored a block of flows without its sums.
Exit status 1 if there are such hours.

--repair adds what is missing. For each hour flows wait in Kafka meanwhile, a second or
two. What flows_raw has lost, but the sums still have, stays. It waits while something
else repairs or migrates the database.`,
		Example: `  netmeta rollups
  netmeta rollups --repair --since 2d`,
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
			var from time.Time
			if since != 0 {
				from = time.Now().Add(-time.Duration(since))
			}
			hours := rollupReport{}
			if repair {
				err = clickhouse.RepairRollups(cmd.Context(), db, from, func(h clickhouse.RollupHour) { hours = append(hours, h) })
			} else {
				var found []clickhouse.RollupHour
				found, err = clickhouse.CheckRollups(cmd.Context(), db, from)
				hours = append(hours, found...)
			}
			if written := writeReport(cmd.OutOrStdout(), output, hours, hours.table); written != nil || err != nil {
				return errors.Join(err, written)
			}
			return hours.verdict(repair)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	address = addClickHouseFlag(cmd)
	flags.Var(&since, "since", "look at so much of the past: 12h, 30d; left out, at all of it")
	flags.BoolVar(&repair, "repair", false, "make the sums as the flows are")
	flags.StringVar(&output, "output", "table", "table or json")
	completeEnum(cmd, "output", "table", "json")
	return cmd
}

// rollupReport is the hours whose sums differ, or differed.
type rollupReport []clickhouse.RollupHour

func (r rollupReport) table(w io.Writer) error {
	if len(r) == 0 {
		_, err := fmt.Fprintln(w, "all sums are those of the flows")
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "hour (UTC)\tflows_raw\tflows_1m\tflows_1h\t")
	for _, h := range r {
		state := "differs"
		switch {
		case h.Fewer:
			state = "flows_raw has lost some, the sums stay"
		case h.Repaired:
			state = "repaired"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", h.Hour.UTC().Format(time.DateTime),
			humanize.Comma(int64(h.Raw)), humanize.Comma(int64(h.Minutes)), humanize.Comma(int64(h.Hours)), state)
	}
	return out.Flush()
}

// verdict is an error where sums differ and were not looked after.
func (r rollupReport) verdict(repair bool) error {
	if repair || len(r) == 0 {
		return nil
	}
	return fmt.Errorf("the sums of %d hours are not those of the flows: --repair makes them so; where flows arrive just now, ask again", len(r))
}
