package clickhouse_test

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/pb"
)

func v4(a, b, c, d byte) []byte { return []byte{a, b, c, d} }

func v6(last byte) []byte {
	return []byte{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}
}

// craft returns flows of which every question of doc/sql.md finds something, in the
// addresses that the page uses.
func craft(now time.Time) (flows []proto.Message) {
	minute := now.Truncate(time.Minute).Add(-30 * time.Second) // in the last full one
	hour := now.Truncate(time.Hour).Add(-30 * time.Minute)     // in the last full one
	add := func(n int, at time.Time, change func(i int, m *pb.FlowMessage)) {
		for i := range n {
			m := &pb.FlowMessage{
				TimeReceived: uint64(at.Unix()), TimeFlowStart: uint64(at.Unix()), TimeFlowEnd: uint64(at.Unix()),
				SamplerAddress: v4(192, 0, 2, 1), SamplingRate: 100, SamplingRateSource: pb.FlowMessage_RATE_PACKET,
				Bytes: 1000, Packets: 1, InIf: 1, OutIf: 4, Etype: 0x0800, Proto: 6, TCPFlags: 16,
				SrcAddr: v4(203, 0, 113, 20), SrcPort: 443, DstAddr: v4(198, 51, 100, 20), DstPort: 50000,
			}
			change(i, m)
			flows = append(flows, m)
		}
	}
	craftTraffic(add, now, minute, hour)
	craftAttacks(add, now)
	craftRarities(add, now, minute)
	craftExporters(add, now)
	return flows
}

// adder adds n flows of a time, after changing each.
type adder func(n int, at time.Time, change func(i int, m *pb.FlowMessage))

func craftTraffic(add adder, now, minute, hour time.Time) {
	add(4, minute, func(i int, m *pb.FlowMessage) { // 3 by one source, 1 by another
		m.OutIf, m.SrcAddr = 3, v4(203, 0, 113, byte(1+i/3))
	})
	grown := func(_ int, m *pb.FlowMessage) { m.SrcAS, m.Bytes = 64500, 1_000_000_000 } // all others together are nothing beside it
	add(10, hour, grown)
	add(1, hour.AddDate(0, 0, -1), grown)
	add(5, hour.AddDate(0, 0, -7), grown)
	add(1, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) { m.SrcAS = 64502 })
	add(1, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) {
		m.SamplerAddress, m.FlowDirection, m.DstAS = v4(192, 0, 2, 2), 1, 64502
	})
	add(1, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) {
		m.ASPath, m.Communities = []uint32{64502, 64503}, []uint32{64502<<16 | 120}
	})
	add(1, now.Add(-time.Hour), func(_ int, m *pb.FlowMessage) {
		m.SamplerAddress, m.OutIf, m.FlowDirection, m.DstAS, m.DstAddr = v4(192, 0, 2, 2), 2, 1, 64510, v4(203, 0, 113, 77)
	})
}

func craftAttacks(add adder, now time.Time) {
	at := now.Add(-100 * time.Second)
	add(200, at, func(i int, m *pb.FlowMessage) { // a flood
		m.DstAddr, m.DstPort, m.SrcAddr, m.SrcPort, m.TCPFlags, m.Bytes = v4(198, 51, 100, 7), 443, v4(203, 0, byte(i), 1), 40000, 2, 40
	})
	add(50, at, func(i int, m *pb.FlowMessage) { // people
		m.DstAddr, m.DstPort, m.SrcAddr, m.SrcPort = v4(198, 51, 100, 7), 80, v4(203, 1, 0, byte(i%10)), 40000
	})
	add(30, at, func(i int, m *pb.FlowMessage) {
		m.DstAddr, m.SrcAddr, m.SrcPort, m.Proto, m.TCPFlags, m.Bytes = v4(198, 51, 100, 9), v4(203, 0, 113, byte(i)), 123, 17, 0, 468
	})
	add(30, at, func(i int, m *pb.FlowMessage) {
		m.DstAddr, m.DstPort, m.SrcAddr, m.SrcPort, m.TCPFlags = v4(198, 51, 100, 10), uint32(1+i), v4(203, 0, 113, 200), 40000, 2
	})
	add(30, at, func(i int, m *pb.FlowMessage) {
		m.DstAddr, m.DstPort, m.SrcAddr, m.SrcPort, m.TCPFlags = v4(198, 51, 101, byte(i)), 22, v4(203, 0, 113, 201), 40000, 2
	})
}

