// Package route makes one table of which AS originates which prefix out of the routing
// tables of several collectors.
package route

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
)

// Route is a prefix and an AS that originates it. It has no pointers, since there are more
// than a million of them.
type Route struct {
	Address [16]byte // IPv4 as ::ffff:a.b.c.d
	Bits    uint8    // of Address: 96 more than people write, for IPv4
	ASN     uint32
	Peers   uint32 // of all collectors, that have a path to this origin
}

// Prefix returns the prefix as people write it.
func (r Route) Prefix() netip.Prefix {
	address := netip.AddrFrom16(r.Address)
	if address.Is4In6() && r.Bits >= 96 {
		return netip.PrefixFrom(address.Unmap(), int(r.Bits)-96)
	}
	return netip.PrefixFrom(address, int(r.Bits))
}

// Mapped returns the prefix as it is stored, IPv4 as ::ffff:a.b.c.d/(96 + length).
func (r Route) Mapped() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16(r.Address), int(r.Bits))
}

func comparePrefix(a, b Route) int {
	return cmp.Or(slices.Compare(a.Address[:], b.Address[:]), cmp.Compare(a.Bits, b.Bits))
}

// Reasons for which routes are left out of a table.
const (
	// TooShort are default routes and what is as good as one: IPv4 shorter than /8, IPv6
	// shorter than /16. No registry has allocated that much at once.
	TooShort = "too_short"
	// BadOrigin are origins that are no AS: 0 (RFC 7607), 23456, which stands for AS numbers
	// that a router could not tell (RFC 6793), 65535 (RFC 7300) and 4294967295.
	BadOrigin = "bad_origin"
	// FewPeers are prefixes that too few peers have: what leaked to one of them would win
	// against everything that is shorter.
	FewPeers = "few_peers"
	// Contradictory are origins of a prefix that fewer peers have than another one.
	Contradictory = "contradictory"
)

const (
	shortest4 = 8
	shortest6 = 16
)

// IsOrigin says whether a number can be that of an AS which originates a prefix.
func IsOrigin(asn uint32) bool {
	return asn != 0 && asn != 23456 && asn != 65535 && asn != 4294967295
}

// Builder collects the routes of one source. The zero value is empty.
type Builder struct {
	routes  []Route
	LeftOut map[string]int // by reason
}

// Add adds a prefix with its origins.
func (b *Builder) Add(prefix netip.Prefix, origins []mrt.Origin) {
	bits, shortest := prefix.Bits(), shortest6
	mapped := bits
	if prefix.Addr().Is4() {
		shortest, mapped = shortest4, bits+96
	}
	if bits < shortest {
		b.leaveOut(TooShort, 1)
		return
	}
	address := prefix.Addr().As16()
	for _, o := range origins {
		if !IsOrigin(o.ASN) {
			b.leaveOut(BadOrigin, 1)
			continue
		}
		b.routes = append(b.routes, Route{Address: address, Bits: uint8(mapped), ASN: o.ASN, Peers: uint32(o.Peers)})
	}
}

func (b *Builder) leaveOut(reason string, n int) {
	if n == 0 {
		return
	}
	if b.LeftOut == nil {
		b.LeftOut = map[string]int{}
	}
	b.LeftOut[reason] += n
}

// Routes returns what was added, sorted by prefix and origin, each pair of them once. The
// builder is empty afterwards.
func (b *Builder) Routes() []Route {
	routes := b.routes
	b.routes = nil
	byOrigin := func(a, b Route) int { return cmp.Or(comparePrefix(a, b), cmp.Compare(a.ASN, b.ASN)) }
	if !slices.IsSortedFunc(routes, byOrigin) {
		slices.SortFunc(routes, byOrigin)
	}
	return sum(routes)
}

// sum makes one route of those that have the same prefix and origin, in a sorted table.
func sum(routes []Route) []Route {
	n := 0
	for i, r := range routes {
		if i > 0 && comparePrefix(routes[n-1], r) == 0 && routes[n-1].ASN == r.ASN {
			routes[n-1].Peers += r.Peers
			continue
		}
		routes[n] = r
		n++
	}
	return routes[:n]
}

// Merge makes one table of those of several sources, which are sorted: each prefix once, with
// the origin that most peers of all collectors have, or the lowest of several with as many.
// Prefixes that fewer than minPeers have, whatever the origin, are left out.
func Merge(sources [][]Route, minPeers int) (merged []Route, leftOut map[string]int) {
	sources = slices.Clone(sources)
	var b Builder
	for {
		next, found := lowest(sources)
		if !found {
			return merged, b.LeftOut
		}
		best, peers, origins := choose(sources, next, &b)
		if peers < minPeers {
			b.leaveOut(FewPeers, 1)
			continue
		}
		b.leaveOut(Contradictory, origins-1)
		merged = append(merged, best)
	}
}

// lowest returns the first of the routes that the sources begin with.
func lowest(sources [][]Route) (first Route, found bool) {
	for _, s := range sources {
		if len(s) > 0 && (!found || comparePrefix(s[0], first) < 0) {
			first, found = s[0], true
		}
	}
	return first, found
}

// choose takes all routes to the prefix of next from the sources, and returns the one that
// most peers have, with how many have any, and how many origins there are.
func choose(sources [][]Route, next Route, b *Builder) (best Route, peers, origins int) {
	candidates := b.routes[:0]
	for i := range sources {
		for len(sources[i]) > 0 && comparePrefix(sources[i][0], next) == 0 {
			r := sources[i][0]
			sources[i] = sources[i][1:]
			peers += int(r.Peers)
			if at := slices.IndexFunc(candidates, func(c Route) bool { return c.ASN == r.ASN }); at >= 0 {
				candidates[at].Peers += r.Peers
				continue
			}
			candidates = append(candidates, r)
		}
	}
	b.routes = candidates
	best = candidates[0]
	for _, c := range candidates[1:] {
		if c.Peers > best.Peers || c.Peers == best.Peers && c.ASN < best.ASN {
			best = c
		}
	}
	return best, peers, len(candidates)
}
