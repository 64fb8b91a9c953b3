package netflow

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

// interfacesTemplate is of options data 300: an interface, its name and description.
var interfacesTemplate = set(3, optionsTemplateIPFIX(300, []field{{10, 4}}, []field{{82, variable}, {83, variable}}))

// namesOf returns what datagrams without problems say that interfaces are called.
func namesOf(t *testing.T, datagrams ...[]byte) map[uint32]string {
	t.Helper()
	c := newCollector(exporter.Config{})
	if err := c.decode(datagrams...); err != nil {
		t.Fatal(err)
	}
	names := map[uint32]string{}
	for _, i := range c.named {
		names[i.Interface] = i.Name
	}
	return names
}

func TestGoldenNamesOfInterfaces(t *testing.T) {
	for name, want := range map[string]map[uint32]string{
		"interfaces-v9":    {1: "Gi0/1", 2: "Te0/2 (transit Münster)"},
		"interfaces-ipfix": {3: "ge-0/0/3 (peering)", 4: "lo0.0"},
	} {
		t.Run(name, func(t *testing.T) { equal(t, want, namesOf(t, golden.Bytes(t, name))) })
	}
}

// A router of Cisco's sends short and long forms of names.
func TestCapturedNamesOfInterfaces(t *testing.T) {
	const router = "plugins/inputs/netflow/testcases/netflow_v9_options/message.bin"
	for _, capture := range capturetest.Of(t, "nf") {
		if strings.HasSuffix(filepath.ToSlash(capture.Path), router) {
			want := map[uint32]string{1: "Te0/0/0", 2: "Te0/0/1", 3: "Te0/0/2", 4: "Te0/0/3", 5: "Te0/0/4", 6: "Te0/0/5", 7: "Gi0", 10: "Lo0"}
			equal(t, want, namesOf(t, payloads(t, capture.Path)...))
			return
		}
	}
	t.Errorf("there is no capture %s", router)
}

func TestNameOfAnInterfaceComesWithoutCounters(t *testing.T) {
	c := newCollector(exporter.Config{})
	if err := c.decode(golden.Bytes(t, "interfaces-ipfix")); err != nil {
		t.Fatal(err)
	}
	want := noCounters
	want.TimeReceived, want.SamplerAddress, want.ObservationDomain = uint64(received.Unix()), source.Addr(), 1
	want.Interface, want.Name = 3, "ge-0/0/3 (peering)"
	equal(t, want, c.named[0])
	equal(t, 0, len(c.records))
}

func TestInterfaceMayBeScopeOrField(t *testing.T) {
	name, v9Names := []byte("eth0\x00\x00\x00\x00"), []field{{82, 8}}
	want := map[uint32]string{7: "eth0"}
	for what, datagram := range map[string][]byte{
		"v9: scope interface":           v9(set(1, optionsTemplateV9(300, []field{{2, 4}}, v9Names)), set(300, u32(7), name)),
		"v9: scope interface, 2 bytes":  v9(set(1, optionsTemplateV9(300, []field{{2, 2}}, v9Names)), set(300, u16(7), name)),
		"v9: scope system":              v9(set(1, optionsTemplateV9(300, []field{{1, 4}}, append([]field{{10, 2}}, v9Names...))), set(300, u32(9), u16(7), name)),
		"v9: OUTPUT_SNMP":               v9(set(1, optionsTemplateV9(300, []field{{1, 4}}, append([]field{{14, 4}}, v9Names...))), set(300, u32(9), u32(7), name)),
		"IPFIX: scope ingressInterface": ipfix10(set(3, optionsTemplateIPFIX(300, []field{{10, 4}}, v9Names)), set(300, u32(7), name)),
		"IPFIX: scope egressInterface":  ipfix10(set(3, optionsTemplateIPFIX(300, []field{{14, 4}}, v9Names)), set(300, u32(7), name)),
		"with a sampling rate beside it": ipfix10(set(3, optionsTemplateIPFIX(300, []field{{10, 4}}, append([]field{{34, 4}}, v9Names...))),
			set(300, u32(7), u32(1000), name)),
	} {
		t.Run(what, func(t *testing.T) { equal(t, want, namesOf(t, datagram)) })
	}
}

