package sflow_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/sflow"
)

func TestEveryFieldOfInterfaceCountersIsRead(t *testing.T) {
	block := func(index, n uint32, name string) flow.Counters {
		return flow.Counters{
			TimeReceived: 1_700_000_000, SamplerAddress: netip.MustParseAddr("192.0.2.10"), ObservationDomain: 7,
			SequenceNum: 42, Uptime: 65536,
			Interface: index, Name: name, Type: 6, Speed: 10_000_000_000, Duplex: 1, Status: 3,
			InOctets: uint64(n)*1e12 + 1, InUnicastPackets: n + 2, InMulticastPackets: n + 3, InBroadcastPackets: n + 4,
			InDiscards: n + 5, InErrors: n + 6, InUnknownProtocols: n + 7,
			OutOctets: uint64(n)*1e12 + 8, OutUnicastPackets: n + 9, OutMulticastPackets: n + 10, OutBroadcastPackets: n + 11,
			OutDiscards: n + 12, OutErrors: n + 13, PromiscuousMode: 2,
		}
	}
	want := []flow.Counters{block(3, 100, "swp3.100"), block(83886080, 200, "et1"), block(4, 300, "")}
	before := testutil.ToFloat64(sflow.InterfaceCounters)
	got, err := decodeAll(t, golden.Bytes(t, "counter-samples"))
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got.counters, compareAddrs); diff != "" {
		t.Errorf("counters differ (-want +got):\n%s", diff)
	}
	if len(got.flows) != 0 {
		t.Errorf("%d flows made of counters", len(got.flows))
	}
	if counted := testutil.ToFloat64(sflow.InterfaceCounters) - before; counted != 3 {
		t.Errorf("%v blocks counted, want 3", counted)
	}
}

// portNamed is a counter sample with this port name.
func portNamed(name string) []byte {
	return framed(2, words(1, 3, 2), framed(1, make([]byte, 88)), framed(1005, words(uint32(len(name))), []byte(name)))
}

func TestPortNamesAreTextThatFits(t *testing.T) {
	for promise, test := range map[string]struct{ name, want string }{
		"a name":                   {"ge-0/0/0", "ge-0/0/0"},
		"a name that is not UTF-8": {"port\xff", "port?"},
		"a name that is too long":  {strings.Repeat("x", 300), strings.Repeat("x", flow.MaxName)},
		"no name":                  {"", ""},
	} {
		got, err := decodeAll(t, datagramOf(portNamed(test.name)))
		if err != nil || len(got.counters) != 1 || got.counters[0].Name != test.want {
			t.Errorf("%s is read as %+v, %v", promise, got.counters, err)
		}
	}
}

// Names that never repeat are what a forger would send.
func TestPortNamesTakeBoundedMemory(t *testing.T) {
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), nil, func(*flow.Counters) {})
	for i := range 3 * sflow.MaxNames {
		if err := d.Decode(datagramOf(portNamed(fmt.Sprint("port ", i))), source, received); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.Names(); n > sflow.MaxNames {
		t.Errorf("%d names are kept, want at most %d", n, sflow.MaxNames)
	}
}
