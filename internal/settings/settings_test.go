package settings_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leoluk/NetMeta/internal/settings"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func read(t *testing.T, name, text string) *settings.Settings {
	t.Helper()
	s, err := settings.Read(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The example of the README, with what stands around it there.
const readme = `netmeta: config: {
    publicHostname: "flowmon.example.com"

    interfaceMap: [
        {device: "::100.0.0.1", idx: 858, description:  "TRANSIT-ABC"},
        {device: "::100.0.0.1", idx: 1126, description: "PEERING-YOLO-COLO"},
    ]
}
`

func TestExampleOfTheReadmeWorksAsItStandsThere(t *testing.T) {
	want := map[settings.InterfaceKey]settings.Interface{
		{Exporter: addr("100.0.0.1"), Index: 858}:  {Description: "TRANSIT-ABC"},
		{Exporter: addr("100.0.0.1"), Index: 1126}: {Description: "PEERING-YOLO-COLO"},
	}
	_, inside, _ := strings.Cut(readme, `com"`)
	for name, text := range map[string]string{
		"config_local.cue": "package k8s\n\n" + readme,
		"bare.cue":         strings.TrimSuffix(strings.TrimSpace(inside), "}"),
		"settings.json":    `{"interfaceMap": [{"device": "::100.0.0.1", "idx": 858, "description": "TRANSIT-ABC"}, {"device": "100.0.0.1", "idx": 1126, "description": "PEERING-YOLO-COLO"}]}`,
		"settings.yaml":    "interfaceMap:\n- {device: '::ffff:100.0.0.1', idx: 858, description: TRANSIT-ABC}\n- {device: 100.0.0.1, idx: 1126, description: PEERING-YOLO-COLO}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, read(t, name, text).Interfaces, cmpopts.EquateComparable(settings.InterfaceKey{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	s := read(t, "settings.cue", `
		sampler: "::192.0.2.7": {
			device: "ams-core-1", description: "core", site: "AMS1", group: "core"
			samplingRate: 2000, defaultSamplingRate: 1000, maxFlowsPerSecond: 5000
			anonymizeAddresses: true
			interface: "7": {description: "uplink", group: "transit", boundary: "external", speed: 100e9}
			vlan: {"10": "office", "11": description: "guests"}
		}
		vlans: "20": "storage"
		hosts: {"::192.0.2.53": description: "resolver", "2001:db8::53": "resolver 6"}
		networks: {"192.0.2.0/24": {name: "office", role: "lan", site: "AMS1", tenant: "a"}, "2001:db8::/32": name: "all"}
		networkSources: [{url: "https://ipam.example/networks"}, {file: "/etc/networks.csv", interval: "1h"}]
		userData: autnums: {"64500": {name: "US", country: "NL"}, "AS64501": name: "THEM"}
		snmp: [{exporters: ["192.0.2.0/24"], community: "public"}, {exporters: ["2001:db8::/32"], version: "3", user: "u", authProtocol: "SHA256", authPassword: "secret12", privacyProtocol: "AES", privacyPasswordFile: "/run/p", timeout: "1s", port: 1161}]
		reverseDNS: {networks: ["192.0.2.0/24"], queriesPerSecond: 5, lifetime: "1h"}
		geoip: url: "https://user:secret@geo.example/GeoLite2-City.mmdb"
	`)
	router := addr("192.0.2.7")
	want := &settings.Settings{
		Exporters: map[netip.Addr]settings.Exporter{router: {
			Name: "ams-core-1", Description: "core", Site: "AMS1", Group: "core", SamplingRate: 2000, DefaultSamplingRate: 1000, MaxFlowsPerSecond: 5000,
			AnonymizeAddresses: true,
		}},
		Interfaces: map[settings.InterfaceKey]settings.Interface{{Exporter: router, Index: 7}: {Description: "uplink", Group: "transit", Boundary: "external", Speed: 100_000_000_000}},
		VLANs:      map[settings.VLANKey]string{{Exporter: router, VLAN: 10}: "office", {Exporter: router, VLAN: 11}: "guests", {VLAN: 20}: "storage"},
		Hosts:      map[netip.Addr]string{addr("192.0.2.53"): "resolver", addr("2001:db8::53"): "resolver 6"},
		Networks: map[netip.Prefix]settings.Network{
			netip.MustParsePrefix("192.0.2.0/24"): {Name: "office", Role: "lan", Site: "AMS1", Tenant: "a"}, netip.MustParsePrefix("2001:db8::/32"): {Name: "all"},
		},
		NetworkSources: []settings.NetworkSource{
			{Name: "https://ipam.example/networks", URL: "https://ipam.example/networks", Format: "json", Interval: 10 * time.Minute},
			{Name: "/etc/networks.csv", File: "/etc/networks.csv", Format: "csv", Interval: time.Hour},
		},
		Autnums: map[uint32]settings.Autnum{64500: {Name: "US", Country: "NL"}, 64501: {Name: "THEM"}},
		SNMP: []settings.SNMP{
			{Exporters: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Version: "2c", Port: 161, Timeout: 2 * time.Second, Community: "public"},
			{Exporters: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, Version: "3", Port: 1161, Timeout: time.Second, User: "u", AuthProtocol: "SHA256", AuthPassword: "secret12", PrivacyProtocol: "AES", PrivacyPasswordFile: "/run/p"},
		},
		ReverseDNS: &settings.ReverseDNS{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, QueriesPerSecond: 5, Lifetime: time.Hour},
		GeoIP:      &settings.GeoIP{Name: "https://user:xxxxx@geo.example/GeoLite2-City.mmdb", URL: "https://user:secret@geo.example/GeoLite2-City.mmdb", Interval: 24 * time.Hour},
	}
	if diff := cmp.Diff(want, s, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, settings.InterfaceKey{}, settings.VLANKey{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsWrongIsNamedByItsKey(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"address":                      {"s.cue", `interfaceMap: [{device: "100.0.0.256", idx: 1, description: "a"}]`, `interfaceMap.0.device: "100.0.0.256" is no IP address`},
		"exporter's name":              {"s.cue", `sampler: router1: device: "a"`, `sampler.router1: "router1" is no IP address`},
		"interface that is a name":     {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: "eth0", description: "a"}]`, `interfaceMap.0.idx: "eth0" is no whole number from 0 to 4294967295`},
		"interface that is a fraction": {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 1.5, description: "a"}]`, "interfaceMap.0.idx: 1.5 is no whole number"},
		"interface beyond 32 bits":     {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 4294967296, description: "a"}]`, "interfaceMap.0.idx: 4294967296 is no whole number"},
		"interface of a sampler":       {"s.cue", `sampler: "192.0.2.1": interface: eth0: description: "a"`, `sampler."192.0.2.1".interface.eth0: "eth0" is no number of an interface`},
		"no interface":                 {"s.cue", `interfaceMap: [{device: "192.0.2.1", description: "a"}]`, "interfaceMap.0: has no idx"},
		"no device":                    {"s.cue", `interfaceMap: [{idx: 1, description: "a"}]`, "interfaceMap.0: has no device"},
		"no description":               {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 1}]`, "interfaceMap.0: says nothing"},
		"overlong description":         {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 1, description: "` + strings.Repeat("a", 256) + `"}]`, "interfaceMap.0.description: has 256 bytes, more than 255"},
		"line break in a description":  {"s.cue", `hosts: "192.0.2.1": "a\nb"`, `hosts."192.0.2.1": "a\nb" has a line break`},
		"not UTF-8":                    {"s.cue", "hosts: \"192.0.2.1\": \"a\"\nvlans: \"1\": \"caf\xe9\"", "line 2 is not UTF-8"},
		"the same interface twice":     {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 1, description: "a"}, {device: "::192.0.2.1", idx: 1, description: "b"}]`, "interfaceMap.1: the interface 192.0.2.1/1 is there already, at interfaceMap.0"},
		"and as one of a sampler":      {"s.cue", `interfaceMap: [{device: "192.0.2.1", idx: 1, description: "a"}], sampler: "192.0.2.1": interface: "1": description: "b"`, `sampler."192.0.2.1".interface."1": the interface 192.0.2.1/1 is there already, at interfaceMap.0`},
		"the same exporter twice":      {"s.cue", `sampler: {"192.0.2.1": device: "a", "::ffff:192.0.2.1": device: "b"}`, "192.0.2.1 is there already, at sampler"},
		"the same key twice in CUE":    {"s.cue", `hosts: "192.0.2.1": "a", hosts: "192.0.2.1": "b"`, "conflicting values"},
		"the same key twice in YAML":   {"s.yaml", "hosts:\n  192.0.2.1: a\n  192.0.2.1: b\n", "already defined at line 2"},
		"unknown key":                  {"s.cue", `interfacemap: []`, "interfacemap: there is no such key; there are geoip, hosts, interfaceMap"},
		"anonymisation that is none":   {"s.cue", `sampler: "192.0.2.1": anonymizeAddresses: "yes"`, `"yes" is neither true nor false`},
		"unknown key inside":           {"s.cue", `sampler: "192.0.2.1": sampleRate: 1`, `sampler."192.0.2.1".sampleRate: there is no such key; there are anonymizeAddresses`},
		"unknown key in netmeta":       {"s.cue", `netmeta: config: {publicHostname: "a.b", interfacmap: []}`, "netmeta.config.interfacmap: there is no such key"},
		"network with bits behind":     {"s.cue", `networks: "192.0.2.1/24": name: "a"`, `did you mean 192.0.2.0/24?`},
		"network that is none":         {"s.cue", `networks: "192.0.2.0/33": name: "a"`, "is no network"},
		"boundary":                     {"s.cue", `sampler: "192.0.2.1": interface: "1": boundary: "outside"`, `boundary: "outside" is none of external, internal`},
		"AS number":                    {"s.cue", `userData: autnums: "4294967296": name: "a"`, `"4294967296" is no AS number`},
		"country":                      {"s.cue", `userData: autnums: "1": country: "Germany"`, `"Germany" is no country`},
		"source without a place":       {"s.cue", `networkSources: [{format: "csv"}]`, "networkSources.0: has to have either url or file"},
		"source by FTP":                {"s.cue", `networkSources: [{url: "ftp://a/b"}]`, `"ftp://a/b" is not of the form https://HOST/PATH`},
		"GeoIP of nowhere":             {"s.cue", `geoip: interval: "1h"`, "geoip: has to have either url or file"},
		"GeoIP by FTP":                 {"s.cue", `geoip: url: "ftp://a/b"`, `geoip: url: "ftp://a/b" is not of the form`},
		"SNMP without a community":     {"s.cue", `snmp: [{exporters: ["192.0.2.1"]}]`, "snmp.0: has to have either community or communityFile"},
		"SNMP of everybody":            {"s.cue", `snmp: [{community: "a"}]`, "snmp.0: exporters: has to name"},
		"SNMP of two versions":         {"s.cue", `snmp: [{exporters: ["192.0.2.1"], community: "a", user: "b"}]`, "snmp.0: user is for version 3"},
		"a list":                       {"s.json", `[]`, "a list where there have to be keys"},
		"cut off":                      {"s.json", `{"hosts": {`, "s.json:1:"},
		"value that is missing":        {"s.cue", `hosts: "192.0.2.1": string`, "incomplete value string"},
		"empty name":                   {"s.cue", `sampler: "192.0.2.1": device: " "`, `device: is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings.Read(c.file, []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error that contains %q", err, c.want)
			}
		})
	}
}

func TestManyMistakesAreToldShortly(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "hosts: \"host%d\": \"a\"\n", i)
	}
	_, err := settings.Read("s.cue", []byte(text.String()))
	if err == nil || strings.Count(err.Error(), "\n") > 12 || !strings.Contains(err.Error(), "and 990 more") {
		t.Errorf("%v", err)
	}
}

func TestEmptyFileSaysNothing(t *testing.T) {
	for _, name := range []string{"s.cue", "s.yaml"} {
		if diff := cmp.Diff(&settings.Settings{}, read(t, name, "")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestFileIsNamedInItsError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.cue")
	if err := os.WriteFile(path, []byte(`hosts: a: "b"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := settings.ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+": hosts.a: ") {
		t.Error(err)
	}
	if _, err := settings.ReadFile(path + ".not"); err == nil || !strings.Contains(err.Error(), path+".not") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("s.json", `{"interfaceMap": [{"device": "::100.0.0.1", "idx": 858, "description": "TRANSIT-ABC"}]}`)
	f.Add("s.yaml", "sampler:\n  192.0.2.1:\n    interface: {1: {description: a}}\n")
	f.Add("s.cue", readme)
	f.Fuzz(func(t *testing.T, name, text string) {
		s, err := settings.Read(name, []byte(text))
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, %v", s, err)
		}
	})
}
