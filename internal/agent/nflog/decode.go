// Package nflog receives the packets that rules of nftables and iptables log to a group
// (linux/netfilter/nfnetlink_log.h), and reads them into flow records.
//
// The kernel samples, by a rule; the agent says how much of each packet it wants, and how
// many the kernel may collect before it wakes the agent.
package nflog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// Of linux/netfilter/nfnetlink_log.h: enum nfulnl_attr_type.
const (
	attributeHeader   = 1  // struct nfulnl_msg_packet_hdr: hw_protocol, hook
	attributeIn       = 4  // ifindex
	attributeOut      = 5  // ifindex
	attributePayload  = 9  // from the network header on
	attributePrefix   = 10 // text of the rule, ended by a zero byte
	attributeUID      = 11 // of the local process whose packet it is
	attributeSequence = 12 // within the group
	attributeHWType   = 15 // ARPHRD_ of linux/if_arp.h
	attributeHWHeader = 16 // link layer header, of packets that were received
)

// TypePacket is the type of messages with a packet: NFNL_SUBSYS_ULOG, with NFULNL_MSG_PACKET, which is 0.
const TypePacket = 4 << 8

// Hooks of linux/netfilter.h at which the direction is known: enum nf_inet_hooks.
const (
	hookPrerouting  = 0
	hookInput       = 1
	hookForward     = 2
	hookOutput      = 3
	hookPostrouting = 4
)

const (
	arphrdEthernet = 1
	ethernetHeader = 14
)

// PrefixRate begins the text of a rule that says its own sampling rate: "netmeta:1000".
const PrefixRate = "netmeta:"

// UserEngine is the classification engine "USER-Defined" of RFC 6759 section 4.1, under
// which ApplicationID carries the user id.
const UserEngine = 6

// Reasons that a message could not be read, which Decode returns.
var (
	ErrShort     = errors.New("message of nflog without a header")
	ErrAttribute = errors.New("attribute of a message of nflog is cut off")
	ErrPayload   = errors.New("message of nflog without a packet")
)

// Rate is how many packets a record stands for, and who says so.
type Rate struct {
	Packets uint64
	Source  pb.FlowMessage_RateSource
}

// Config is what all records of a decoder have in common.
type Config struct {
	// Rate is that of the flag or of the rules that were found. Where it is 0, the prefix
	// of the rule counts; where that says nothing, 1, marked as unknown.
	Rate Rate
	// UserName returns the name of a user id; nil: there are none. It is called once for
	// each user.
	UserName func(uid uint32) string
}

// Decoder reads messages into one record, which it emits. It belongs to one goroutine.
type Decoder struct {
	config Config
	base   flow.Record
	record flow.Record
	emit   func(*flow.Record)
	users  map[uint32]string

	prefix     []byte // the last one, and what it says
	prefixRate uint64

	next    uint32 // sequence number that is expected
	counted bool   // a message came before
}

// maxUsers bounds what is remembered of users' names.
const maxUsers = 4096

// NewDecoder returns a decoder whose records begin as base, which names the exporter.
func NewDecoder(config Config, base flow.Record, emit func(*flow.Record)) *Decoder {
	base.Type = pb.FlowMessage_NFLOG
	base.Packets = 1
	return &Decoder{config: config, base: base, emit: emit, users: map[uint32]string{}}
}

// message is what the attributes of one message say.
type message struct {
	protocol    uint16
	hook        uint8
	hasHook     bool
	payload     []byte
	link        []byte
	linkType    uint16
	prefix      []byte
	in, out     uint32
	uid         uint32
	hasUID      bool
	sequence    uint32
	hasSequence bool
}

// Decode reads one message of TypePacket and emits its record. It returns how many
// packets are missing in front of it by the group's numbering.
func (d *Decoder) Decode(m netlink.Message, received time.Time) (missing uint32, err error) {
	if len(m.Body) < netlink.FamilySize {
		return 0, ErrShort
	}
	var parsed message
	if err := parsed.read(m.Body[netlink.FamilySize:]); err != nil {
		return 0, err
	}
	if parsed.hasSequence {
		if d.counted {
			missing = parsed.sequence - d.next
		}
		d.next, d.counted = parsed.sequence+1, true
	}
	if len(parsed.payload) == 0 {
		return missing, ErrPayload
	}
	d.fill(&parsed, uint64(received.Unix()))
	d.emit(&d.record)
	return missing, nil
}

