package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// migratedURL returns the URL of a new database with the whole schema and flows of three
// days, 1000 each.
func migratedURL(t *testing.T) string {
	t.Helper()
	url := serveEngine(t, false)
	for _, args := range [][]string{
		{"migrate", "--clickhouse", url, "--kafka", "127.0.0.1:1"},
		{"query", "--clickhouse", url, "INSERT INTO flows_raw (TimeReceived, Bytes, SamplingRate) SELECT toDateTime('2030-03-01 12:00:00', 'UTC') + number % 3 * 86400, number, 10 FROM numbers(3000)"},
	} {
		if _, _, err := execute(t, args...); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

func TestRetentionIsShownAndChangedForEachTable(t *testing.T) {
	url := migratedURL(t)
	shown, _, err := execute(t, "retention", "--clickhouse", url)
	if err != nil || !strings.Contains(shown, "flows_raw           7d        2030-03-01 12:00:00  3,000") {
		t.Errorf("as it is: %v\n%s", err, shown)
	}
	shown, _, err = execute(t, "retention", "--clickhouse", url, "--raw", "30d", "--minutes", "1y", "--hours", "5y", "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	var report retentionReport
	if err := json.Unmarshal([]byte(shown), &report); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"flows_raw": 30, "flows_1m": 365, "flows_1h": 5 * 365, "interface_counters": 30, "flows_errors": 30, "web_requests": 30, "traces": 30}
	for _, k := range report.Tables {
		if k.Seconds != want[k.Table]*86400 {
			t.Errorf("%s is kept for %d s, want %d days", k.Table, k.Seconds, want[k.Table])
		}
	}
	if len(report.Tables) != len(want) || report.Dropped == nil {
		t.Errorf("the report is %s", shown)
	}
}

func TestRetentionByDiskDropsDaysAndFailsWhereThatIsNotEnough(t *testing.T) {
	url := migratedURL(t)
	if shown, _, err := execute(t, "retention", "--clickhouse", url, "--disk", "99.9999%"); err != nil || strings.Contains(shown, "dropped") {
		t.Errorf("a disk that is not full: %v\n%s", err, shown)
	}
	shown, _, err := execute(t, "retention", "--clickhouse", url, "--disk", "0.0001%")
	if err == nil || !strings.Contains(err.Error(), "--disk 0.0001%: the disk is") {
		t.Errorf("got %v, want that it is still too full", err)
	}
	if !strings.Contains(shown, "dropped flows of 2030-03-02") || strings.Contains(shown, "dropped flows of 2030-03-03") {
		t.Errorf("shown is:\n%s", shown)
	}
}

func TestMistakesInRetentionAreNamed(t *testing.T) {
	url := serveEngine(t, false)
	for want, args := range map[string][]string{
		"such as 12h, 30d": {"--raw", "30"},
		"such as 80%":      {"--disk", "80GB"},
		"too short":        {"--minutes", "1m"},
		"must be table or": {"--output", "xml"},
	} {
		if _, _, err := execute(t, append([]string{"retention", "--clickhouse", url}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", args, err, want)
		}
	}
}
