package netflow

import (
	"encoding/binary"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// resolveExtras sets what few templates have.
func (d *Decoder) resolveExtras(v *values) {
	const extras = partLabels | partSegment | partCommunities | partApplication | partDSCP
	if v.parts&extras == 0 {
		return
	}
	if v.parts&partLabels != 0 {
		v.resolveLabels()
	}
	if v.parts&partSegment != 0 {
		v.resolveSegment()
	}
	if v.parts&partCommunities != 0 {
		v.Communities = appendCommunities(d.communities[:0], v.communityList)
	}
	v.resolveToS()
	if v.parts&partApplication != 0 {
		v.ApplicationName = d.name(v.applicationName)
		if v.ApplicationName == "" && v.ApplicationID != 0 {
			v.ApplicationName = d.state.Application(v.ApplicationID)
		}
	}
}

// resolveToS takes what there is of the type of service where it was not sent.
func (v *values) resolveToS() {
	if v.parts&(partDSCP|partToS) == partDSCP {
		v.IPTos = v.dscp << 2
	}
}

// readPacket reads the beginning of an observed Ethernet frame (RFC 7133 section 2.1),
// or of an IP packet (RFC 5477 section 8.5.2), whose header says how long it was.
func (v *values) readPacket() {
	if len(v.frame) > 0 {
		packet.Ethernet(v.frame, &v.Record)
		return
	}
	packet.IP(v.packet, &v.Record)
	if b := v.packet; len(b) >= 6 && b[0]>>4 == 4 {
		v.frameSize = uint64(binary.BigEndian.Uint16(b[2:]))
	} else if len(b) >= 6 && b[0]>>4 == 6 {
		v.frameSize = 40 + uint64(binary.BigEndian.Uint16(b[4:]))
	}
}

// maxLabels of an MPLS stack have an element.
const maxLabels = 10

// resolveLabels reads labels of three bytes: the label, three bits of traffic class
// and whether it is the last (RFC 3032 section 2.1). Exporters send 0 behind it.
func (v *values) resolveLabels() {
	count := 0
	for count < maxLabels && v.labels[count] != 0 {
		count++
	}
	if count == 0 {
		return
	}
	label := func(i int) uint32 { return v.labels[i] >> 4 & 0xfffff }
	v.HasMPLS = true
	v.Labels = flow.Labels{
		MPLSCount: max(v.labelDepth, uint32(count)), MPLS1TTL: v.topLabelTTL,
		MPLS1Label: label(0), MPLS2Label: label(1), MPLS3Label: label(2), MPLSLastLabel: label(count - 1),
	}
}

// resolveSegment reads layer2SegmentId: the kind of network in the first byte, its
// number in the last three.
func (v *values) resolveSegment() {
	if v.HasEncap || v.segment == 0 {
		return
	}
	v.VNI = uint32(v.segment & 0xffffff)
	switch v.segment >> 56 {
	case 1:
		v.TunnelType = pb.FlowMessage_TUNNEL_VXLAN
	case 2:
		v.TunnelType = pb.FlowMessage_TUNNEL_NVGRE
	default:
		v.TunnelType = pb.FlowMessage_TUNNEL_OTHER
	}
}

// bgpCommunity is the element that lists of communities are made of (RFC 8549).
const bgpCommunity = 483

// appendCommunities reads a basicList (RFC 6313 section 4.5.1) of communities: how they
// belong together, which element it is and its length in front of the values. There is
// nothing to read in a list of anything else. What exceeds the capacity of list is left
// out.
func appendCommunities(list []uint32, b []byte) []uint32 {
	const header = 5
	if len(b) < header || binary.BigEndian.Uint16(b[1:]) != bgpCommunity || binary.BigEndian.Uint16(b[3:]) != 4 {
		return list
	}
	for b = b[header:]; len(b) >= 4 && len(list) < cap(list); b = b[4:] {
		list = append(list, binary.BigEndian.Uint32(b))
	}
	return list
}

// maxNames bounds the names that a decoder remembers as strings, so that records of
// the same application cost no memory each.
const maxNames = 4096

// name returns a name as text, as far as it is encoded and without what fills up
// fields of fixed length.
func (d *Decoder) name(b []byte) string {
	b = b[:min(len(b), flow.MaxName)]
	if name, ok := d.names[string(b)]; ok {
		return name
	}
	if len(d.names) >= maxNames {
		clear(d.names)
	}
	name := strings.ToValidUTF8(strings.TrimRight(string(b), "\x00 "), "?")
	d.names[string(b)] = name
	return name
}
