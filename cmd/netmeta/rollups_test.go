package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRollupsAreComparedAndRepaired(t *testing.T) {
	url := migratedURL(t)
	if shown, _, err := execute(t, "rollups", "--clickhouse", url); err != nil || !strings.Contains(shown, "all sums are those of the flows") {
		t.Errorf("rollups that are right: %v\n%s", err, shown)
	}
	if _, _, err := execute(t, "query", "--clickhouse", url, "TRUNCATE TABLE flows_1h"); err != nil {
		t.Fatal(err)
	}
	shown, _, err := execute(t, "rollups", "--clickhouse", url)
	if err == nil || !strings.Contains(err.Error(), "the sums of 3 hours") || !strings.Contains(shown, "2030-03-02 12:00:00  1,000      1,000     0         differs") {
		t.Errorf("without hours: %v\n%s", err, shown)
	}
	shown, _, err = execute(t, "rollups", "--clickhouse", url, "--repair", "--output", "json")
	var report rollupReport
	if err != nil || json.Unmarshal([]byte(shown), &report) != nil || len(report) != 3 || !report[0].Repaired || report[0].Raw != 1000 || report[0].Hours != 0 {
		t.Errorf("repaired: %v\n%s", err, shown)
	}
	if shown, _, err := execute(t, "rollups", "--clickhouse", url, "--output", "json"); err != nil || shown != "[]\n" {
		t.Errorf("after the repair: %v\n%s", err, shown)
	}
}

// A database of an older version has flows, and no rollups.
func TestMigrateFillsRollupsFromFlowsThatAreThere(t *testing.T) {
	url := migratedURL(t)
	for _, args := range [][]string{
		{"migrate", "--clickhouse", url, "--to", "47"},
		{"migrate", "--clickhouse", url},
	} {
		if _, _, err := execute(t, args...); err != nil {
			t.Fatal(err)
		}
	}
	shown, _, err := execute(t, "query", "--clickhouse", url, "--output", "csv", "SELECT (SELECT sum(Bytes) FROM flows_1m) AS m, (SELECT sum(Bytes) FROM flows_1h) AS h, (SELECT sum(Bytes * SamplingRate) FROM flows_raw) AS r")
	if err != nil || shown != "\"m\",\"h\",\"r\"\n44985000,44985000,44985000\n" {
		t.Errorf("%v, %s", err, shown)
	}
}
