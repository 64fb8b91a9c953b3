package sflow_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	goflow "github.com/netsampler/goflow2/v2/decoders/sflow"
	goflowmessage "github.com/netsampler/goflow2/v2/producer/proto"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/internal/replay"
)

// goflow2 is compared with where it is right. What is left out of the comparison has a
// test of its own: mostly TestProblemsAreCountedAndCostOnlyThemselves, TestASPath,
// TestSummariesStandInForTheHeader, and the packets of package packet.

// compareWithGoflow2 decodes a datagram that is known to be harmless (its counts are
// covered by its bytes) with goflow2 as well, and returns how many packets it compared
// to the last field.
func compareWithGoflow2(t *testing.T, b []byte, got decoded) (packets int) {
	t.Helper()
	var p goflow.Packet
	if goflow.DecodeMessageVersion(bytes.NewBuffer(b), &p) != nil {
		return 0 // it refuses what we skip
	}
	var counters []flow.Counters
	flows := 0
	for _, s := range p.Samples {
		var records []goflow.FlowRecord
		switch s := s.(type) {
		case goflow.CounterSample:
			counters = append(counters, counted(s.Records)...)
			continue
		case goflow.FlowSample:
			records = s.Records
		case goflow.ExpandedFlowSample:
			records = s.Records
		default:
			continue
		}
		if flows++; flows > len(got.flows) {
			t.Fatalf("%d records, goflow2 has more", len(got.flows))
		}
		var message goflowmessage.ProtoProducerMessage
		if err := goflowmessage.SearchSFlowSampleConfig(&message, s, nil); err != nil {
			return packets // the packet, not the datagram
		}
		o := oracle{t, &message, &got.flows[flows-1], records}
		o.sample(&p)
		o.route()
		if o.packet() {
			packets++
		}
	}
	if flows != len(got.flows) {
		t.Errorf("%d records, goflow2 has %d", len(got.flows), flows)
	}
	compareCounters(t, counters, got.counters)
	return packets
}

// oracle compares one flow.
type oracle struct {
	*testing.T
	want    *goflowmessage.ProtoProducerMessage
	got     *flow.Record
	records []goflow.FlowRecord
}

// only returns the record of this type if there is exactly one.
func only[T any](o *oracle) (found T, ok bool) {
	for _, r := range o.records {
		if data, is := r.Data.(T); is {
			if ok {
				return found, false
			}
			found, ok = data, true
		}
	}
	return found, ok
}

func (o *oracle) equal(what string, want, got any) {
	o.Helper()
	if diff := cmp.Diff(want, got, compareAddrs, cmpopts.EquateEmpty()); diff != "" {
		o.Errorf("%s differs (-goflow2 +got):\n%s", what, diff)
	}
}

func addressOf(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}

func (o *oracle) sample(p *goflow.Packet) {
	agent := addressOf(p.AgentIP)
	if agent.IsUnspecified() {
		agent = source.Addr().Unmap()
	}
	o.equal("agent", agent, o.got.SamplerAddress)
	o.equal("sub-agent", p.SubAgentId, o.got.ObservationDomain)
	o.equal("sequence number", p.SequenceNumber, o.got.SequenceNum)
	o.equal("rate", max(o.want.SamplingRate, 1), o.got.SamplingRate)
	if o.got.InIf != 0 {
		o.equal("input", o.want.InIf, o.got.InIf)
	}
	if o.got.OutIf != 0 {
		o.equal("output", o.want.OutIf, o.got.OutIf)
	}
}

func (o *oracle) route() {
	if s, ok := only[goflow.ExtendedSwitch](o); ok && s.SrcVlan <= 4095 && s.DstVlan <= 4095 {
		o.equal("VLANs", [2]uint32{s.SrcVlan, s.DstVlan}, [2]uint32{o.got.SrcVlan, o.got.DstVlan})
	}
	if r, ok := only[goflow.ExtendedRouter](o); ok && r.SrcMaskLen <= 128 && r.DstMaskLen <= 128 {
		o.equal("next hop", addressOf(r.NextHop), o.got.NextHop)
		o.equal("prefixes", [2]uint32{r.SrcMaskLen, r.DstMaskLen}, [2]uint32{o.got.SrcNet, o.got.DstNet})
	}
	const sequence = 2
	g, ok := only[goflow.ExtendedGateway](o)
	if !ok || g.ASDestinations != 1 || g.ASPathType != sequence || len(g.ASPath) == 0 ||
		len(g.ASPath) > flow.MaxASPath || len(g.Communities) > flow.MaxCommunities {
		return
	}
	o.equal("BGP next hop", addressOf(g.NextHop), o.got.BGPNextHop)
	o.equal("AS path", g.ASPath, o.got.ASPath)
	o.equal("communities", g.Communities, o.got.Communities)
	o.equal("AS numbers", [3]uint32{g.SrcAS, o.want.NextHopAs, o.want.DstAs}, [3]uint32{o.got.SrcAS, o.got.NextHopAS, o.got.DstAS})
}

