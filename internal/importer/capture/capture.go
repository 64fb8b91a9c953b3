// Package capture decodes captures of packets: pcap (draft-ietf-opsawg-pcap) and pcapng
// (draft-ietf-opsawg-pcapng), as tcpdump and Wireshark write them. Each packet becomes a
// flow of one packet.
package capture

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// Source is the name of this kind of file.
const Source = "pcap"

// Reasons beside those of package importer.
const (
	CutOff      importer.Reason = "cut_off"      // too little was captured of the packet
	NoPacket    importer.Reason = "no_packet"    // no protocol in it is known
	UnknownLink importer.Reason = "unknown_link" // captured at an interface of a kind that is not known
)

// Options say what a capture does not.
type Options struct {
	Exporter     netip.Addr // stored as the exporter's address; default: the first one of this host
	SamplingRate uint64     // one in how many packets was captured; default 1
}

// Format returns how files are read.
func Format(o Options) importer.Format {
	if !o.Exporter.IsValid() {
		o.Exporter = importer.OwnAddress()
	}
	o.SamplingRate = max(o.SamplingRate, 1)
	return importer.Format{Source: Source, Records: "packets", New: func(state string) (importer.Decoder, error) {
		d := &decoder{options: o}
		if state == "" {
			return d, nil
		}
		if err := json.Unmarshal([]byte(state), &d.head); err != nil {
			return nil, fmt.Errorf("read the head of a capture as it is in the state: %w", err)
		}
		d.state = state
		return d, nil
	}}
}

// head is what has to be known of a file to read a packet.
type head struct {
	Next       bool    `json:"next"` // pcapng
	Big        bool    `json:"big"`  // numbers are big endian
	Interfaces []iface `json:"interfaces"`
}

// iface is an interface that was captured at; a pcap file has one.
type iface struct {
	Link       uint32 `json:"link"`       // LINKTYPE_
	Resolution uint64 `json:"resolution"` // units of time a second
}

type decoder struct {
	options Options
	head    head
	state   string // head as JSON, "" at the start of the file
	record  flow.Record
}

// State implements importer.Decoder.
func (d *decoder) State() string { return d.state }

func (d *decoder) remember() {
	b, _ := json.Marshal(d.head) // plain numbers
	d.state = string(b)
}

const (
	fileHeader   = 24
	packetHeader = 16
	blockLeast   = 12
	mostBlock    = 16 << 20

	magicMicros = 0xa1b2c3d4
	magicNanos  = 0xa1b23c4d
	magicOrder  = 0x1a2b3c4d

	blockSection  = 0x0a0d0d0a
	blockIface    = 1
	blockSimple   = 3
	blockEnhanced = 6
)

var errNoCapture = errors.New("it is no capture: it begins like neither pcap nor pcapng")

