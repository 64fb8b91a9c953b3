package singlenode_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/yaml"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files in testdata anew")

// variants are configurations by the name of their golden file. minimal.yaml has all
// objects, the others those that differ from them.
var variants = map[string]string{
	"google":               minimal + `netmeta: config: {grafanaGoogleAuth: {clientID: "1234.apps.googleusercontent.com", clientSecret: "GOCSPX-abc", allowedDomains: ["corp.example", "corp2.example"]}, grafanaDefaultRole: "Editor", grafanaBasicAuth: false}`,
	"interfaces":           minimal + `netmeta: config: interfaceMap: [{device: "::100.0.0.1", idx: 858, description: "TRANSIT-ABC"}, {device: "2001:db8::1", idx: 1126, description: "PEERING-YOLO-COLO"}]`,
	"samplers":             minimal + `netmeta: config: sampler: {"192.0.2.7": {device: "ams-core-1", samplingRate: 2000, interface: "7": description: "uplink"}, "::ffff:192.0.2.8": defaultSamplingRate: 1000, "2001:db8::9": maxFlowsPerSecond: 5000, "192.0.2.9": {}}`,
	"names":                minimal + `netmeta: config: {hosts: "::192.0.2.53": "resolver", networks: "192.0.2.0/24": {name: "office", boundary: "internal"}, networkSources: [{url: "https://ipam.example.com/networks.csv"}, {url: "http://10.0.0.1:8080/n", format: "json"}], reverseDNS: networks: ["192.0.2.0/24"], geoip: url: "https://files.example.com:8443/GeoLite2-City.mmdb", snmp: [{exporters: ["192.0.2.0/24", "2001:db8::1"], community: "not public"}, {exporters: ["::198.51.100.7"], version: "3", user: "netmeta", authProtocol: "SHA256", authPassword: {existingSecret: "vault", key: "auth"}, privacyProtocol: "AES", privacyPassword: {existingSecret: "vault", key: "privacy"}}], userData: autnums: "64500": {name: "OURS", country: "NL", boundary: "internal"}}`,
	"loadbalancer":         minimal + `netmeta: config: {exposure: "loadbalancer", namespace: "netmeta", allowedExporters: ["192.0.2.0/24", "::198.51.100.7", "2001:db8::1"]}`,
	"ports":                minimal + `netmeta: config: ports: {http: 8080, https: 8443, clickhouse: 9440, netflow: 9995, netflowLegacy: 9996, sflow: 9997}`,
	"production":           with("letsencryptMode", `"production"`),
	"letsencrypt-off":      strings.Replace(without("letsencryptAccountMail"), `"staging"`, `"off"`, 1),
	"certificate":          with("letsencryptMode", `"off"`) + `netmeta: config: tlsCertificate: {certificate: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", key: "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"}`,
	"certificate-existing": with("letsencryptMode", `"off"`) + `netmeta: config: tlsCertificate: existingSecret: "wildcard"`,
	"clickhouse-ingress":   minimal + `netmeta: config: enableClickhouseIngress: true`,
	"kafka-listener":       minimal + `netmeta: config: {enableExternalKafkaListener: true, advertisedKafkaHost: "kafka.example.com"}`,
	"without-frontend":     with("letsencryptMode", `"off"`) + `netmeta: config: {ingress: "none", deployGoflow: false, deployGrafana: false}`,
	"sizes":                minimal + `netmeta: config: {goflowTopicRetention: 50_000_000_000, flowRetention: "30d", storage: {class: "fast", clickhouse: "2Ti", kafka: "100Gi"}, memory: clickhouse: "64Gi"}`,
	"digests":              minimal + `netmeta: images: traefik: {image: "registry.example.com/traefik:v3.7.13", digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`,
	"alerts":               minimal + `netmeta: config: {alerts: {thresholds: exporterSilentSeconds: 600, contact: {webhook: "https://chat.example.com:8443/hooks/abc", mail: ["noc@example.com", "oncall@example.com"]}}, mailServer: {server: "mail.example.com:587", from: "netmeta@example.com", user: "netmeta", password: "c2VjcmV0"}}`,
	"console":              minimal + `netmeta: config: {deployConsole: true, consoleHostname: "console.example.com", consolePasswordHash: "$argon2id$v=19$m=65536,t=1,p=4$c2FsdA$aGFzaA"}`,
	"console-alone":        with("letsencryptMode", `"off"`) + `netmeta: config: {deployConsole: true, deployGrafana: false, exposure: "loadbalancer", consolePasswordHash: {existingSecret: "login", key: "hash"}}`,
	"alerts-taken-back":    minimal + `netmeta: config: alerts: contact: {}`,
	"alerts-secret":        minimal + `netmeta: config: {alerts: contact: webhook: {existingSecret: "chat", key: "url"}, grafanaGoogleAuth: {clientID: "a", clientSecret: {existingSecret: "google", key: "secret"}, allowedDomains: ["corp.example"]}}`,
	"risinfo":              minimal + `netmeta: config: risinfo: {routingTables: ["https://archive.example.com/rib.%Y%m%d.%H00.bz2", "public"], names: ["http://names.example.com/own.txt#sha256"]}`,
	"without-risinfo":      minimal + `netmeta: config: risinfo: enabled: false`,
	"monitoring":           minimal + `netmeta: config: monitoringNamespace: "monitoring"`,
	"podmonitor":           minimal + `netmeta: config: {monitoringNamespace: "monitoring", monitoringBy: "podmonitor", monitoringLabels: release: "kube-prometheus"}`,
	"toolbox":              minimal + `netmeta: config: {exposure: "loadbalancer", deployToolbox: true}`,
	"disk-limit":           minimal + `netmeta: config: diskLimit: "80%"`,
	"existing-secrets": strings.NewReplacer(
		`"ZSB5b3UgdXAsIG5ldmVy"`, `{existingSecret: "vault", key: "clickhouse"}`,
		`"IGdvbm5hIGxldCB5b3Ug"`, `{existingSecret: "vault", key: "session"}`,
		`"TmV2ZXIgZ29ubmEgZ2l2"`, `{existingSecret: "vault", key: "grafana"}`,
	).Replace(minimal) + `netmeta: config: {clickhouseReadonlyPassword: {existingSecret: "vault", key: "readonly"}, clickhouseReaderPassword: {existingSecret: "vault", key: "reader"}}`,
}

