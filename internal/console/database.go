package console

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// What one query may cost. A page that polls must never be what keeps the engine
// from storing flows.
const (
	queryTimeout = 10 * time.Second // after which it is cancelled; see limited
	queryMemory  = 1 << 30          // bytes
	queryThreads = 2
)

// database is ClickHouse as the console uses it: read-only, within limits.
type database struct{ db *sql.DB }

// limited returns a context under which queries are limited. It descends from no
// request, as an answer is shared by several. clickhouse-go sets max_execution_time
// from the deadline, 5 s later than that; the cancellation comes first.
func limited() (context.Context, context.CancelFunc) {
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{
		"max_memory_usage": queryMemory,
		"max_threads":      queryThreads,
		"cancel_http_readonly_queries_on_client_close": 1,
	}))
	return context.WithTimeout(ctx, queryTimeout)
}

// rows calls scan for every row of the answer to query. what names the query in
// errors: "top talkers".
func (d database) rows(ctx context.Context, what, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return queryError(what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return queryError(what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return queryError(what, err)
	}
	return nil
}

func queryError(what string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ask ClickHouse for %s: no answer within %s: %w", what, queryTimeout, err)
	}
	// What lies around the transport's error are clickhouse-go's steps and the URL
	// with all settings: too long for a page.
	if transport := (*url.Error)(nil); errors.As(err, &transport) {
		err = transport.Err
	}
	return fmt.Errorf("ask ClickHouse for %s: %w", what, err)
}
