package sflow

import (
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
	"github.com/leoluk/NetMeta/pb"
)

// The records of sflow_tunnels.txt. Switches that begin or end a tunnel see a packet
// with its outer header on one side and without it on the other, and sample it on
// either. Records of egress are about the header that the packet leaves with, records
// of ingress about the one that it came with, where the sampled packet does not have
// it. They do not become the addresses of the flow, which are those of the packet that
// was sampled: its length and its interfaces are that one's, too.

// tunnel is what the records about one side say.
type tunnel struct {
	kind pb.FlowMessage_Tunnel
	vni  uint32
}

func (t *tunnel) set(kind pb.FlowMessage_Tunnel) {
	if t.kind == pb.FlowMessage_TUNNEL_NONE || t.kind == pb.FlowMessage_TUNNEL_OTHER {
		t.kind = kind
	}
}

// readTunnel reads a tunnel record, and leaves records of any other format alone.
func (p *sampledPacket) readTunnel(format uint32, x *xdr) {
	if format < formatL2TunnelEgress || format > formatVNIIngress {
		return
	}
	t := &p.egress
	if format%2 == 0 {
		t = &p.ingress
	}
	kind := pb.FlowMessage_TUNNEL_OTHER
	switch format {
	case formatIPv4TunnelEgress, formatIPv4TunnelIngress, formatIPv6TunnelEgress, formatIPv6TunnelIngress:
		outer := readSummary(format >= formatIPv6TunnelEgress, x)
		if x.bad {
			return
		}
		if known := packet.TunnelOf(outer.protocol(), outer.behind(1)); known != pb.FlowMessage_TUNNEL_NONE {
			kind = known
		}
	case formatDecapsulateEgress, formatDecapsulateIngress:
		if offset := x.uint32(); !x.bad {
			p.innerOffset = offset
		}
	case formatVNIEgress, formatVNIIngress:
		if vni := x.uint32(); !x.bad {
			t.vni = vni
		}
	}
	if !x.bad {
		t.set(kind)
	}
}

// fillTunnel writes what tunnel records tell and the sampled header does not: the
// inner packet of a tunnel that package packet does not know but the agent does, and
// the kind of tunnel that the packet came by, else that it leaves by.
func (p *sampledPacket) fillTunnel(r *flow.Record) {
	if !r.HasEncap && p.innerOffset > 0 && uint64(p.innerOffset) < uint64(len(p.header)) {
		packet.Inner(p.header[p.innerOffset:], r)
	}
	if r.TunnelType != pb.FlowMessage_TUNNEL_NONE {
		return
	}
	t := p.ingress
	if t.kind == pb.FlowMessage_TUNNEL_NONE {
		t = p.egress
	}
	r.TunnelType, r.VNI = t.kind, t.vni
}
