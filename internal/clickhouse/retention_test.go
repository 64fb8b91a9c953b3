package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

func TestRetentionIsChangedWithoutTouchingRows(t *testing.T) {
	db, _ := migrated(t)
	definition := "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '%'"
	const mutations = "SELECT count() FROM system.mutations WHERE database = currentDatabase()"
	before := query[uint64](t, db, mutations)
	for _, age := range []time.Duration{time.Hour, 100 * 24 * time.Hour, 100 * 24 * time.Hour} {
		if err := clickhouse.SetRetention(t.Context(), db, clickhouse.Retention{Raw: age, Minutes: 2 * age, Hours: 3 * age}); err != nil {
			t.Fatal(err)
		}
	}
	for table, want := range map[string]string{
		"flows_raw": "toIntervalSecond(8640000)", "flows_errors": "toIntervalSecond(8640000)", "interface_counters": "toIntervalSecond(8640000)", "web_requests": "toIntervalSecond(8640000)", "traces": "toIntervalSecond(8640000)",
		"flows_1m": "toIntervalSecond(17280000)", "flows_1h": "toIntervalSecond(25920000)",
	} {
		if got := query[string](t, db, strings.Replace(definition, "%", table, 1)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", table, got)
		}
	}
	if n := query[uint64](t, db, mutations); n != before {
		t.Errorf("%d mutations rewrite rows", n-before)
	}
}

func TestRetentionThatIsNotGivenStaysAsItIs(t *testing.T) {
	db, _ := migrated(t)
	ages := func() (texts []string) {
		tables, err := clickhouse.ReadRetention(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range tables {
			texts = append(texts, fmt.Sprint(k.Table, " ", k.Age.Hours()/24))
		}
		return texts
	}
	if got, want := fmt.Sprint(ages()), "[flows_raw 7 flows_1m 30 flows_1h 400 interface_counters 7 web_requests 7 traces 7 flows_errors 7]"; got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	if err := clickhouse.SetRetention(t.Context(), db, clickhouse.Retention{Hours: 5 * 365 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(ages()), "[flows_raw 7 flows_1m 30 flows_1h 1825 interface_counters 7 web_requests 7 traces 7 flows_errors 7]"; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
}

// Behind 2106, a DateTime begins anew: a thousand years would drop everything at once.
func TestRetentionThatIsTooShortOrTooLongIsRefusedAsAWhole(t *testing.T) {
	db, _ := migrated(t)
	for want, keep := range map[string]clickhouse.Retention{
		"1m0s is too short":        {Raw: time.Minute},
		"-1h0m0s is too short":     {Raw: 24 * time.Hour, Minutes: -time.Hour},
		"1752000h0m0s is too long": {Raw: 24 * time.Hour, Hours: 200 * 365 * 24 * time.Hour},
	} {
		if err := clickhouse.SetRetention(t.Context(), db, keep); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want that it is refused", keep, err)
		}
	}
	if got := query[string](t, db, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'"); !strings.Contains(got, "toIntervalDay(7)") {
		t.Errorf("flows_raw was changed all the same: %s", got)
	}
}

func TestStoredFlowsAreShownWithTheirAge(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "INSERT INTO flows_raw (TimeReceived) VALUES ('2030-05-01 14:00:30'), ('2030-05-02 14:00:30')")
	tables, err := clickhouse.ReadRetention(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"flows_raw 2 2030-05-01 14:00:30", "flows_1m 2 2030-05-01 14:00:00", "flows_1h 2 2030-05-01 14:00:00"} {
		if got := fmt.Sprint(tables[i].Table, " ", tables[i].Rows, " ", tables[i].Oldest.UTC().Format(time.DateTime)); got != want || tables[i].Bytes == 0 {
			t.Errorf("got %s with %d bytes, want %s", got, tables[i].Bytes, want)
		}
	}
}
