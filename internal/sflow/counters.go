package sflow

import (
	"encoding/binary"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Record formats of enterprise 0 in counter samples (sFlow version 5 section 5.4,
// sflow_optics.txt).
const (
	formatInterfaceCounters = 1
	formatPortName          = 1005
)

// Bytes of a counter sample's number and data source.
const (
	compactSource  = 8
	expandedSource = 12
)

// counterSample hands on the generic interface counters of a counter sample (structs
// counters_sample and counters_sample_expanded). Other counters are skipped.
func (d *Decoder) counterSample(source uint64, x *xdr) {
	x.next(source)
	count := x.uint32()
	if x.bad {
		d.fail(badSampleHeader, x.lack, "header of counter sample")
		return
	}
	const recordSize = 8 // at least: its format and its length
	if uint64(count)*recordSize > uint64(len(x.b)) {
		d.fail(badRecordCount, lack{}, "counter sample: %d records in %d bytes", uint64(count), uint64(len(x.b)))
		return
	}
	var block, name []byte
	for i := range count {
		format, body := x.framed()
		if x.bad {
			d.fail(recordsMissing, x.lack, "counter sample: record %d of %d", uint64(i)+1, uint64(count))
			break
		}
		record := xdr{b: body}
		switch format {
		case formatInterfaceCounters:
			block = record.next(interfaceCountersSize)
		case formatPortName:
			name = record.opaque()
		}
		if record.bad {
			d.fail(badRecord, record.lack, "counter sample: record %d of format %d", uint64(i)+1, uint64(format))
		}
	}
	if block != nil {
		d.setCounters(d.names.of(name), block)
		d.tally.interfaceCounters++
		d.count(&d.counters)
	}
}

const interfaceCountersSize = 88

// setCounters reads struct if_counters.
func (d *Decoder) setCounters(name string, b []byte) {
	c := &d.counters
	c.TimeReceived = d.common.TimeReceived
	c.SamplerAddress, c.ObservationDomain = d.header.agent, d.header.subAgent
	c.SequenceNum, c.Uptime = d.header.sequence, d.header.uptime

	c.Name = name
	c.Interface, c.Type = word(b, 0), word(b, 1)
	c.Speed = binary.BigEndian.Uint64(b[8:])
	c.Duplex, c.Status = word(b, 4), word(b, 5)

	c.InOctets = binary.BigEndian.Uint64(b[24:])
	c.InUnicastPackets, c.InMulticastPackets, c.InBroadcastPackets = word(b, 8), word(b, 9), word(b, 10)
	c.InDiscards, c.InErrors, c.InUnknownProtocols = word(b, 11), word(b, 12), word(b, 13)

	c.OutOctets = binary.BigEndian.Uint64(b[56:])
	c.OutUnicastPackets, c.OutMulticastPackets, c.OutBroadcastPackets = word(b, 16), word(b, 17), word(b, 18)
	c.OutDiscards, c.OutErrors = word(b, 19), word(b, 20)
	c.PromiscuousMode = word(b, 21)
}

// names keeps the names of ports, so that a name that is seen again costs no memory.
type names map[string]string

const maxNames = 4096

// of returns a name as text, which the protobuf encoding has to be: what is no UTF-8 is
// replaced. A name that is too long is cut off.
func (n *names) of(b []byte) string {
	b = b[:min(len(b), flow.MaxName)]
	if name, ok := (*n)[string(b)]; ok || len(b) == 0 {
		return name
	}
	if *n == nil || len(*n) >= maxNames {
		*n = make(names)
	}
	raw := string(b)
	name := strings.ToValidUTF8(raw, "?")
	(*n)[raw] = name
	return name
}
