package sflow

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/packet"
)

// The records of this file are read here because goflow2 v2.2.6 misreads them:
//   - Ethernet: a MAC address is six bytes padded to eight (RFC 4506 section 4.9);
//     goflow2 takes the padding for the next address and for the Ethertype.
//   - Router: an unknown next hop is of type 0 and has no bytes; goflow2 gives up,
//     and with it the prefix lengths are lost.
//   - Gateway: a path can have several segments; goflow2 reads the first one and
//     takes the second for communities.

// ethernet is an Ethernet record (struct sampled_ethernet).
type ethernet struct {
	length   uint32
	src, dst uint64
	etype    uint32 // 0 if it is none but the length of an 802.3 frame
}

// readEthernet reads an Ethernet record. goflow2 is not alone in taking addresses
// without padding, so a record that is too short for it is read that way.
func (p *sampledPacket) readEthernet(x *xdr) {
	const padded, bare = 24, 20
	mac := uint64(8)
	if len(x.b) >= bare && len(x.b) < padded {
		mac = 6
	}
	var e ethernet
	e.length = x.uint32()
	src, dst := x.next(mac), x.next(mac)
	etype := x.uint32()
	if x.bad {
		return
	}
	e.src, e.dst = packet.MAC([6]byte(src)), packet.MAC([6]byte(dst))
	if packet.IsEtype(etype) {
		e.etype = etype
	}
	p.ethernet = e
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

// readGateway reads struct extended_gateway up to the end of the AS path. An empty
// path leaves DstAS and NextHopAS at 0: agents send it for destinations in their
// own AS and for those that they have no route to.
func readGateway(x *xdr, r *flow.Record) {
	x.address() // the next hop of BGP; FlowMessage has the router's own
	x.uint32()  // AS of the router
	srcAS := x.uint32()
	x.uint32() // AS of the peer
	first, last := readASPath(x)
	if x.bad {
		return
	}
	r.SrcAS, r.DstAS, r.NextHopAS = srcAS, last, first
}

// readASPath returns the first and the last AS of a path. The members of an AS_SET
// have no order, so none of them is either: if one ends the path, the last AS is the
// one in front of it, which aggregated the routes; if one begins it, there is no
// first. Every turn takes at least eight bytes, which bounds the loop.
func readASPath(x *xdr) (first, last uint32) {
	const asSet = 1
	for i := range x.uint32() {
		kind, path := x.uint32(), x.words()
		if x.bad {
			return 0, 0
		}
		if kind == asSet || len(path) == 0 {
			continue
		}
		if i == 0 {
			first = binary.BigEndian.Uint32(path)
		}
		last = binary.BigEndian.Uint32(path[len(path)-4:])
	}
	return first, last
}