func (d *decoder) order() binary.ByteOrder {
	if d.head.Big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Split implements importer.Decoder. A packet that is cut off at the end of a file is
// left: whoever captures may still write it.
func (d *decoder) Split(data []byte, _ bool) (int, error) {
	if len(data) < blockLeast {
		return 0, nil
	}
	size := 0
	switch {
	case binary.LittleEndian.Uint32(data) == blockSection && (d.state == "" || d.head.Next):
		order := binary.ByteOrder(binary.LittleEndian)
		if binary.BigEndian.Uint32(data[8:]) == magicOrder {
			order = binary.BigEndian
		}
		size = int(order.Uint32(data[4:]))
	case d.state == "":
		if _, _, ok := magicOf(data); !ok {
			return 0, errNoCapture
		}
		size = fileHeader
	case d.head.Next:
		size = int(d.order().Uint32(data[4:]))
	default:
		size = packetHeader + int(d.order().Uint32(data[8:]))
	}
	if size < blockLeast || size > mostBlock || d.head.Next && size%4 != 0 {
		return 0, fmt.Errorf("the capture is damaged: a record of %d bytes", size)
	}
	if size > len(data) {
		return 0, nil
	}
	return size, nil
}

func magicOf(data []byte) (big bool, resolution uint64, ok bool) {
	for _, big := range []bool{false, true} {
		order := binary.ByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		switch order.Uint32(data) {
		case magicMicros:
			return big, 1e6, true
		case magicNanos:
			return big, 1e9, true
		}
	}
	return false, 0, false
}

// Decode implements importer.Decoder.
func (d *decoder) Decode(b []byte, out *importer.Output) importer.Reason {
	switch {
	case binary.LittleEndian.Uint32(b) == blockSection && (d.state == "" || d.head.Next):
		d.head = head{Next: true, Big: binary.BigEndian.Uint32(b[8:]) == magicOrder}
		d.remember()
		return importer.Aside
	case d.state == "":
		big, resolution, _ := magicOf(b)
		d.head = head{Big: big}
		d.head.Interfaces = []iface{{Link: d.order().Uint32(b[20:]) & 0xffff, Resolution: resolution}}
		d.remember()
		return importer.Aside
	case d.head.Next:
		return d.block(b, out)
	}
	order := d.order()
	seconds := uint64(order.Uint32(b))
	return d.packet(0, 0, seconds, order.Uint32(b[12:]), b[packetHeader:], out)
}

// block decodes a block of pcapng. Those that are no packets say nothing of traffic.
func (d *decoder) block(b []byte, out *importer.Output) importer.Reason {
	order := d.order()
	body := b[8 : len(b)-4]
	switch order.Uint32(b) {
	case blockIface:
		if len(body) < 8 {
			return importer.BadValue
		}
		d.head.Interfaces = append(d.head.Interfaces, iface{Link: uint32(order.Uint16(body)), Resolution: resolution(body[8:], order)})
		d.remember()
		return importer.Aside
	case blockEnhanced:
		if len(body) < 20 {
			return importer.BadValue
		}
		number, captured := order.Uint32(body), int(order.Uint32(body[12:]))
		if int(number) >= len(d.head.Interfaces) || captured > len(body)-20 {
			out.Problem = "a packet of an interface that the file does not describe, or longer than its block"
			return importer.BadValue
		}
		units := uint64(order.Uint32(body[4:]))<<32 | uint64(order.Uint32(body[8:]))
		return d.packet(int(number), number+1, units/d.head.Interfaces[number].Resolution, order.Uint32(body[16:]), body[20:20+captured], out)
	case blockSimple:
		out.Problem = "a Simple Packet Block: it has no time"
		return importer.BadTime
	}
	return importer.Aside
}

// resolution reads the option if_tsresol of an interface; without it, microseconds.
func resolution(options []byte, order binary.ByteOrder) uint64 {
	const tsresol = 9
	for len(options) >= 4 {
		code, size := order.Uint16(options), int(order.Uint16(options[2:]))
		padded := 4 + (size+3)&^3
		if code == 0 || padded > len(options) {
			break
		}
		if code == tsresol && size == 1 {
			power, units := options[4]&0x7f, uint64(1)
			base := uint64(10)
			if options[4]&0x80 != 0 {
				base = 2
			}
			for range min(power, 18) {
				units *= base
			}
			return units
		}
		options = options[padded:]
	}
	return 1e6
}

// packet makes a flow of one packet.
func (d *decoder) packet(number int, ifIndex uint32, seconds uint64, length uint32, b []byte, out *importer.Output) importer.Reason {
	if !importer.Plausible(seconds) {
		out.Problem = "the packet has no time that can be"
		return importer.BadTime
	}
	r := &d.record
	*r = flow.Record{
		Type: pb.FlowMessage_PCAP, TimeReceived: importer.Received(seconds, out.Now), TimeFlowStart: seconds, TimeFlowEnd: seconds,
		SamplingRate: d.options.SamplingRate, SamplingRateSource: pb.FlowMessage_RATE_CONFIGURED, SamplerAddress: d.options.Exporter,
		InIf: ifIndex, Bytes: uint64(length), Packets: 1,
	}
	if reason := link(d.head.Interfaces[number].Link, b, r); reason != importer.Sent {
		return reason
	}
	if r.Etype == 0 {
		return NoPacket
	}
	if r.TimeReceived != seconds {
		out.Ahead()
	}
	out.Flow(r)
	return importer.Sent
}

// link takes off what interfaces put in front of a packet ("Link-layer header types",
// tcpdump.org), and has the rest dissected.
func link(kind uint32, b []byte, r *flow.Record) importer.Reason {
	const (
		null, ethernet, ppp       = 0, 1, 9
		raw, rawBSD, rawOpenBSD   = 101, 12, 14
		loop, linuxSLL, linuxSLL2 = 108, 113, 276
		ipv4, ipv6                = 228, 229
	)
	skip := 0
	switch kind {
	case ethernet:
		if len(b) < 14 {
			return CutOff
		}
		packet.Ethernet(b, r)
		return importer.Sent
	case ppp:
		packet.PPP(b, r)
		return importer.Sent
	case null, loop:
		skip = 4
	case raw, rawBSD, rawOpenBSD, ipv4, ipv6:
	case linuxSLL:
		skip = 16
	case linuxSLL2:
		skip = 20
	default:
		return UnknownLink
	}
	if len(b) <= skip {
		return CutOff
	}
	if version := b[skip] >> 4; version == 4 || version == 6 {
		packet.IP(b[skip:], r)
	}
	return importer.Sent
}
