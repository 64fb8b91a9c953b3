package singlenode_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/leoluk/NetMeta/internal/settings"
)

// The examples of the README, and those of the documentation.
func TestExamplesOfTheReadmeAreValid(t *testing.T) {
	for _, c := range []struct{ promise, source string }{
		{"minimal", ""},
		{"display", `netmeta: config: dashboardDisplay: minInterval: "15s"`},
		{"Google", `netmeta: config: {
			grafanaGoogleAuth: {
				clientID:     "1234.apps.googleusercontent.com"
				clientSecret: "GOCSPX-abc"
				allowedDomains: ["corp.example"]
			}

			// Include this if all users should be granted Editor permission.
			// Otherwise, you'll have to grant permissions manually.
			grafanaDefaultRole: "Editor"
		}`},
		{"names of interfaces", `netmeta: config: {
			interfaceMap: [
				{device: "::100.0.0.1", idx: 858, description:  "TRANSIT-ABC"},
				{device: "::100.0.0.1", idx: 1126, description: "PEERING-YOLO-COLO"},
			]
		}`},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if _, err := evaluate(t, minimal+c.source); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("with all dashboards", func(t *testing.T) {
		value, err := evaluateWhole(t, minimal)
		if err != nil {
			t.Fatal(err)
		}
		all, err := filepath.Glob("../dashboards/json/netmeta-*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range all {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "netmeta-"), ".json")
			path := cue.MakePath(cue.Str("k8s"), cue.Str("ConfigMap"), cue.Str("dashboard-"+name), cue.Str("data"), cue.Str("netmeta-"+name+".json"))
			text, err := value.LookupPath(path).String()
			if err != nil || !json.Valid([]byte(text)) {
				t.Errorf("%s is not for Grafana to read: %v", file, err)
			}
		}
		want, err := os.ReadFile("../dashboards/json/alerts.json")
		if err != nil {
			t.Fatal(err)
		}
		rules := lookUp(t, value, "k8s", "ConfigMap", "alert-rules", "data", "alerts.json")
		if diff := cmp.Diff(decoded(t, string(want)), decoded(t, rules)); diff != "" {
			t.Errorf("the alert rules are not those of the console (-want +got):\n%s", diff)
		}
		// Rules name the source that they ask.
		var sources struct{ Datasources []struct{ UID string } }
		if err := yaml.Unmarshal([]byte(lookUp(t, value, "k8s", "ConfigMap", "grafana-provisioning", "data", "datasources.yaml")), &sources); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(rules, fmt.Sprintf(`"datasourceUid":%q`, sources.Datasources[0].UID)) {
			t.Errorf("no alert rule asks the data source %q", sources.Datasources[0].UID)
		}
	})
}

func lookUp(t *testing.T, value cue.Value, path ...string) string {
	t.Helper()
	var selectors []cue.Selector
	for _, name := range path {
		selectors = append(selectors, cue.Str(name))
	}
	text, err := value.LookupPath(cue.MakePath(selectors...)).String()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decoded(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

var cueBlock = regexp.MustCompile("(?s)```cue\n(package k8s\n)?(.*?)```")

func TestExamplesOfTheDocumentationAreValid(t *testing.T) {
	pages, err := filepath.Glob("../../doc/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]string
	for _, page := range pages {
		if filepath.Base(page) == "dashboards.md" {
			continue // of another package
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, cueBlock.FindAllStringSubmatch(string(text), -1)...)
	}
	if len(blocks) < 8 {
		t.Fatalf("%d examples are in doc, want some", len(blocks))
	}
	for _, block := range blocks {
		source := block[2]
		name, _, _ := strings.Cut(strings.TrimSpace(source), "\n")
		t.Run(name, func(t *testing.T) {
			// A whole configuration stands by itself.
			if block[1] == "" {
				source = minimal + source
			}
			if _, err := evaluate(t, source); err != nil {
				t.Error(err)
			}
		})
	}
}

// Every key of the README and of the original, with its default.
func TestDefaultsAreThoseOfTheOriginal(t *testing.T) {
	value, err := evaluate(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"goflowTopicRetention":           "1000000000",
		"namespace":                      `"default"`,
		"ports.http":                     "80",
		"ports.https":                    "443",
		"ports.clickhouse":               "8123",
		"ports.netflow":                  "2055",
		"ports.netflowLegacy":            "2056",
		"ports.sflow":                    "6343",
		"dashboardDisplay.minInterval":   "null",
		"dashboardDisplay.maxPacketSize": "1500",
		"letsencryptMode":                `"staging"`,
		"grafanaBasicAuth":               "true",
		"grafanaDefaultRole":             `"Viewer"`,
		"interfaceMap":                   "[]",
		"enableClickhouseIngress":        "false",
		"deployGrafana":                  "true",
		"deployGoflow":                   "true",
		"enableExternalKafkaListener":    "false",
		"advertisedKafkaHost":            `"127.0.0.1"`,
		"flowRetention":                  `"7d"`,
	} {
		got, err := value.LookupPath(cue.ParsePath("netmeta.config." + key)).MarshalJSON()
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v, want %s", key, got, err, want)
		}
	}
}

// without returns the minimal configuration without the line of a key.
func without(key string) string {
	return regexp.MustCompile(`(?m)^\s*`+key+`:.*$`).ReplaceAllString(minimal, "")
}

// with returns the minimal configuration with another value of a key.
func with(key, value string) string {
	return without(key) + "netmeta: config: " + key + ": " + value + "\n"
}

func TestWhatIsWrongIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		source string
		want   string // in the error
	}{
		{without("sessionSecret"), "netmeta.config.sessionSecret: field is required but not present"},
		{without("publicHostname"), "netmeta.config.publicHostname: field is required but not present"},
		{without("clickhouseOperatorPassword"), "netmeta.config.clickhouseOperatorPassword: field is required but not present"},
		{without("grafanaInitialAdminPassword"), "netmeta.config.grafanaInitialAdminPassword: field is required but not present"},
		{without("letsencryptAccountMail"), "netmeta.config.letsencryptAccountMail: field is required but not present"},

		{minimal + `netmeta: config: publicHostnam: "a.example.com"`, "netmeta.config.publicHostnam: field not allowed"},
		{minimal + `netmeta: config: ports: htpp: 80`, "netmeta.config.ports.htpp: field not allowed"},
		{minimal + `netmeta: config: grafanaGoogleAuth: {clientID: "a", clientSecret: "b", allowedDomains: ["a.example"], domains: []}`, "netmeta.config.grafanaGoogleAuth.domains: field not allowed"},
		{minimal + `netmeta: confg: {}`, "netmeta.confg: field not allowed"},
		{minimal + `netmeta: images: netmet: digest: ""`, "netmeta.images.netmet: field not allowed"},

		{with("sessionSecret", `"<generate and paste secret here>"`), "sessionSecret: at least 16 characters without"},
		{with("sessionSecret", `"short"`), "sessionSecret: at least 16 characters"},
		{with("clickhouseOperatorPassword", `"changeme-changeme-changeme"`), "clickhouseOperatorPassword: at least 16"},
		{with("grafanaInitialAdminPassword", `"[...]"`), "grafanaInitialAdminPassword: at least 16"},
		{with("clickhouseOperatorPassword", `{existingSecret: "mine", key: "password"}`), "clickhouseReadonlyPassword: has to be set"},
		{minimal + `netmeta: config: clickhouseReaderPassword: "short"`, "clickhouseReaderPassword: at least 16"},

		{with("publicHostname", `"https://flowmon.example.com"`), "publicHostname: the DNS name"},
		{with("publicHostname", `"flowmon"`), "publicHostname: the DNS name"},
		{with("publicHostname", `"flowmon.example.com:443"`), "publicHostname: the DNS name"},
		{with("publicHostname", `"Flowmon.example.com"`), "publicHostname: the DNS name"},
		{with("publicHostname", `"192.0.2.1"`), "publicHostname: the DNS name"},
		{with("letsencryptMode", `"prod"`), "letsencryptMode: staging, production or off"},
		{with("letsencryptAccountMail", `"me"`), "letsencryptAccountMail: an address for mail"},
		{minimal + `netmeta: config: namespace: "Net_Meta"`, "namespace: a name of lower-case letters"},

		{minimal + `netmeta: config: ports: http: 70000`, "ports.http: a port from 1 to 65535"},
		{minimal + `netmeta: config: ports: https: "443"`, "ports.https: a port from 1 to 65535"},
		{minimal + `netmeta: config: ports: sflow: 514`, "ports.sflow: a port from 1024 to 65535"},
		{minimal + `netmeta: config: ports: sflow: 2055`, "ports.netflow, ports.netflowLegacy and ports.sflow have to differ"},
		{minimal + `netmeta: config: ports: clickhouse: 443`, "ports.http, ports.https and ports.clickhouse have to differ"},

		{minimal + `netmeta: config: interfaceMap: [{device: "100.0.0.256", idx: 1, description: "a"}]`, "interfaceMap: device: an address"},
		{minimal + `netmeta: config: interfaceMap: [{device: "router1", idx: 1, description: "a"}]`, "interfaceMap: device: an address"},
		{minimal + `netmeta: config: interfaceMap: [{device: "::100.0.0.1", idx: -1, description: "a"}]`, "interfaceMap: idx: the number"},
		{minimal + `netmeta: config: interfaceMap: [{device: "::100.0.0.1", description: "a"}]`, "netmeta.config.interfaceMap.0.idx"},
		{minimal + `netmeta: config: sampler: "192.0.2.1": samplingRate: -1`, "samplingRate: how many packets"},
		{minimal + `netmeta: config: snmp: [{community: "a"}]`, "netmeta.config.snmp.0.exporters"},
		{minimal + `netmeta: config: snmp: [{exporters: ["192.0.2.1"]}]`, "netmeta.config.snmp.0.community"},
		{minimal + `netmeta: config: networks: "192.0.2.0/24": boundary: "mine"`, "networks: boundary: external or internal"},
		{minimal + `netmeta: config: hosts: "192.0.2.1": "a\nb"`, "hosts: a text of at most"},
		{minimal + `netmeta: config: sampler: router1: device: "a"`, "netmeta.config.sampler.router1: field not allowed"},
		{minimal + `netmeta: config: allowedExporters: ["192.0.2.0/33"]`, "allowedExporters: addresses or prefixes"},

		{minimal + `netmeta: config: grafanaBasicAuth: false`, "netmeta.config.grafanaGoogleAuth: field is required"},
		{minimal + `netmeta: config: grafanaDefaultRole: "Root"`, "grafanaDefaultRole: Viewer, Editor or Admin"},
		{minimal + `netmeta: config: grafanaGoogleAuth: {clientID: "a", clientSecret: "b", allowedDomains: []}`, "allowedDomains: at least one domain"},
		{minimal + `netmeta: config: grafanaGoogleAuth: {clientID: "[...].apps.googleusercontent.com", clientSecret: "b", allowedDomains: ["corp.example"]}`, "clientID: what Google shows"},
		{minimal + `netmeta: config: dashboardDisplay: minInterval: "15"`, "dashboardDisplay.minInterval: a number and s"},
		{minimal + `netmeta: config: goflowTopicRetention: 10`, "goflowTopicRetention: a number of bytes"},
		{minimal + `netmeta: config: flowRetention: "1y"`, "flowRetention: a number and"},
		{minimal + `netmeta: config: storage: kafka: "5"`, "storage.kafka: a size"},
		{minimal + `netmeta: config: diskLimit: 80`, "diskLimit: a share of the disk"},
		{minimal + `netmeta: config: diskLimit: "100%"`, "diskLimit: a share of the disk"},
		{minimal + `netmeta: config: monitoringBy: "magic"`, "monitoringBy: annotations or podmonitor"},
		{minimal + `netmeta: config: exposure: "nodeport"`, "exposure: host or loadbalancer"},

		{minimal + `netmeta: config: deployConsole: true`, "netmeta.config.consolePasswordHash: field is required"},
		{minimal + `netmeta: config: {deployConsole: true, consolePasswordHash: "$argon2id$v=19$a"}`, "netmeta.config.consoleHostname: field is required"},
		{minimal + `netmeta: config: {deployConsole: true, consolePasswordHash: "hunter2", consoleHostname: "console.example.com"}`, "consolePasswordHash: what netmeta hash-password writes"},
		{minimal + `netmeta: config: {deployConsole: true, consolePasswordHash: "$argon2id$v=19$a", consoleHostname: "flowmon.example.com"}`, "consoleHostname and publicHostname have to differ"},

		{minimal + `netmeta: config: alerts: thresholds: diskUsedPercent: 100`, "netmeta.config.alerts.thresholds.diskUsedPercent"},
		{minimal + `netmeta: config: alerts: thresholds: disk: 80`, "netmeta.config.alerts.thresholds.disk: field not allowed"},
		{minimal + `netmeta: config: alerts: contact: webhook: "chat.example.com"`, "alerts.contact.webhook: a URL"},
		{minimal + `netmeta: config: alerts: contact: webhook: "https://chat.example.com/$TOKEN"`, "alerts.contact.webhook: a URL"},
		{minimal + `netmeta: config: alerts: contact: mail: ["me"]`, "alerts.contact.mail: addresses for mail"},
		{minimal + `netmeta: config: alerts: contact: mail: ["me@example.com"]`, "netmeta.config.mailServer: field is required"},
		{minimal + `netmeta: config: mailServer: {server: "mail.example.com", from: "a@example.com"}`, "mailServer.server: HOST:PORT"},
		{minimal + `netmeta: config: mailServer: {server: "mail.example.com:587", from: "a@example.com", user: "a"}`, "netmeta.config.mailServer.password: field is required"},

		{minimal + `netmeta: config: tlsCertificate: existingSecret: "mine"`, `netmeta.config.letsencryptMode: conflicting values "off" and "staging"`},
		{with("letsencryptMode", `"off"`) + `netmeta: config: tlsCertificate: {certificate: "/etc/ssl/a.pem", key: "/etc/ssl/a.key"}`, "tlsCertificate.certificate: PEM"},
		{minimal + `netmeta: images: netmeta: {image: "netmeta.local/netmeta:1", digest: "sha256:abc"}`, "images: digest: sha256: and 64"},
		{minimal + `netmeta: images: grafana: {image: "grafana"}`, "images: image: a name with registry and tag"},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := evaluate(t, c.source)
			switch {
			case err == nil:
				t.Error("it is taken")
			case !strings.Contains(err.Error(), c.want):
				t.Errorf("the error is\n%v\nwant one with %q", err, c.want)
			}
		})
	}
}

