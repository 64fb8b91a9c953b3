//go:build linux

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestDocumentedQueriesAreAskedOfTheDataSet(t *testing.T) {
	t.Chdir("../../..")
	asked, err := readDocumented(traffic{rows: 1, hours: 24})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	// What the page has in place of the reader's own, and the reader's own time.
	invented := regexp.MustCompile(`192\.0\.2\.|198\.51\.100\.|64502|now\(\)|2030-`)
	for _, q := range asked {
		kinds[q.kind]++
		if left := invented.FindString(q.sql); left != "" {
			t.Errorf("%s: %s is still in %s", q.name, left, q.sql)
		}
		if strings.Contains(q.sql, "interface_traffic") || strings.Contains(q.sql, "flows_errors") {
			t.Errorf("%s: no design has its table", q.name)
		}
	}
	if kinds["filter"] < 10 || kinds["scan"] < 20 {
		t.Errorf("%d filters and %d scans", kinds["filter"], kinds["scan"])
	}
}

func TestWhoIsElsewhereIsToldWhereToRun(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := readDocumented(traffic{}); err == nil || !strings.Contains(err.Error(), "at the top of the repository") {
		t.Errorf("got %v", err)
	}
}

func TestPlaceholdersOfDocumentedQueriesAreKnown(t *testing.T) {
	source, err := os.ReadFile("asker.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllString(realistic("parseAddress('192.0.2.1') OutIf = 3 parseAddress('198.51.100.7') '198.51.100.0/24' 64502"), -1) {
		if !strings.Contains(string(source), `"`+strings.Trim(name, "{}")+`"`) {
			t.Errorf("%s is not filled in", name)
		}
	}
}
