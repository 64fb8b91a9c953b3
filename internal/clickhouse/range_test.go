package clickhouse_test

import (
	"fmt"
	"testing"
	"time"
)

// The column of the time stands at the end of the table's order, behind a function of it
// at the beginning: ClickHouse alone would take no part of the order for a time range.
func TestTimeRangeReadsOnlyItsPartOfTheDay(t *testing.T) {
	db, _ := migrated(t)
	day := time.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	exec(t, db, fmt.Sprintf(`INSERT INTO flows_raw (TimeReceived, SamplerAddress, SrcAddr)
		SELECT toDateTime(%d + number %% 86400, 'UTC'), toIPv6('192.0.2.1'), toIPv6('192.0.2.9') FROM numbers(1000000)`, day.Unix()))
	read := query[uint64](t, db, fmt.Sprintf(`SELECT sum(rows) FROM (
		EXPLAIN ESTIMATE SELECT sum(Bytes) FROM flows_raw WHERE TimeReceived BETWEEN toDateTime(%d, 'UTC') AND toDateTime(%d, 'UTC'))`,
		day.Add(12*time.Hour).Unix(), day.Add(12*time.Hour+15*time.Minute).Unix()))
	if read == 0 || read > 100_000 {
		t.Errorf("%d of 1,000,000 rows would be read for a quarter of an hour of a day", read)
	}
}