func (p *message) read(a netlink.Attributes) error {
	for {
		kind, v, rest, ok := a.Next()
		if !ok {
			if rest.Broken() {
				return ErrAttribute
			}
			return nil
		}
		a = rest
		switch {
		case kind == attributePayload:
			p.payload = v
		case kind == attributeHWHeader:
			p.link = v
		case kind == attributePrefix:
			p.prefix, _, _ = bytes.Cut(v, []byte{0})
		case kind == attributeHWType && len(v) >= 2:
			p.linkType = binary.BigEndian.Uint16(v)
		case len(v) < 4: // the others have four bytes
		case kind == attributeHeader:
			p.protocol, p.hook, p.hasHook = binary.BigEndian.Uint16(v), v[2], true
		case kind == attributeIn:
			p.in = binary.BigEndian.Uint32(v)
		case kind == attributeOut:
			p.out = binary.BigEndian.Uint32(v)
		case kind == attributeUID:
			p.uid, p.hasUID = binary.BigEndian.Uint32(v), true
		case kind == attributeSequence:
			p.sequence, p.hasSequence = binary.BigEndian.Uint32(v), true
		}
	}
}

func (d *Decoder) fill(p *message, now uint64) {
	d.record = d.base
	r := &d.record
	r.TimeReceived, r.TimeFlowStart, r.TimeFlowEnd = now, now, now
	r.SequenceNum = p.sequence
	r.InIf, r.OutIf = p.in, p.out
	r.FlowDirection, r.HasFlowDirection = direction(p)
	if p.linkType == arphrdEthernet && len(p.link) == ethernetHeader {
		packet.Ethernet(p.link, r)
	}
	packet.IP(p.payload, r)
	if r.Etype == 0 {
		r.Etype = uint32(p.protocol)
	}
	r.Bytes = length(p.payload)
	rate := d.rate(p.prefix)
	r.SamplingRate, r.SamplingRateSource = rate.Packets, rate.Source
	if p.hasUID {
		r.ApplicationName = d.user(p.uid)
		if p.uid < 1<<24 {
			r.ApplicationID = UserEngine<<24 | uint64(p.uid)
		}
	}
}

// direction is that in which the host itself has the packet. A forwarded packet has both.
func direction(p *message) (egress uint32, known bool) {
	if !p.hasHook {
		return 0, false
	}
	switch p.hook {
	case hookPrerouting, hookInput:
		return 0, true
	case hookOutput:
		return 1, true
	case hookPostrouting:
		return 1, true
	case hookForward:
		return 0, false
	}
	return 0, false
}

// length is that of the whole packet by its IP header: the kernel does not say it, and
// hands over only the beginning. Of another protocol, it is what was handed over.
func length(b []byte) uint64 {
	switch n := len(b); {
	case n >= 20 && b[0]>>4 == 4:
		return max(uint64(binary.BigEndian.Uint16(b[2:])), uint64(n))
	case n >= 40 && b[0]>>4 == 6:
		return max(40+uint64(binary.BigEndian.Uint16(b[4:])), uint64(n))
	default:
		return uint64(n)
	}
}

// rate returns what is configured, else what the rule says in its prefix.
func (d *Decoder) rate(prefix []byte) Rate {
	if d.config.Rate.Packets > 0 {
		return d.config.Rate
	}
	if !bytes.Equal(prefix, d.prefix) {
		d.prefix, d.prefixRate = append(d.prefix[:0], prefix...), ParsePrefix(prefix)
	}
	if d.prefixRate > 0 {
		return Rate{d.prefixRate, pb.FlowMessage_RATE_PACKET}
	}
	return Rate{1, pb.FlowMessage_RATE_UNKNOWN}
}

// ParsePrefix returns the sampling rate in the prefix of a rule, 0 if there is none.
func ParsePrefix(prefix []byte) uint64 {
	digits, ok := bytes.CutPrefix(bytes.TrimSpace(prefix), []byte(PrefixRate))
	if !ok {
		return 0
	}
	rate, err := strconv.ParseUint(string(digits), 10, 32)
	if err != nil {
		return 0
	}
	return rate
}

// user returns the name of a user, or its id as text.
func (d *Decoder) user(uid uint32) string {
	name, known := d.users[uid]
	if known {
		return name
	}
	if d.config.UserName != nil {
		name = d.config.UserName(uid)
	}
	if name == "" {
		name = fmt.Sprintf("uid %d", uid)
	}
	if len(d.users) < maxUsers {
		d.users[uid] = name
	}
	return name
}