func craftRarities(add adder, now, minute time.Time) {
	add(1, minute, func(_ int, m *pb.FlowMessage) {
		m.SrcAddr, m.NATEvent, m.PostNATSrcAddr, m.PostNATSrcPort = v4(10, 0, 0, 7), 4, v4(203, 0, 113, 5), 40112
	})
	for _, change := range []func(m *pb.FlowMessage){
		func(m *pb.FlowMessage) {
			m.Etype, m.Proto, m.IcmpType, m.SrcAddr, m.DstAddr = 0x86dd, 58, 2, v6(1), v6(2)
		},
		func(m *pb.FlowMessage) { m.FragmentOffset = 185 },
		func(m *pb.FlowMessage) { m.ForwardingStatus = 129 },
		func(m *pb.FlowMessage) {
			m.FirewallEvent, m.SrcAddr, m.SrcPort, m.DstPort = 3, v4(203, 0, 113, 30), 40000, 445
		},
		func(m *pb.FlowMessage) { m.SrcAddr, m.SrcPort, m.TCPFlags = v4(198, 51, 100, 30), 25, 20 },
		func(m *pb.FlowMessage) { m.SrcPort, m.TimeFlowStart = 22, m.TimeFlowStart-7200 },
		func(m *pb.FlowMessage) { m.DstAddr, m.Proto = v4(239, 1, 1, 1), 17 },
		func(m *pb.FlowMessage) { m.Etype, m.Proto, m.SrcAddr, m.DstAddr = 0x0806, 0, nil, nil },
		func(m *pb.FlowMessage) {
			m.HasMPLS, m.MPLSCount, m.MPLS1Label, m.MPLS2Label, m.MPLSLastLabel = true, 2, 16, 17, 17
		},
		func(m *pb.FlowMessage) { m.VlanId, m.TunnelType, m.VNI = 100, pb.FlowMessage_TUNNEL_VXLAN, 4096 },
	} {
		add(1, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) { change(m) })
	}
}

func craftExporters(add adder, now time.Time) {
	add(1, now.Add(-3*time.Hour), func(_ int, m *pb.FlowMessage) { m.SamplerAddress = v4(192, 0, 2, 3) })
	add(3, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) {
		m.SamplerAddress = v4(192, 0, 2, 4)
		m.TimeFlowEnd += 3600
	})
	add(1, now.Add(-10*time.Second), func(int, *pb.FlowMessage) {}) // between the counters
	add(1, now.Add(-time.Minute), func(_ int, m *pb.FlowMessage) {
		m.SamplerAddress, m.SamplingRate, m.SamplingRateSource = v4(192, 0, 2, 5), 1, pb.FlowMessage_RATE_UNKNOWN
	})
}

// craftCounters returns what the router counted on two interfaces in the last 20 s: each
// received 40 MB and sent twice as much.
func craftCounters(now time.Time) (counters []proto.Message) {
	for i, octets := range []uint64{0, 40_000_000} {
		for number := range uint32(2) {
			counters = append(counters, &pb.InterfaceCounters{
				TimeReceived: uint64(now.Unix()) - 20 + 20*uint64(i), SamplerAddress: v4(192, 0, 2, 1), SequenceNum: uint32(i), Uptime: 1000 + 20000*uint32(i),
				Interface: 1 + number, Speed: 1_000_000_000, InOctets: octets, OutOctets: octets * 2,
			})
		}
	}
	return counters
}
