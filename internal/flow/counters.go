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
	e.uint(1, c.TimeReceived)
	e.address(2, c.SamplerAddress)
	e.uint(3, uint64(c.ObservationDomain))
	e.uint(4, uint64(c.SequenceNum))
	e.uint(5, uint64(c.Uptime))
	e.uint(6, uint64(c.Interface))
	e.string(7, c.Name)
	e.uint(8, uint64(c.Type))
	e.uint(9, c.Speed)
	e.uint(10, uint64(c.Duplex))
	e.uint(11, uint64(c.Status))
	e.uint(12, c.InOctets)
	e.uint(13, uint64(c.InUnicastPackets))
	e.uint(14, uint64(c.InMulticastPackets))
	e.uint(15, uint64(c.InBroadcastPackets))
	e.uint(16, uint64(c.InDiscards))
	e.uint(17, uint64(c.InErrors))
	e.uint(18, uint64(c.InUnknownProtocols))
	e.uint(19, c.OutOctets)
	e.uint(20, uint64(c.OutUnicastPackets))
	e.uint(21, uint64(c.OutMulticastPackets))
	e.uint(22, uint64(c.OutBroadcastPackets))
	e.uint(23, uint64(c.OutDiscards))
	e.uint(24, uint64(c.OutErrors))
	e.uint(25, uint64(c.PromiscuousMode))
	return e.finish(b)
}
