package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
)

// named is a flow of 192.0.2.1 in by interface 858 and out by 1126.
func named() *pb.FlowMessage {
	return &pb.FlowMessage{
		Type: pb.FlowMessage_IPFIX, TimeReceived: uint64(time.Now().Unix()), SamplerAddress: []byte{192, 0, 2, 1},
		SrcAddr: []byte{198, 51, 100, 7}, DstAddr: append([]byte{0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4}, make([]byte, 8)...),
		InIf: 858, OutIf: 1126, VlanId: 10, Proto: 6, Bytes: 1, Packets: 1,
		SrcAddrEncap: []byte{10, 1, 2, 3}, PostNATDstAddr: []byte{203, 0, 113, 9}, NextHop: []byte{192, 0, 2, 254},
	}
}

func TestViewForPeopleHasNamesAndNumbersWhereNoneIsKnown(t *testing.T) {
	db, broker := migrated(t)
	publish(t, broker, delimited(t, named()))
	waitFor(t, db, 1, "SELECT count() FROM flows")
	check := func(want map[string]string) {
		t.Helper()
		for column, want := range want {
			if got := query[string](t, db, "SELECT toString("+column+") || toTypeName("+column+") FROM flows"); got != want+"String" {
				t.Errorf("%s is %q, want %q as String", column, got, want)
			}
		}
	}
	check(map[string]string{
		"InIfName": "858", "OutIfName": "1126", "SamplerName": "192.0.2.1", "SrcHostName": "198.51.100.7", "DstHostName": "2001:db8:102:304::", "ProtoName": "TCP",
		"VLANName": "10", "SrcNetName": "", "DstNetTenant": "", "InIfGroup": "", "OutIfBoundary": "", "SamplerSite": "",
	})

	exec(t, db, "INSERT INTO interface_names VALUES ('::ffff:192.0.2.1', 858, 'TRANSIT-ABC', 'xe-0/0/0', '', 0, 'transit', 'external', 'settings', now())")
	exec(t, db, "INSERT INTO sampler_config (SamplerAddress, Name, Site, Group) VALUES ('::ffff:192.0.2.1', 'ams-core-1', 'AMS1', 'core')")
	exec(t, db, "INSERT INTO host_names VALUES ('::ffff:198.51.100.7', 'www', 'settings', now())")
	exec(t, db, "INSERT INTO vlan_names VALUES ('::', 10, 'any'), ('::ffff:192.0.2.2', 10, 'of another')")
	exec(t, db, "INSERT INTO networks VALUES ('198.51.0.0/16', 'wide', '', '', '', 'external', 'settings'), ('198.51.100.0/24', 'office', 'lan', 'AMS1', 'a', 'internal', 'settings'), ('2001:db8::/32', 'six', '', '', '', '', 'settings')")
	for _, name := range []string{"InterfaceNames", "SamplerConfig", "HostNames", "VlanNames", "Networks", "OwnAutnums", "Places"} {
		exec(t, db, "SYSTEM RELOAD DICTIONARY "+name)
	}
	check(map[string]string{
		"InIfName": "TRANSIT-ABC", "OutIfName": "1126", "SamplerName": "ams-core-1", "SrcHostName": "www", "VLANName": "any",
		"SrcNetName": "office", "SrcNetRole": "lan", "SrcNetSite": "AMS1", "SrcNetTenant": "a", "DstNetName": "six", "DstNetRole": "",
		"InIfGroup": "transit", "InIfBoundary": "external", "OutIfGroup": "", "SamplerSite": "AMS1", "SamplerGroup": "core",
		"interfaceLabel(SamplerAddress, InputInterface)": "192.0.2.1/858: TRANSIT-ABC",
	})
	if n := query[uint64](t, db, "SELECT countIf(isInterfaceInList(SamplerAddress, InputInterface, interfaceList(interfaceLabel(SamplerAddress, InputInterface)))) FROM flows"); n != 1 {
		t.Error("the label of an interface does not find its flows")
	}
}

func TestAddressesAreCutOffBeforeTheyAreStored(t *testing.T) {
	db, broker := migrated(t)
	exec(t, db, "INSERT INTO sampler_config (SamplerAddress, AnonymizeAddresses) VALUES ('::ffff:192.0.2.1', true), ('::ffff:192.0.2.2', false)")
	// Until the consumer begins a block anew, it goes by what the table said before.
	until := func(cut string) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
			before := query[uint64](t, db, "SELECT count() FROM flows_raw")
			publish(t, broker, delimited(t, named()))
			waitFor(t, db, before+1, "SELECT count() FROM flows_raw")
			if query[uint64](t, db, "SELECT countIf("+cut+") FROM flows_raw") > 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("no flow has %s", cut)
			}
		}
	}
	until("SrcAddr = parseAddress('198.51.100.0')")
	exec(t, db, "TRUNCATE TABLE flows_raw")
	other, third := proto.CloneOf(named()), proto.CloneOf(named())
	other.SamplerAddress[3], third.SamplerAddress[3] = 2, 3
	publish(t, broker, delimited(t, named(), other, third))
	waitFor(t, db, 3, "SELECT count() FROM flows_raw")
	const columns = "arrayStringConcat([addressToString(SrcAddr), addressToString(DstAddr), addressToString(InnerSrcAddr), addressToString(InnerDstAddr), addressToString(PostNATDstAddr), addressToString(NextHop)], ' ')"
	for exporter, want := range map[string]string{
		"192.0.2.1": "198.51.100.0 2001:db8:102:: 10.1.2.0  203.0.113.0 192.0.2.254",
		"192.0.2.2": "198.51.100.7 2001:db8:102:304:: 10.1.2.3  203.0.113.9 192.0.2.254",
		"192.0.2.3": "198.51.100.7 2001:db8:102:304:: 10.1.2.3  203.0.113.9 192.0.2.254",
	} {
		if got := query[string](t, db, "SELECT "+columns+" FROM flows_raw WHERE SamplerAddress = parseAddress('"+exporter+"')"); got != want {
			t.Errorf("%s: %s, want %s", exporter, got, want)
		}
	}

	exec(t, db, "TRUNCATE TABLE sampler_config")
	exec(t, db, "TRUNCATE TABLE flows_raw")
	until("SrcAddr = parseAddress('198.51.100.7')")
}

