package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// qualifyDictionaries has views look for dictionaries in their own database, and not in
// that of whoever asks. ClickHouse sees to that when it makes a view, but before it puts
// SQL functions in: so a view is made once more, of the text that has them.
func qualifyDictionaries(ctx context.Context, db *sql.DB) error {
	var views []string
	const unqualified = `
		SELECT groupArray(create_table_query) FROM system.tables
		WHERE database = currentDatabase() AND engine = 'View' AND match(create_table_query, 'dictGet\\w*\\(''[^''.]+''')`
	if err := db.QueryRowContext(ctx, unqualified).Scan(&views); err != nil {
		return fmt.Errorf("look for views with dictionaries: %w", err)
	}
	for _, create := range views {
		if _, err := db.ExecContext(ctx, strings.Replace(create, "CREATE VIEW", "CREATE OR REPLACE VIEW", 1)); err != nil {
			return fmt.Errorf("name the database of a view's dictionaries: %w", withoutStatement(err))
		}
	}
	return nil
}
