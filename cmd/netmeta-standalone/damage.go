package main

import (
	"context"
	"fmt"
	"log/slog"
)

// reportDamage logs the parts of tables that ClickHouse could not read when it
// started, for example after a power failure. It sets them aside and goes on
// without their rows, which nobody would notice otherwise.
func (s *standalone) reportDamage(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT table, name, ifNull(reason, ''), path FROM system.detached_parts WHERE reason LIKE '%broken%'`)
	if err != nil {
		return fmt.Errorf("ask ClickHouse for damaged parts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, part, reason, path string
		if err := rows.Scan(&table, &part, &reason, &path); err != nil {
			return err
		}
		slog.Warn("standalone: ClickHouse cannot read a part of a table and has set it aside: its rows are missing; delete the directory to be rid of this message",
			"table", table, "part", part, "reason", reason, "directory", path)
	}
	return rows.Err()
}
