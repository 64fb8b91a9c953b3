package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestDashboardsAreExportedAsConfigured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	stdout, _, err := execute(t, "dashboards", "export", dir, "--min-interval", "30s", "--max-packet-size", "9000")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for path := range strings.Lines(stdout) {
		text, err := os.ReadFile(strings.TrimSpace(path))
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ UID string }
		if err := json.Unmarshal(text, &d); err != nil || filepath.Base(strings.TrimSpace(path)) != d.UID+".json" {
			t.Errorf("%s: uid %q, %v", path, d.UID, err)
		}
		if strings.Contains(string(text), `"interval": "1s"`) {
			t.Errorf("%s has buckets shorter than configured", path)
		}
		written++
	}
	overview, err := os.ReadFile(filepath.Join(dir, "netmeta-overview.json"))
	if err != nil || !strings.Contains(string(overview), `"interval": "30s"`) || !strings.Contains(string(overview), "9000)") {
		t.Errorf("the overview is not as configured (%v)", err)
	}
	if written < 4 {
		t.Errorf("%d dashboards", written)
	}
	if _, err := os.Stat(filepath.Join(dir, "provisioning")); err == nil {
		t.Error("there are files for provisioning that nobody asked for")
	}
}

func TestDashboardsAreExportedForProvisioning(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := execute(t, "dashboards", "export", dir, "--provisioning", "--clickhouse", "https://grafana@db.example/flows"); err != nil {
		t.Fatal(err)
	}
	read := func(name string, into any) string {
		text, err := os.ReadFile(filepath.Join(dir, "provisioning", name, "netmeta.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return string(text)
	}
	var sources struct {
		Datasources []struct {
			UID, Type      string
			JSONData       map[string]any    `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		}
	}
	read("datasources", &sources)
	if len(sources.Datasources) != 1 {
		t.Fatalf("data sources: %+v", sources)
	}
	source := sources.Datasources[0]
	for key, want := range map[string]any{"host": "db.example", "server": "db.example", "port": 8443, "protocol": "http", "secure": true, "username": "grafana", "defaultDatabase": "flows"} {
		if got := source.JSONData[key]; got != want {
			t.Errorf("%s of the data source is %v, want %v", key, got, want)
		}
	}
	if source.UID != "clickhouse" || source.SecureJSONData["password"] != "$NETMETA_CLICKHOUSE_PASSWORD" {
		t.Errorf("data source: %+v", source)
	}
	var providers struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read("dashboards", &providers)
	if len(providers.Providers) != 1 || providers.Providers[0].Options.Path != filepath.Join(dir, "dashboards") {
		t.Errorf("dashboards: %+v", providers)
	}
	if _, err := os.Stat(filepath.Join(dir, "dashboards", "netmeta-home.json")); err != nil {
		t.Error(err)
	}
}

func TestDashboardsSayWhatCannotBe(t *testing.T) {
	for want, args := range map[string][]string{
		"minInterval":                 {"--min-interval", "soon"},
		"maxPacketSize":               {"--max-packet-size", "7"},
		"http://USER@HOST":            {"--provisioning", "--clickhouse", "db.example:9000"},
		"NETMETA_CLICKHOUSE_PASSWORD": {"--provisioning", "--clickhouse", "http://a:b@db.example/"},
	} {
		_, _, err := execute(t, append([]string{"dashboards", "export", t.TempDir()}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}