// If a change is meant: go test ./deploy/single-node -run TestWhatIsApplied -update
func TestWhatIsAppliedIsAsReviewed(t *testing.T) {
	all := rendered(t, minimal)
	compare(t, "minimal", document(all, nil))
	for name, source := range variants {
		t.Run(name, func(t *testing.T) {
			compare(t, name, document(rendered(t, source), all))
		})
	}
}

// object is one that is applied, as YAML.
type object struct{ name, text string }

// rendered are the objects that a configuration makes, without what has tests of its own
// and changes for other reasons: dashboards, and files of ClickHouse.
func rendered(t *testing.T, source string) []object {
	t.Helper()
	value, err := evaluate(t, source)
	if err != nil {
		t.Fatal(err)
	}
	list, err := value.LookupPath(cue.ParsePath("redacted")).List()
	if err != nil {
		t.Fatal(err)
	}
	var objects []object
	for list.Next() {
		var fields map[string]any
		if err := list.Value().Decode(&fields); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s/%s", fields["kind"], fields["metadata"].(map[string]any)["name"])
		if strings.HasPrefix(name, "ConfigMap/dashboard-") {
			continue
		}
		text, err := yaml.Encode(cuecontext.New().Encode(abridged(fields)))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object{name, string(text)})
	}
	return objects
}

// abridged leaves out the volumes of dashboards, and the text of files that
// TestClickHouseHasTheFilesOfTheCommand reads.
func abridged(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, field := range value {
			if key == "config.d/netmeta.xml" || key == "users.d/netmeta.xml" {
				value[key] = "(written by netmeta clickhouse-config)"
				continue
			}
			value[key] = abridged(field)
		}
	case []any:
		kept := []any{}
		for _, element := range value {
			if fields, ok := element.(map[string]any); ok {
				if name, ok := fields["name"].(string); ok && strings.HasPrefix(name, "dashboard-") {
					continue
				}
			}
			kept = append(kept, abridged(element))
		}
		return kept
	}
	return value
}

// document has those objects that are not among the others, and says which of them are
// missing.
func document(objects, others []object) string {
	known := map[string]string{}
	for _, o := range others {
		known[o.name] = o.text
	}
	var text strings.Builder
	for _, o := range objects {
		if known[o.name] != o.text {
			text.WriteString("---\n" + o.text)
		}
		delete(known, o.name)
	}
	for _, o := range others {
		if _, left := known[o.name]; left {
			text.WriteString("--- # without " + o.name + "\n")
		}
	}
	return text.String()
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not what is applied (-want +got):\n%s", path, diff)
	}
}
