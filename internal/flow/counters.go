package flow

import "net/netip"

// Counters is one block of generic interface counters. Field for field it is
// pb.InterfaceCounters, whose comments give units and sources.
type Counters struct {
	TimeReceived      uint64 // seconds since 1970-01-01 UTC
	SamplerAddress    netip.Addr
	ObservationDomain uint32
	SequenceNum       uint32
	Uptime            uint32 // milliseconds

	Interface uint32 // ifIndex
	Name      string // at most MaxName bytes are encoded
	Type      uint32
	Speed     uint64 // bits per second
	Duplex    uint32
	Status    uint32

	InOctets                                                    uint64
	InUnicastPackets, InMulticastPackets, InBroadcastPackets    uint32
	InDiscards, InErrors, InUnknownProtocols                    uint32
	OutOctets                                                   uint64
	OutUnicastPackets, OutMulticastPackets, OutBroadcastPackets uint32
	OutDiscards, OutErrors                                      uint32
	PromiscuousMode                                             uint32
}

// AppendDelimited implements [Message].
func (c *Counters) AppendDelimited(b []byte) []byte {
	b, e := begin(b)
	e = e.uint(field(1), c.TimeReceived)
	e = e.address(field(2), c.SamplerAddress)
	e = e.uint(field(3), uint64(c.ObservationDomain))
	e = e.uint(field(4), uint64(c.SequenceNum))
	e = e.uint(field(5), uint64(c.Uptime))
	e = e.uint(field(6), uint64(c.Interface))
	e = e.string(field(7), c.Name)
	e = e.uint(field(8), uint64(c.Type))
	e = e.uint(field(9), c.Speed)
	e = e.uint(field(10), uint64(c.Duplex))
	e = e.uint(field(11), uint64(c.Status))
	e = e.uint(field(12), c.InOctets)
	e = e.uint(field(13), uint64(c.InUnicastPackets))
	e = e.uint(field(14), uint64(c.InMulticastPackets))
	e = e.uint(field(15), uint64(c.InBroadcastPackets))
	e = e.uint(field(16), uint64(c.InDiscards))
	e = e.uint(field(17), uint64(c.InErrors))
	e = e.uint(field(18), uint64(c.InUnknownProtocols))
	e = e.uint(field(19), c.OutOctets)
	e = e.uint(field(20), uint64(c.OutUnicastPackets))
	e = e.uint(field(21), uint64(c.OutMulticastPackets))
	e = e.uint(field(22), uint64(c.OutBroadcastPackets))
	e = e.uint(field(23), uint64(c.OutDiscards))
	e = e.uint(field(24), uint64(c.OutErrors))
	e = e.uint(field(25), uint64(c.PromiscuousMode))
	return e.finish(b)
}
