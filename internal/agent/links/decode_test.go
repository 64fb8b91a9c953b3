package links

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

func TestAnInterfaceIsReadWithNameStateAndCounters(t *testing.T) {
	b := golden.Bytes(t, "veth")
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	m, _, ok, err := netlink.Next(b)
	if !ok || err != nil {
		t.Fatal(err)
	}
	var got flow.Counters
	if !decode(m, &got) {
		t.Fatal("it is not read as an interface")
	}
	want := flow.Counters{
		Interface: 7, Name: "eth0", Type: ethernetCsmacd, Status: statusAdminUp | statusOperUp, PromiscuousMode: 1,
		InOctets: 1000, OutOctets: 2000, InUnicastPackets: 4, InMulticastPackets: 6, OutUnicastPackets: 20,
		InErrors: 1, OutErrors: 2, InDiscards: 3, OutDiscards: 4,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(golden.Bytes(f, "veth")[16:])
	f.Fuzz(func(t *testing.T, body []byte) {
		var c flow.Counters
		if decode(netlink.Message{Type: typeNewLink, Body: body}, &c) != (len(body) >= infoSize) {
			t.Fatal("what has a struct ifinfomsg is an interface, and nothing else")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	m := netlink.Message{Type: typeNewLink, Body: golden.Bytes(b, "veth")[16:]}
	b.ReportAllocs()
	for b.Loop() {
		var c flow.Counters
		decode(m, &c)
	}
}
