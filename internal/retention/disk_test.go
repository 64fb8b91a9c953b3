package retention

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// migrated returns a client of a new database with the whole schema, without a Kafka.
func migrated(t *testing.T) *sql.DB {
	t.Helper()
	name := chdbtest.Database(t)
	server := httptest.NewServer(chhttp.New(chdbtest.Engine(t), chhttp.Options{}))
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(server.URL + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	kafka := clickhouse.Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
	if err := clickhouse.ConfigureKafka(t.Context(), db, kafka); err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func stored(t *testing.T, db *sql.DB, table string) (days string) {
	t.Helper()
	if err := db.QueryRow("SELECT arrayStringConcat(arraySort(groupUniqArray(toString(toDate(TimeReceived)))), ' ') FROM " + table).Scan(&days); err != nil {
		t.Fatal(err)
	}
	return days
}

func TestOnlySoManyDaysAreDroppedAsTheDiskNeeds(t *testing.T) {
	days := []Day{{Day: "2026-03-01", Bytes: 100}, {Day: "2026-03-02", Bytes: 50}, {Day: "2026-03-03", Bytes: 70}}
	for name, test := range map[string]struct {
		disk    disk
		dropped string
		left    int64 // bytes too much
	}{
		"below the share":                        {disk{used: 700, total: 1000}, "", -100},
		"exactly the share":                      {disk{used: 800, total: 1000}, "", 0},
		"a little above":                         {disk{used: 801, total: 1000}, "2026-03-01", -99},
		"as much as a day":                       {disk{used: 900, total: 1000}, "2026-03-01", 0},
		"more than a day":                        {disk{used: 901, total: 1000}, "2026-03-01 2026-03-02", -49},
		"above, but dropped files are leaving":   {disk{used: 901, total: 1000, leaving: 101}, "", 0},
		"so full that the newest day would help": {disk{used: 990, total: 1000}, "2026-03-01 2026-03-02", 40},
	} {
		t.Run(name, func(t *testing.T) {
			drop, left := choose(days, test.disk.excess(0.8))
			var names []string
			for _, d := range drop {
				names = append(names, d.Day)
			}
			if got := strings.Join(names, " "); got != test.dropped || left != test.left {
				t.Errorf("dropped %q, %d left; want %q, %d", got, left, test.dropped, test.left)
			}
		})
	}
	if drop, left := choose(nil, 10); drop != nil || left != 10 {
		t.Errorf("without a day: %v, %d", drop, left)
	}
}

func TestFullDiskCostsTheOldestFlowsButNeverTheNewestDayNorTheSums(t *testing.T) {
	db := migrated(t)
	if _, err := db.Exec(`INSERT INTO flows_raw (TimeReceived, Bytes, SamplingRate) SELECT toDateTime('2030-03-01 12:00:00', 'UTC') + number % 3 * 86400, number, 1 FROM numbers(3000)`); err != nil {
		t.Fatal(err)
	}
	if dropped, err := KeepBelow(t.Context(), db, 0.999999); err != nil || dropped != nil {
		t.Fatalf("a disk that is not full: %v, %v", dropped, err)
	}
	before := testutil.ToFloat64(droppedFlows.WithLabelValues(reasonDisk))
	dropped, err := KeepBelow(t.Context(), db, 0.000001)
	if err == nil || !strings.Contains(err.Error(), "still above 0.0001% after all days of flows but the newest") || !strings.Contains(err.Error(), "--minutes") {
		t.Errorf("got %v, want that it is not enough, and what to do", err)
	}
	if len(dropped) != 2 || dropped[0].Day != "2030-03-01" || dropped[0].Flows != 1000 || dropped[0].Bytes == 0 || dropped[1].Day != "2030-03-02" {
		t.Errorf("dropped %+v", dropped)
	}
	if days := stored(t, db, "flows_raw"); days != "2030-03-03" {
		t.Errorf("flows of %s are left", days)
	}
	if days := stored(t, db, "flows_1m"); days != "2030-03-01 2030-03-02 2030-03-03" {
		t.Errorf("sums of %s are left", days)
	}
	if n := testutil.ToFloat64(droppedFlows.WithLabelValues(reasonDisk)) - before; n != 2000 {
		t.Errorf("%v flows are counted as dropped, want 2000", n)
	}
	// The sums are not taken for wrong because their flows are gone.
	if hours, err := clickhouse.CheckRollups(t.Context(), db, time.Time{}); err != nil || len(hours) != 0 {
		t.Errorf("differing hours: %v, %v", hours, err)
	}
}

// Files stay for some minutes: a second look must not drop more for them.
func TestFilesThatAreAboutToBeDeletedDoNotCountAsUsed(t *testing.T) {
	db := migrated(t)
	for range 2 {
		if _, err := db.Exec(`INSERT INTO flows_raw (TimeReceived, Bytes) SELECT toDateTime('2030-03-01 12:00:00', 'UTC'), rand64() FROM numbers(100000)`); err != nil {
			t.Fatal(err)
		}
	}
	before, err := readDisk(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`OPTIMIZE TABLE flows_raw FINAL`); err != nil {
		t.Fatal(err)
	}
	after, err := readDisk(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if after.leaving < before.leaving+1_000_000 || after.used > after.total {
		t.Errorf("before a merge of two parts %+v, afterwards %+v: the old parts are not leaving", before, after)
	}
}

func TestTableThatDoesNotExistIsSaid(t *testing.T) {
	name := chdbtest.Database(t)
	server := httptest.NewServer(chhttp.New(chdbtest.Engine(t), chhttp.Options{}))
	t.Cleanup(server.Close)
	db, err := clickhouse.Open(fmt.Sprint(server.URL, "/", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := KeepBelow(t.Context(), db, 0.8); err == nil || !strings.Contains(err.Error(), "netmeta migrate") {
		t.Errorf("got %v, want what is missing", err)
	}
}
