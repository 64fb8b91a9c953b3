package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// migrationTarget says where netmeta migrate goes, and how.
type migrationTarget struct {
	version int // clickhouse.Newest: the newest
	dryRun  bool
	force   bool
}

// print writes the SQL of the migrations that would run, and changes nothing.
func (m migrationTarget) print(cmd *cobra.Command, db *sql.DB) error {
	if err := reach(cmd.Context(), db); err != nil {
		return err
	}
	steps, err := clickhouse.Plan(cmd.Context(), db, m.version)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "netmeta: the schema is up to date, nothing would run")
		return nil
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	for _, step := range steps {
		direction := ""
		if step.Down {
			direction = ", taken back"
		}
		fmt.Fprintf(out, "-- %04d %s%s\n%s;\n\n", step.Version, step.Name, direction, step.SQL)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the SQL of the migrations: %w", err)
	}
	return nil
}

// check refuses to go down where that would lose something.
func (m migrationTarget) check(ctx context.Context, db *sql.DB) error {
	if m.version == clickhouse.Newest || m.force {
		return nil
	}
	steps, err := clickhouse.Plan(ctx, db, m.version)
	if err != nil {
		return err
	}
	losses, err := clickhouse.Losses(ctx, db, steps)
	if err != nil || len(losses) == 0 {
		return err
	}
	var what strings.Builder
	for _, loss := range losses {
		fmt.Fprintf(&what, "\n  %s", loss)
	}
	return errors.New(fmt.Sprintf("--to %d would lose what cannot be had back; nothing was changed:", m.version) + what.String() +
		"\nStore it elsewhere first (netmeta query --output csv), or lose it with --force.")
}

func (m migrationTarget) migrate(ctx context.Context, db *sql.DB) error {
	if m.version == clickhouse.Newest {
		return clickhouse.Migrate(ctx, db)
	}
	return clickhouse.MigrateTo(ctx, db, uint(m.version))
}