func TestExampleConfigurationIsValidAndItsSecretsAreRandom(t *testing.T) {
	var seen []string
	for _, host := range []string{"flowmon.corp.example", "localhost", "Flowmon.Corp.example"} {
		cmd := exec.Command("../../example-config.sh")
		// In place of the machine's own name.
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "hostname"), []byte("#!/bin/sh\necho "+host+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		source, ok := strings.CutPrefix(string(out), "package k8s\n")
		if !ok {
			t.Fatalf("it does not begin with the package:\n%s", out)
		}
		value, err := evaluate(t, source)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"grafanaInitialAdminPassword", "clickhouseOperatorPassword", "sessionSecret"} {
			secret, err := value.LookupPath(cue.ParsePath("netmeta.config." + key)).String()
			if err != nil || len(secret) != 64 || slices.Contains(seen, secret) {
				t.Errorf("%s is %q, %v, want 64 digits that were not there before", key, secret, err)
			}
			seen = append(seen, secret)
		}
	}
}

// One file may serve a cluster and a standalone instance: see settings.Read.
func TestEveryKeyIsOfTheInstallationOrOfSettings(t *testing.T) {
	value, err := evaluate(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := value.LookupPath(cue.ParsePath("netmeta.config")).Fields(cue.Optional(true))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for fields.Next() {
		keys[fields.Selector().Unquoted()] = true
	}
	known := append(settings.Keys(), settings.OfInstallation...)
	for key := range keys {
		if !slices.Contains(known, key) {
			t.Errorf("%s is read by nobody: add it to settings.OfInstallation, or read it there", key)
		}
	}
	for _, key := range known {
		if !keys[key] {
			t.Errorf("%s is no key of config.cue", key)
		}
	}
}

func TestSettingsOfTheClusterAreThoseThatProgramsRead(t *testing.T) {
	for _, name := range []string{"names", "samplers", "interfaces"} {
		value, err := evaluate(t, variants[name])
		if err != nil {
			t.Fatal(err)
		}
		text, err := value.LookupPath(cue.MakePath(cue.Str("k8s"), cue.Str("ConfigMap"), cue.Str("settings"), cue.Str("data"), cue.Str("settings.json"))).String()
		if err != nil {
			t.Fatal(err)
		}
		read, err := settings.Read("settings.json", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if name == "names" && (len(read.SNMP) != 2 || len(read.NetworkSources) != 2 || read.ReverseDNS == nil || read.GeoIP == nil || len(read.Autnums) != 1) {
			t.Errorf("%s: %+v", name, read)
		}
	}
}
