package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsAreCheckedWithoutADatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names.cue")
	for text, want := range map[string]string{
		`interfaceMap: [{device: "::100.0.0.1", idx: 858, description:  "TRANSIT-ABC"}]`: "",
		`interfaceMap: [{device: "::100.0.0.1", idx: "eth0", description:  "a"}]`:        `--settings: ` + file + `: interfaceMap.0.idx: "eth0" is no whole number`,
		`hosts: {`: "names.cue:1:",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := execute(t, "names", "--settings", file, "--check", "--clickhouse", "127.0.0.1:1")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want an error that contains %q", text, err, want)
		}
	}
	if _, _, err := execute(t, "names", "--check"); err == nil || !strings.Contains(err.Error(), "--settings") {
		t.Errorf("to check nothing: %v", err)
	}
}

func TestLookupTellsWhatIsKnownInBothForms(t *testing.T) {
	url := migratedURL(t)
	if _, _, err := execute(t, "query", "--clickhouse", url, "INSERT INTO host_names VALUES ('::ffff:198.51.100.7', 'www', 'settings', now())"); err != nil {
		t.Fatal(err)
	}
	shown, _, err := execute(t, "lookup", "::198.51.100.7", "--clickhouse", url)
	if err != nil || !strings.Contains(shown, "host     www           settings") {
		t.Errorf("%v\n%s", err, shown)
	}
	shown, _, err = execute(t, "lookup", "198.51.100.7", "--clickhouse", url, "--output", "json")
	if err != nil || !strings.Contains(shown, `{"what":"host","value":"www","source":"settings"}`) {
		t.Errorf("%v\n%s", err, shown)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"lookup", "router1"}, `"router1" is no IP address`},
		{[]string{"lookup", "192.0.2.1", "--geoip", "/does/not/exist"}, "/does/not/exist"},
		{[]string{"lookup", "192.0.2.1", "--output", "xml"}, "table or json"},
	} {
		if _, _, err := execute(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}
