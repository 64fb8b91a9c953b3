package sflow

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// readSwitch reads struct extended_switch: VLAN and priority of the source, and of the
// destination.
func readSwitch(x *xdr, r *flow.Record) {
	b := x.next(16)
	if b == nil {
		return
	}
	const longest = 4095
	r.SrcVlan, r.DstVlan = atMost(word(b, 0), longest), atMost(word(b, 2), longest)
}

// readRouter reads struct extended_router.
func readRouter(x *xdr, r *flow.Record) {
	nextHop := x.address()
	srcNet, dstNet := x.uint32(), x.uint32()
	if x.bad {
		return
	}
	const longest = 128
	r.NextHop = nextHop
	r.SrcNet, r.DstNet = atMost(srcNet, longest), atMost(dstNet, longest)
}

// readNAT reads struct extended_nat. Agents repeat an address that is not translated.
func readNAT(x *xdr, r *flow.Record) {
	src, dst := x.address(), x.address()
	if !x.bad {
		r.PostNATSrcAddr, r.PostNATDstAddr = src, dst
	}
}

// readNATPort reads struct extended_nat_port (sflow_pnat.txt).
func readNATPort(x *xdr, r *flow.Record) {
	if b := x.next(8); b != nil {
		const longest = 65535
		r.PostNATSrcPort, r.PostNATDstPort = atMost(word(b, 0), longest), atMost(word(b, 1), longest)
	}
}

// readMPLS reads struct extended_mpls.
func (p *sampledPacket) readMPLS(x *xdr) {
	nextHop, in, out := x.address(), x.words(), x.words()
	if !x.bad {
		p.mplsNextHop, p.mplsIn, p.mplsOut = nextHop, in, out
	}
}

// fillMPLS writes the labels that the packet came with, else those that it leaves
// with, unless they are in the sampled header. Some agents know the innermost only.
func (p *sampledPacket) fillMPLS(r *flow.Record) {
	if !r.NextHop.IsValid() {
		r.NextHop = p.mplsNextHop
	}
	stack := p.mplsIn
	if len(stack) == 0 {
		stack = p.mplsOut
	}
	if r.HasMPLS || len(stack) == 0 {
		return
	}
	labels, _ := packet.Labels(stack)
	if labels.MPLSCount == 0 { // the last is the last, marked as such or not
		labels.MPLSCount = uint32(len(stack) / packet.LabelSize)
		labels.MPLSLastLabel, labels.MPLSLastTTL = packet.SplitLabel(binary.BigEndian.Uint32(stack[len(stack)-packet.LabelSize:]))
	}
	r.HasMPLS, r.Labels = true, labels
}

// route is memory for the numbers of a BGP route. Those beyond are not kept: nobody
// would encode them.
type route struct {
	path        [flow.MaxASPath]uint32
	communities [flow.MaxCommunities]uint32
}

// read reads struct extended_gateway up to the communities, which some agents leave
// away; the local preference behind them is not read. An empty path leaves DstAS and
// NextHopAS at 0: agents send it for destinations in their own AS and for those that
// they have no route to.
func (t *route) read(x *xdr, r *flow.Record) {
	nextHop := x.address()
	as := x.next(12) // of the router, of the source, of the source's peer
	path, first, last := t.readPath(x)
	var communities []byte
	if len(x.b) > 0 {
		communities = x.words()
	}
	if x.bad {
		r.ASPath = nil // of another such record: its memory has been read into
		return
	}
	r.BGPNextHop = nextHop
	r.SrcAS, r.NextHopAS, r.DstAS = word(as, 1), first, last
	r.ASPath = path
	r.Communities = t.communities[:numbers(t.communities[:], communities)]
}

// readPath reads the segments of an AS path, and returns its numbers, the first and
// the last. The members of an AS_SET have no order, so none of them is either: if one
// ends the path, the last AS is the one in front of it, which aggregated the routes; if
// one begins it, there is no first. Every turn takes at least eight bytes, which bounds
// the loop.
func (t *route) readPath(x *xdr) (path []uint32, first, last uint32) {
	const asSet = 1
	n := 0
	for range x.uint32() {
		kind, segment := x.uint32(), x.words()
		if x.bad {
			return nil, 0, 0
		}
		if len(segment) == 0 {
			continue
		}
		begins := n == 0
		n += numbers(t.path[n:], segment)
		if kind == asSet {
			continue
		}
		if begins {
			first = word(segment, 0)
		}
		last = word(segment, len(segment)/4-1)
	}
	return t.path[:n], first, last
}

// numbers copies words to numbers as far as there is room, and returns how many.
func numbers(to []uint32, words []byte) int {
	n := min(len(to), len(words)/4)
	for i := range n {
		to[i] = word(words, i)
	}
	return n
}
