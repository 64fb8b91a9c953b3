package dashboards_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// everything is let through by filters that only flows know, but read from flows.
var everything = map[string]dashboard.Values{
	"host": {"host": {"0.0.0.0/0, ::/0"}}, "source": {"source": {"0.0.0.0/0, ::/0"}}, "destination": {"destination": {"0.0.0.0/0, ::/0"}},
	"port": {"port": {"0-65535"}}, "nextHop": {"nextHop": {"0.0.0.0/0, ::/0"}}, "vlan": {"vlan": {"0-4094"}}, "sql": {"sql": {"1 = 1"}},
}

// lines runs the first query of a panel and returns its rows as text, in order of it.
func lines(t *testing.T, db *sql.DB, scope dashboard.Scope, panel *dashboard.Panel) []string {
	t.Helper()
	statement, err := scope.Expand(panel.Targets[0].RawSQL)
	must(t, err)
	var all []string
	for _, row := range run(t, db, statement).rows {
		all = append(all, fmt.Sprint(row))
	}
	slices.Sort(all)
	return all
}

func TestSumsSayWhatFlowsSayAlsoAtTheEdges(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	minute := testFrom.Truncate(time.Minute)
	panels := 0
	for _, d := range loaded(t) {
		for _, panel := range d.AllPanels() {
			if len(panel.Targets) == 0 || !strings.Contains(panel.Targets[0].RawSQL, "FROM flows_1m") {
				continue
			}
			panels++
			for _, c := range []struct {
				name     string
				from, to time.Time
				interval time.Duration
			}{
				{"from within a minute to within one", testFrom, testTo, time.Minute},
				{"of whole minutes", minute, minute.Add(20 * time.Minute), 2 * time.Minute},
				{"in buckets of less than a minute", testFrom, testFrom.Add(3 * time.Minute), 15 * time.Second},
				{"in buckets that are no minutes", testFrom, testTo, 90 * time.Second},
				{"of two minutes, neither whole", minute.Add(30 * time.Second), minute.Add(90 * time.Second), 10 * time.Second},
				{"within a minute", minute.Add(5 * time.Second), minute.Add(55 * time.Second), 5 * time.Second},
			} {
				scope := dashboard.Scope{Dashboard: d, From: c.from, To: c.to, Interval: c.interval}
				got := lines(t, read, scope, panel)
				scope.Values = everything["sql"]
				if diff := cmp.Diff(lines(t, read, scope, panel), got); diff != "" || len(got) == 0 {
					t.Errorf("%s/%d %s, %s (-flows +sums):\n%s", d.UID, panel.ID, panel.Title, c.name, diff)
				}
			}
		}
	}
	if panels < 15 {
		t.Errorf("%d panels read sums", panels)
	}
}

// A sum that has no flows shows what was read.
func TestSumsAreReadWhereTheyKnowEnough(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	minute := testFrom.Truncate(time.Minute).Add(5 * time.Minute)
	_, err := write.ExecContext(t.Context(), fmt.Sprintf(
		`INSERT INTO flows_1m (TimeReceived, SamplerAddress, InIf, Proto, SrcAS, Flows, Bytes, Packets) VALUES (%d, '::ffff:192.0.2.99', 9, 6, 65551, 1, 1000000000000, 1)`, minute.Unix()))
	must(t, err)
	d := overview(t)
	stack, _ := d.Panel(40)
	table, _ := d.Panel(50)
	overTime, _ := d.Panel(52)
	whole := dashboard.Scope{Dashboard: d, From: testFrom, To: testTo, Interval: time.Minute}
	shows := func(t *testing.T, want bool, scope dashboard.Scope, panels ...*dashboard.Panel) {
		t.Helper()
		for _, panel := range panels {
			text := strings.Join(lines(t, read, scope, panel), "\n")
			if text == "" || (strings.Contains(text, "192.0.2.99/9") || strings.Contains(text, "65551")) != want {
				t.Errorf("%s, with %v by %s: read from sums is %v, want %v", panel.Title, scope.Values, scope.Interval, !want, want)
			}
		}
	}
	shows(t, true, whole, stack, table, overTime)
	for _, values := range []dashboard.Values{
		{"exporter": {"192.0.2.99", "192.0.2.1"}}, {"interface": {"192.0.2.99/9", "192.0.2.1/3"}}, {"direction": {"in"}},
		{"protocol": {"tcp"}}, {"asn": {"65551, 64500"}}, {"srcAS": {"!1"}}, {"dstAS": {"!1"}},
	} {
		scope := whole
		scope.Values = values
		shows(t, true, scope, stack, table, overTime)
	}
	for _, values := range everything {
		scope := whole
		scope.Values = values
		shows(t, false, scope, stack, table, overTime)
	}
	fine := whole
	fine.Interval = 30 * time.Second
	shows(t, false, fine, stack, overTime)
	within := whole
	within.From = minute.Add(time.Second)
	shows(t, false, within, table)
}
