// Package mirror samples the packets of an interface, in the kernel, by a packet socket
// (packet(7); linux/if_packet.h, TPACKET_V3): those of a mirror port, or of the host itself.
//
// filter.go is what the kernel samples by, decode.go reads what it has put into the memory
// that it shares with the agent, socket_linux.go sets both up.
package mirror

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// Of linux/if_packet.h: where struct tpacket_block_desc, struct tpacket3_hdr and the
// struct sockaddr_ll behind that have what is read here.
const (
	blockPackets = 12
	blockFirst   = 16
	blockHeader  = 48

	frameNext    = 0
	frameCopied  = 12
	frameLength  = 16
	frameStatus  = 20
	frameLink    = 24
	frameNetwork = 26
	frameTCI     = 32
	frameHeader  = 48

	addressIndex  = frameHeader + 4
	addressType   = frameHeader + 8
	addressPacket = frameHeader + 10
	addressEnd    = frameHeader + 20

	statusVLANValid = 1 << 4

	packetOtherHost = 3
	packetOutgoing  = 4

	arphrdEthernet = 1
	arphrdLoopback = 772

	vlanTag = 4 // bytes, which the kernel has taken out of the frame
)

// ErrBlock says that what the kernel shares cannot be read.
var ErrBlock = errors.New("lengths in the memory shared with the kernel exceed it")

// Decoder reads frames into one record, which it emits. It belongs to one goroutine.
type Decoder struct {
	base   flow.Record
	record flow.Record
	emit   func(*flow.Record)
}

// NewDecoder returns a decoder of what is sampled at a rate, whose records begin as base,
// which names the exporter.
func NewDecoder(rate uint32, base flow.Record, emit func(*flow.Record)) *Decoder {
	base.Type = pb.FlowMessage_MIRROR
	base.Packets = 1
	base.SamplingRate, base.SamplingRateSource = uint64(rate), pb.FlowMessage_RATE_CONFIGURED
	return &Decoder{base: base, emit: emit}
}

// Block reads all frames of a block of TPACKET_V3 and returns how many those were.
func (d *Decoder) Block(b []byte, received time.Time) (frames int, err error) {
	if len(b) < blockHeader {
		return 0, ErrBlock
	}
	now := uint64(received.Unix())
	packets, at := number(b, blockPackets), uint64(number(b, blockFirst))
	for range packets {
		if at+addressEnd > uint64(len(b)) {
			return frames, ErrBlock
		}
		frame := b[at:]
		if !d.frame(frame, now) {
			return frames, ErrBlock
		}
		frames++
		at += uint64(number(frame, frameNext))
	}
	return frames, nil
}

func (d *Decoder) frame(b []byte, now uint64) bool {
	link, network, copied := half(b, frameLink), half(b, frameNetwork), int(number(b, frameCopied))
	if link+copied > len(b) || network < link {
		return false
	}
	d.record = d.base
	r, packetBytes := &d.record, b[link:link+copied]
	r.TimeReceived, r.TimeFlowStart, r.TimeFlowEnd = now, now, now
	r.Bytes = uint64(number(b, frameLength))
	switch binary.NativeEndian.Uint16(b[addressType:]) {
	case arphrdEthernet, arphrdLoopback:
		packet.Ethernet(packetBytes, r)
	default: // tun, ppp, wireguard ...: what is in front of the IP header differs
		if network-link <= copied {
			packet.IP(packetBytes[network-link:], r)
		}
	}
	if number(b, frameStatus)&statusVLANValid != 0 {
		r.VlanID = number(b, frameTCI) & 0xfff
		r.Bytes += vlanTag
	}
	index := number(b, addressIndex)
	switch b[addressPacket] {
	case packetOutgoing:
		r.OutIf, r.FlowDirection, r.HasFlowDirection = index, 1, true
	case packetOtherHost: // a mirror port's: which side it was on is not known
		r.InIf = index
	default:
		r.InIf, r.HasFlowDirection = index, true
	}
	d.emit(r)
	return true
}

func number(b []byte, at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }

func half(b []byte, at int) int { return int(binary.NativeEndian.Uint16(b[at:])) }