func TestNamesThatAreOddOrMissing(t *testing.T) {
	say := func(index uint32, name, description string) []byte {
		return set(300, u32(index), u8(255), u16(uint16(len(name))), []byte(name), u8(255), u16(uint16(len(description))), []byte(description))
	}
	for what, test := range map[string]struct{ name, description, want string }{
		"both":                          {"xe-0/0/1", "transit", "xe-0/0/1 (transit)"},
		"the same twice":                {"eth0", "eth0", "eth0"},
		"abbreviated":                   {"Fa1/0", "FastEthernet 1/0", "Fa1/0"},
		"abbreviated to capitals":       {"FE1/0", "FastEthernet 1/0", "FE1/0"},
		"no abbreviation":               {"Te0/1", "to somebody 0/1", "Te0/1 (to somebody 0/1)"},
		"only a description":            {"", "uplink", "uplink"},
		"nothing":                       {"", "", ""},
		"nothing but what fills fields": {"\x00\x00\x00", "   ", ""},
		"rubbish behind the end":        {"eth0\x00\xff\xfe", "", "eth0"},
		"no UTF-8":                      {"caf\xe9", "", "caf?"},
	} {
		t.Run(what, func(t *testing.T) {
			equal(t, test.want, namesOf(t, ipfix10(interfacesTemplate, say(7, test.name, test.description)))[7])
		})
	}
	t.Run("of no interface", func(t *testing.T) {
		equal(t, map[uint32]string{}, namesOf(t, ipfix10(interfacesTemplate, say(0, "eth0", ""))))
	})
	for length := range 3 * flow.MaxName {
		name, description := strings.Repeat("ä", length), strings.Repeat("ß", 3*flow.MaxName-length)
		got := namesOf(t, ipfix10(interfacesTemplate, say(7, name, description)))[7]
		if len(got) > flow.MaxName || len(got) < flow.MaxName-4 || !utf8.ValidString(got) || strings.Contains(got, "?") {
			t.Fatalf("a name of %d bytes and a description of %d become %q, of %d bytes", len(name), len(description), got, len(got))
		}
	}
}

func TestFlowRecordsNameNoInterfaces(t *testing.T) {
	c := newCollector(exporter.Config{})
	if err := c.decode(ipfix10(set(2, template(256, field{10, 4}, field{82, variable})), set(256, u32(7), u8(4), []byte("eth0")))); err != nil {
		t.Fatal(err)
	}
	equal(t, 0, len(c.named))
	equal(t, uint32(7), c.records[0].InIf)
}

// Whoever forges options data can say as much as with flows, and none of it stays here.
func TestForgedNamesOfInterfacesTakeUpNoMemory(t *testing.T) {
	c := newCollector(exporter.Config{})
	if err := c.decode(ipfix10(interfacesTemplate)); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(3 * maxNames) {
		c.named = c.named[:0]
		name := fmt.Appendf(nil, "forged interface %d", i)
		if err := c.decode(ipfix10(set(300, u32(1+i), u8(uint8(len(name))), name, u8(0)))); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.names) > maxNames {
		t.Errorf("%d names are remembered, want at most %d", len(c.names), maxNames)
	}
}

func BenchmarkNamesOfInterfaces(b *testing.B) {
	const interfaces = 20
	var records []byte
	for i := range uint32(interfaces) {
		records = join(records, u32(i+1), u8(8), []byte("xe-0/0/1"), u8(16), []byte("transit somebody"))
	}
	named := 0
	d := NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) {}, func(*flow.Counters) { named++ })
	data := ipfix10(set(300, records))
	if err := d.Decode(ipfix10(interfacesTemplate), source, received); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(data, source, received); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(named), "ns/record")
}
