package dashboards_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

func overview(t *testing.T) *dashboard.Dashboard {
	t.Helper()
	for _, d := range loaded(t) {
		if d.UID == "netmeta-overview" {
			return d
		}
	}
	t.Fatal("there is no overview")
	return nil
}

func inNetwork(address, network string) bool {
	return netip.MustParsePrefix(network).Contains(netip.MustParseAddr(address))
}

func TestFiltersLetThroughWhatTheySay(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	for _, statement := range []string{"INSERT INTO interface_names (SamplerAddress, Interface, Name, Boundary) VALUES ('::ffff:192.0.2.1', 3, '3', 'external')", "SYSTEM RELOAD DICTIONARY InterfaceNames"} {
		if _, err := write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	d := overview(t)
	for _, c := range []struct {
		variable string
		values   []string
		through  func(flow) bool
	}{
		{"exporter", []string{"192.0.2.1"}, func(f flow) bool { return f.exporter == "192.0.2.1" }},
		{"exporter", []string{"192.0.2.1", "2001:db8::1"}, func(f flow) bool { return f.exporter != "192.0.2.2" }},
		{"exporter", []string{"!192.0.2.1"}, func(f flow) bool { return f.exporter != "192.0.2.1" }},
		{"interface", []string{"192.0.2.1/3", "2001:db8::1/4"}, func(f flow) bool {
			return f.exporter == "192.0.2.1" && (f.in == 3 || f.out == 3) || f.exporter == "2001:db8::1" && (f.in == 4 || f.out == 4)
		}},
		{"direction", []string{"out"}, func(f flow) bool { return f.egress }},
		{"direction", []string{"in"}, func(f flow) bool { return !f.egress }},
		{"counting", []string{"once"}, func(f flow) bool {
			return f.exporter == "192.0.2.1" && (f.in == 3 && !f.egress || f.in != 3 && f.out == 3 && f.egress)
		}},
		{"interface", []string{"192.0.2.1/3: uplink"}, func(f flow) bool { return f.exporter == "192.0.2.1" && (f.in == 3 || f.out == 3) }},
		{"host", []string{"203.0.113.7"}, func(f flow) bool { return f.source == "203.0.113.7" || f.dest == "203.0.113.7" }},
		{"host", []string{"198.51.100.16/28, 2001:db8:1::/48"}, func(f flow) bool {
			return inNetwork(f.dest, "198.51.100.16/28") || inNetwork(f.source, "2001:db8:1::/48")
		}},
		{"host", []string{"!203.0.113.7"}, func(f flow) bool { return f.source != "203.0.113.7" && f.dest != "203.0.113.7" }},
		{"source", []string{"::203.0.113.7"}, func(f flow) bool { return f.source == "203.0.113.7" }},
		{"destination", []string{"198.51.100.0/24, !::ffff:198.51.100.12"}, func(f flow) bool {
			return inNetwork(f.dest, "198.51.100.0/24") && f.dest != "198.51.100.12"
		}},
		{"port", []string{"443"}, func(f flow) bool { return f.sport == 443 || f.dport == 443 }},
		{"port", []string{"!443, !53"}, func(f flow) bool { return f.sport != 443 && f.dport != 443 && f.sport != 53 && f.dport != 53 }},
		{"port", []string{"1024-20000"}, func(f flow) bool {
			return f.sport >= 1024 && f.sport <= 20000 || f.dport >= 1024 && f.dport <= 20000
		}},
		{"protocol", []string{"tcp, 1"}, func(f flow) bool { return f.proto != 17 }},
		{"asn", []string{"64500, 64521"}, func(f flow) bool { return f.sourceAS == 64500 || f.destAS == 64521 }},
		{"srcAS", []string{"64500"}, func(f flow) bool { return f.sourceAS == 64500 }},
		{"dstAS", []string{"!64521"}, func(f flow) bool { return f.destAS != 64521 }},
		{"nextHop", []string{"198.51.100.2"}, func(f flow) bool { return f.nextHop == "198.51.100.2" }},
		{"vlan", []string{"100-150"}, func(f flow) bool { return f.vlan == 100 }},
		{"sql", []string{"TCPFlags IN (2, 18) AND Proto = 6"}, func(f flow) bool { return f.proto == 6 && (f.tcp == 2 || f.tcp == 18) }},
	} {
		t.Run(fmt.Sprint(c.variable, " ", strings.Join(c.values, " ")), func(t *testing.T) {
			for _, id := range []int{10, 20, 40, 60} { // a number, curves, a stack, and a table
				panel, _ := d.Panel(id)
				v := show(t, read, d, panel, dashboard.Values{c.variable: c.values}, c.through)
				if len(v.inRange) == 0 || len(v.inRange) == len(between(testFlows, testFrom.Unix(), testTo.Unix())) {
					t.Fatalf("%d flows pass: nothing is tested", len(v.inRange))
				}
				checks[d.UID][id](v)
			}
		})
	}
}

func TestFiltersHoldTogether(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	d := overview(t)
	panel, _ := d.Panel(10)
	values := dashboard.Values{"exporter": {"192.0.2.1"}, "direction": {"in"}, "protocol": {"TCP"}, "port": {"!53"}, "host": {"198.51.100.0/24"}}
	v := show(t, read, d, panel, values, func(f flow) bool {
		return f.exporter == "192.0.2.1" && !f.egress && f.proto == 6 && f.dport != 53 && f.sport != 53 && inNetwork(f.dest, "198.51.100.0/24")
	})
	if len(v.inRange) == 0 {
		t.Fatal("no flow passes all")
	}
	checks[d.UID][10](v)
}

// Grafana puts values in without looking at them, but for the encoding. Whatever somebody
// types, the query stays the same query, and finds nothing.
func TestValuesThatNobodyCheckedDoNoHarm(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	d := overview(t)
	panel, _ := d.Panel(10)
	plain := dashboard.Scope{Dashboard: d, From: testFrom, To: testTo, Values: dashboard.Values{
		"host": {"203.0.113.99"}, "port": {"65432"}, "protocol": {"254"}, "nextHop": {"203.0.113.99"}, "exporter": {"203.0.113.99"}, "interface": {"203.0.113.99/1"},
	}}
	statement, err := plain.Expand(panel.Targets[0].RawSQL)
	must(t, err)
	for _, value := range []string{
		`'`, `\`, `\'`, `';--`, `') OR 1=1 --`, `'; DROP TABLE flows_raw; --`, `((((`, `))))`, `.*`, `^(a+)+$`, `%27) OR 1=1 --`, `{`, `}`, `/`, `//`, `-`, `1-2-3`,
		`10.0.0.0/`, `/8`, `10.0.0.0/99999999999`, `::/129`, `0x10`, `1e3`, "日本語", "a\x00b", strings.Repeat("9", 3000), strings.Repeat("(", 3000), "192.0.2.1/4294967296",
	} {
		encoded := percentEncoded(value)
		harmed := strings.NewReplacer("203.0.113.99%2F1", encoded, "203.0.113.99", encoded, "65432", encoded, "254", encoded).Replace(statement)
		if harmed == statement {
			t.Fatal("there is no value in the statement")
		}
		got := run(t, read, harmed)
		if len(got.rows) != 1 || got.rows[0][0] != 0.0 {
			t.Errorf("%.40q: %v", value, got.rows)
		}
	}
}