func TestFlowsAreStoredWithoutDictionaries(t *testing.T) {
	db, broker := migrated(t)
	for _, name := range []string{"InterfaceNames", "SamplerConfig", "HostNames", "VlanNames", "Networks", "OwnAutnums", "Places"} {
		exec(t, db, "DROP DICTIONARY "+name)
	}
	publish(t, broker, delimited(t, named()))
	waitFor(t, db, 1, "SELECT count() FROM flows_raw")
}

func TestBoundariesSayWhereTrafficGoesAndWhichFlowCounts(t *testing.T) {
	db, _ := migrated(t)
	// Two border routers: outside of 1 and of 2 by interface 1, between them by interface 2,
	// to the own hosts by interface 3 of 2, of which nothing is said. 3 has only a default.
	exec(t, db, `INSERT INTO interface_names (SamplerAddress, Interface, Name, Boundary) VALUES
		('::ffff:192.0.2.1', 1, 'a', 'external'), ('::ffff:192.0.2.1', 2, 'b', 'internal'),
		('::ffff:192.0.2.2', 1, 'a', 'external'), ('::ffff:192.0.2.2', 2, 'b', 'internal'), ('::ffff:192.0.2.3', 1, 'a', 'external')`)
	exec(t, db, "INSERT INTO sampler_config (SamplerAddress, Boundary) VALUES ('::ffff:192.0.2.3', 'internal')")
	exec(t, db, "INSERT INTO networks (Prefix, Boundary) VALUES ('10.0.0.0/8', 'internal'), ('0.0.0.0/0', 'external'), ('::/0', 'external')")
	exec(t, db, "INSERT INTO own_asns (ASN, Boundary) VALUES (64500, 'internal')")
	for _, name := range []string{"InterfaceNames", "SamplerConfig", "Networks", "OwnAutnums"} {
		exec(t, db, "SYSTEM RELOAD DICTIONARY "+name)
	}
	const own, ours, other, another = "10.0.0.1", "203.0.113.1", "198.51.100.1", "198.51.100.2" // ours is of AS64500
	for _, c := range []struct {
		what                string
		exporter            string
		in, out             int
		from, to            string
		egress              bool
		direction, explicit string // explicit: of flows whose exporter says the side
		counts              bool
	}{
		{"comes in", "192.0.2.1", 1, 2, other, own, false, "in", "in", true},
		{"comes in, seen as it goes on", "192.0.2.1", 1, 2, other, own, true, "in", "out", false},
		{"comes in, at the next router", "192.0.2.2", 2, 3, other, own, false, "in", "in", false},
		{"leaves, by an interface that is known", "192.0.2.1", 2, 1, own, other, false, "out", "in", true},
		{"leaves, seen as it leaves, too", "192.0.2.1", 2, 1, own, other, true, "out", "out", false},
		{"leaves, by an interface that is not known", "192.0.2.2", 3, 1, own, other, true, "out", "out", true},
		{"leaves, seen as it comes in there", "192.0.2.2", 3, 1, own, other, false, "out", "in", false},
		{"leaves, of the own system", "192.0.2.1", 2, 1, ours, other, false, "out", "in", true},
		{"goes through one router", "192.0.2.1", 1, 1, other, another, false, "transit", "in", true},
		{"goes through two, at the second", "192.0.2.2", 2, 1, other, another, false, "out", "in", false},
		{"stays within", "192.0.2.1", 2, 2, own, own, false, "internal", "in", false},
		{"stays within, by the exporter's default", "192.0.2.3", 7, 8, own, own, false, "internal", "in", false},
		{"is known by its addresses alone, in", "192.0.2.9", 1, 2, other, own, false, "in", "in", false},
		{"is known by its addresses alone, through", "192.0.2.9", 0, 0, other, another, false, "transit", "in", false},
	} {
		source := 64496
		if c.from == ours {
			source = 64500
		}
		exec(t, db, "TRUNCATE TABLE flows_raw")
		for _, told := range []bool{false, true} {
			exec(t, db, fmt.Sprintf("INSERT INTO flows_raw (TimeReceived, SamplerAddress, InIf, OutIf, SrcAddr, DstAddr, SrcAS, FlowDirection, HasFlowDirection) VALUES (now(), '::ffff:%s', %d, %d, '::ffff:%s', '::ffff:%s', %d, %t, %t)",
				c.exporter, c.in, c.out, c.from, c.to, source, c.egress, told))
		}
		want := fmt.Sprintf("%s %t %s", c.direction, c.counts, c.explicit)
		if got := query[string](t, db, "SELECT concat(any(TrafficDirection), ' ', toString(toBool(any(CountedOnce))), ' ', any(Direction)) FROM flows WHERE Direction = '"+c.explicit+"'"); got != want {
			t.Errorf("what %s: %s, want %s", c.what, got, want)
		}
	}
}
