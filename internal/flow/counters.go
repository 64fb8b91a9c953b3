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
	const length = 1 // byte for the length, most of the time
	b, e := begin(b, length)
	e = e.uint64(field(1), c.TimeReceived)
	e = e.address(field(2), c.SamplerAddress)
	e = e.uint(field(3), c.ObservationDomain)
	e = e.uint(field(4), c.SequenceNum)
	e = e.uint(field(5), c.Uptime)
	e = e.uint(field(6), c.Interface)
	e = e.string(field(7), c.Name)
	e = e.uint(field(8), c.Type)
	e = e.uint64(field(9), c.Speed)
	e = e.uint(field(10), c.Duplex)
	e = e.uint(field(11), c.Status)
	e = e.uint64(field(12), c.InOctets)
	e = e.uint(field(13), c.InUnicastPackets)
	e = e.uint(field(14), c.InMulticastPackets)
	e = e.uint(field(15), c.InBroadcastPackets)
	e = e.uint(field(16), c.InDiscards)
	e = e.uint(field(17), c.InErrors)
	e = e.uint(field(18), c.InUnknownProtocols)
	e = e.uint64(field(19), c.OutOctets)
	e = e.uint(field(20), c.OutUnicastPackets)
	e = e.uint(field(21), c.OutMulticastPackets)
	e = e.uint(field(22), c.OutBroadcastPackets)
	e = e.uint(field(23), c.OutDiscards)
	e = e.uint(field(24), c.OutErrors)
	e = e.uint(field(25), c.PromiscuousMode)
	return e.finish(b, length)
}
