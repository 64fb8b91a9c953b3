package console

import (
	"context"
	"database/sql"
	"time"
)

// stored is what ClickHouse holds.
type stored struct {
	rows   float64
	errors float64   // Kafka messages that could not be parsed
	newest time.Time // when the newest flow of the last hour was received; zero if none
	// reasons are the most frequent of the last hour's parse errors.
	reasons []string
}

const storedQuery = `
SELECT
    (SELECT count() FROM flows_raw) AS rows,
    (SELECT count() FROM flows_errors) AS errors,
    (SELECT max(TimeReceived) FROM flows_raw WHERE TimeReceived >= now() - INTERVAL 1 HOUR) AS newest`

const storedErrorsQuery = `
SELECT left(Reason, 300) AS reason
FROM flows_errors
WHERE TimeReceived >= now() - INTERVAL 1 HOUR
GROUP BY reason
ORDER BY count() DESC
LIMIT 3`

func (d database) stored(ctx context.Context) (stored, error) {
	var result stored
	err := d.rows(ctx, "the number of rows", storedQuery, nil, func(rows *sql.Rows) error {
		var flows, errors *uint64
		var newest *time.Time
		if err := rows.Scan(&flows, &errors, &newest); err != nil {
			return err
		}
		if flows != nil {
			result.rows = float64(*flows)
		}
		if errors != nil {
			result.errors = float64(*errors)
		}
		// An empty set has 1970 as its maximum.
		if newest != nil && newest.Unix() > 0 {
			result.newest = *newest
		}
		return nil
	})
	if err != nil || result.errors == 0 {
		return result, err
	}
	err = d.rows(ctx, "reasons of parse errors", storedErrorsQuery, nil, func(rows *sql.Rows) error {
		var reason string
		if err := rows.Scan(&reason); err != nil {
			return err
		}
		result.reasons = append(result.reasons, reason)
		return nil
	})
	return result, err
}