// packet compares the sampled header if it is the only thing that tells of the packet
// and one that goflow2 reads right, and reports whether it did.
func (o *oracle) packet() bool {
	header, ok := only[goflow.SampledHeader](o)
	if !ok {
		return false
	}
	o.equal("frame length", uint64(header.FrameLength), o.got.Bytes)
	for _, r := range o.records {
		switch r.Data.(type) {
		case goflow.SampledIPv4, goflow.SampledIPv6, goflow.SampledEthernet:
			return false
		}
	}
	if header.Protocol != 1 || !plain(header.HeaderData[:header.OriginalLength]) {
		return false
	}
	w := o.want
	o.equal("packet", flow.Record{
		SrcMac: w.SrcMac, DstMac: w.DstMac, VlanID: w.VlanId, Etype: w.Etype, Proto: w.Proto,
		SrcAddr: addressOf(w.SrcAddr), DstAddr: addressOf(w.DstAddr), SrcPort: w.SrcPort, DstPort: w.DstPort,
		IPTos: w.IpTos, IPTTL: w.IpTtl, TCPFlags: w.TcpFlags,
		IPv6FlowLabel: w.Ipv6FlowLabel, FragmentID: w.FragmentId,
	}, flow.Record{
		SrcMac: o.got.SrcMac, DstMac: o.got.DstMac, VlanID: o.got.VlanID, Etype: o.got.Etype, Proto: o.got.Proto,
		SrcAddr: o.got.SrcAddr.Unmap(), DstAddr: o.got.DstAddr.Unmap(), SrcPort: o.got.SrcPort, DstPort: o.got.DstPort,
		IPTos: o.got.IPTos, IPTTL: o.got.IPTTL, TCPFlags: o.got.TCPFlags,
		IPv6FlowLabel: o.got.IPv6FlowLabel, FragmentID: o.got.FragmentID,
	})
	return true
}

// plain tells whether goflow2 reads a frame right: at most one 802.1Q tag without
// priority, IPv4 without options or fragments or IPv6 without extensions, and the
// whole header of TCP or UDP.
func plain(b []byte) bool {
	const transport = 20
	if len(b) >= 18 && binary.BigEndian.Uint16(b[12:]) == 0x8100 && b[14]>>4 == 0 {
		b = b[4:]
	}
	if len(b) < 14+20+transport {
		return false
	}
	ip := b[14:]
	proto, size := uint32(ip[9]), int(binary.BigEndian.Uint16(ip[2:]))
	switch etype := binary.BigEndian.Uint16(b[12:]); {
	case etype == packet.EtypeIPv4 && ip[0] == 0x45 && binary.BigEndian.Uint16(ip[6:])&0x3fff == 0 && size >= 20+transport:
	case etype == packet.EtypeIPv6 && ip[0]>>4 == 6 && len(ip) >= 40+transport && binary.BigEndian.Uint16(ip[4:]) >= transport:
		proto = uint32(ip[6])
	default:
		return false
	}
	return proto == 6 || proto == 17
}

// counted returns the generic interface counters of a sample, without what our decoder
// takes from the datagram and from port names.
func counted(records []goflow.CounterRecord) (blocks []flow.Counters) {
	for _, r := range records {
		if c, ok := r.Data.(goflow.IfCounters); ok {
			blocks = []flow.Counters{{
				Interface: c.IfIndex, Type: c.IfType, Speed: c.IfSpeed, Duplex: c.IfDirection, Status: c.IfStatus,
				InOctets: c.IfInOctets, InUnicastPackets: c.IfInUcastPkts, InMulticastPackets: c.IfInMulticastPkts,
				InBroadcastPackets: c.IfInBroadcastPkts, InDiscards: c.IfInDiscards, InErrors: c.IfInErrors,
				InUnknownProtocols: c.IfInUnknownProtos, OutOctets: c.IfOutOctets, OutUnicastPackets: c.IfOutUcastPkts,
				OutMulticastPackets: c.IfOutMulticastPkts, OutBroadcastPackets: c.IfOutBroadcastPkts,
				OutDiscards: c.IfOutDiscards, OutErrors: c.IfOutErrors, PromiscuousMode: c.IfPromiscuousMode,
			}}
		}
	}
	return blocks
}

func compareCounters(t *testing.T, want, got []flow.Counters) {
	t.Helper()
	for i := range got {
		got[i].Name, got[i].TimeReceived, got[i].SamplerAddress = "", 0, netip.Addr{}
		got[i].ObservationDomain, got[i].SequenceNum, got[i].Uptime = 0, 0, 0
	}
	if diff := cmp.Diff(want, got, compareAddrs, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("counters differ (-goflow2 +got):\n%s", diff)
	}
}

func TestFlowsAndCountersAreThoseOfGoflow2(t *testing.T) {
	datagrams := [][]byte{realistic()}
	for _, b := range golden.All(t) {
		datagrams = append(datagrams, b)
	}
	if os.Getenv("NETMETA_SHARED") != "" {
		for _, c := range capturetest.Of(t, "sflow5") {
			for datagram, err := range replay.Datagrams(c.Path) {
				if err == nil && datagram.Protocol == replay.SFlow {
					datagrams = append(datagrams, datagram.Payload)
				}
			}
		}
	}
	packets := 0
	for _, b := range datagrams {
		if got, err := decodeAll(t, b); err == nil {
			packets += compareWithGoflow2(t, b, got)
		}
	}
	if packets < 5 {
		t.Errorf("only %d packets compared", packets)
	}
	t.Logf("%d packets of %d datagrams compared", packets, len(datagrams))
}
