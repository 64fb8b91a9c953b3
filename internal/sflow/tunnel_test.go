package sflow_test

import (
	"net/netip"
	"testing"

	"github.com/leoluk/NetMeta/pb"
)

// outer4 and outer6 are the outer header of a tunnel, as records 1023 to 1026 have it.
func outer4(proto, port uint32) []byte {
	return words(1550, proto, 0x0a000001, 0x0a000002, 50000, port, 0, 0)
}

func outer6(proto, port uint32) []byte {
	return words(1550, proto, 0x20010db8, 0, 0, 1, 0x20010db8, 0, 0, 2, 50000, port, 0, 0)
}

func TestTunnelRecords(t *testing.T) {
	const (
		none   = pb.FlowMessage_TUNNEL_NONE
		other  = pb.FlowMessage_TUNNEL_OTHER
		gre    = pb.FlowMessage_TUNNEL_GRE
		ipip   = pb.FlowMessage_TUNNEL_IPIP
		vxlan  = pb.FlowMessage_TUNNEL_VXLAN
		geneve = pb.FlowMessage_TUNNEL_GENEVE
	)
	header := rawHeader(1, 1500, tcpFrame)
	keyedGRE := rawHeader(11, 1500, unhex("45b80044 12340000 402f0000 c0000201 c6336402 20000800 0000002a"+ipv4Hex+tcpHex))
	for _, test := range []struct {
		promise string
		records [][]byte
		kind    pb.FlowMessage_Tunnel
		vni     uint32
	}{
		{"no record", [][]byte{header}, none, 0},
		{"an outer IPv4 header that was removed", [][]byte{header, framed(1024, outer4(17, 4789))}, vxlan, 0},
		{"an outer IPv4 header that will be added", [][]byte{header, framed(1023, outer4(47, 0))}, gre, 0},
		{"an outer IPv6 header that was removed", [][]byte{header, framed(1026, outer6(17, 6081))}, geneve, 0},
		{"an outer IPv6 header that will be added", [][]byte{header, framed(1025, outer6(41, 0))}, ipip, 0},
		{"an outer header of an unknown tunnel", [][]byte{header, framed(1023, outer4(17, 1701))}, other, 0},
		{"an outer header and its network, in either order", [][]byte{framed(1029, words(5)), framed(1023, outer4(17, 4789)), header}, vxlan, 5},
		{"a network alone", [][]byte{header, vni}, other, 77},
		{"an outer Ethernet header alone", [][]byte{header, framed(1021, words(64, 0x02000000, 0x00010000, 0x02000000, 0x00020000, 0x0800))}, other, 0},
		{"an outer Ethernet header does not hide the kind of tunnel",
			[][]byte{framed(1024, outer4(47, 0)), framed(1022, words(64, 0, 0, 0, 0, 0x0800))}, gre, 0},
		{"what the packet came by before what it leaves by",
			[][]byte{header, framed(1023, outer4(47, 0)), framed(1029, words(5)), framed(1024, outer4(17, 4789)), framed(1030, words(6))}, vxlan, 6},
		{"the sampled header before the records", [][]byte{framed(1024, outer4(17, 4789)), framed(1030, words(6)), keyedGRE}, gre, 42},
		{"a record of an unknown format", [][]byte{header, framed(1031, words(1))}, none, 0},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, datagramOf(sampleOf(test.records...)))
			if r.TunnelType != test.kind || r.VNI != test.vni {
				t.Errorf("%v %d, want %v %d", r.TunnelType, r.VNI, test.kind, test.vni)
			}
		})
	}
}

// The outer header of a tunnel record belongs to a packet of another length, on another
// interface.
func TestTunnelRecordsDoNotChangeTheFlow(t *testing.T) {
	r := decodeOne(t, datagramOf(sampleOf(rawHeader(1, 1500, tcpFrame), framed(1024, outer4(17, 4789)))))
	if r.Bytes != 1500 || r.SrcAddr != netip.MustParseAddr("192.0.2.1") || r.DstPort != 443 || r.HasEncap {
		t.Errorf("the sampled packet is lost: %+v", r)
	}
}

func TestInnerPacketIsReadWhereTheAgentSaysItIs(t *testing.T) {
	const l2tp = "45b80044 12340000 40730000 c0000201 c6336402 00000007" // protocol 115
	header := rawHeader(11, 1500, unhex(l2tp+"45000028 00010000 40060000 0a000001 0a000002"+tcpHex))
	for _, test := range []struct {
		promise string
		offset  uint32
		src     string
		kind    pb.FlowMessage_Tunnel
	}{
		{"at its offset", 24, "10.0.0.1", pb.FlowMessage_TUNNEL_OTHER},
		{"not where there is none", 25, "invalid IP", pb.FlowMessage_TUNNEL_OTHER},
		{"not beyond the header", 0xffffffff, "invalid IP", pb.FlowMessage_TUNNEL_OTHER},
		{"not if the agent does not know", 0, "invalid IP", pb.FlowMessage_TUNNEL_OTHER},
	} {
		for _, format := range []uint32{1027, 1028} {
			r := decodeOne(t, datagramOf(sampleOf(framed(format, words(test.offset)), header)))
			if r.SrcAddrEncap.String() != test.src || r.HasEncap != r.SrcAddrEncap.IsValid() || r.TunnelType != test.kind {
				t.Errorf("%s: record %d gives inner packet from %v, %v", test.promise, format, r.SrcAddrEncap, r.TunnelType)
			}
			if r.SrcAddr.String() != "192.0.2.1" {
				t.Errorf("%s: outer packet from %v", test.promise, r.SrcAddr)
			}
		}
	}
}