// percentEncoded is as Grafana does it: only letters, digits and -_.~ stay.
func percentEncoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func TestVariablesOfferWhatThereIs(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	insertCounters(t, write)
	insertPipeline(t, write, testPipeline)
	insertRequests(t, write)
	insertTraces(t, write)
	for _, d := range loaded(t) {
		for _, v := range d.Variables {
			if v.Type != dashboard.TypeQuery {
				continue
			}
			t.Run(d.UID+" "+v.Name, func(t *testing.T) {
				options := func(values dashboard.Values) map[string]string {
					statement, err := dashboard.Scope{Dashboard: d, From: testFrom, To: testTo, Values: values}.Expand(v.Query)
					must(t, err)
					r := run(t, read, statement)
					texts, found := r.column(t, "text"), map[string]string{}
					for i, value := range r.column(t, "value") {
						found[value.(string)] = texts[i].(string)
					}
					return found
				}
				all := options(nil)
				switch v.Name {
				case "exporter":
					if len(all) != 3 || all["192.0.2.1"] != "192.0.2.1" || all["2001:db8::1"] != "2001:db8::1" {
						t.Errorf("exporters %v", all)
					}
				case "interface":
					want := map[string]bool{}
					for _, f := range testFlows {
						want[fmt.Sprint(f.exporter, "/", f.in)], want[fmt.Sprint(f.exporter, "/", f.out)] = true, true
					}
					if len(all) != len(want) || all[countedKey] != "192.0.2.1 eth3 (3)" || all["192.0.2.2/4"] != "192.0.2.2 interface 4" {
						t.Errorf("interfaces %v, want %d", all, len(want))
					}
					if _, ok := d.Variable("exporter"); ok {
						for value := range options(dashboard.Values{"exporter": {"192.0.2.2"}}) {
							if !strings.HasPrefix(value, "192.0.2.2/") {
								t.Errorf("%s is none of the chosen exporter", value)
							}
						}
					}
				case "collector":
					if len(all) != 2 || all["a.example"] != "a.example" || all["b.example"] != "b.example" {
						t.Errorf("collectors %v", all)
					}
				case "server":
					if len(all) != 1 || all["192.0.2.80"] != "192.0.2.80" {
						t.Errorf("web servers %v", all)
					}
				case "site":
					if len(all) != 1 || all[webHost] != webHost {
						t.Errorf("sites %v", all)
					}
				case "monitor":
					if len(all) != 1 || all[traceMonitor] != traceMonitor {
						t.Errorf("monitors %v", all)
					}
				default:
					t.Errorf("nothing checks variable %s: %v", v.Name, all)
				}
			})
		}
	}
}
