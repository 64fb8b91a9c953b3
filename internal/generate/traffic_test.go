package generate

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// reserved are the ranges that nobody holds.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"),
}

func reservedAddress(a netip.Addr) bool {
	for _, prefix := range reserved {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

func reservedAS(asn uint32) bool {
	return asn >= 64496 && asn <= 65534 || asn >= 65536 && asn <= 65551 || asn >= 4200000000 && asn <= 4294967294
}

// draws returns many observations, a part of them of an attack.
func draws(n int) []observation {
	p := newPopulation(3)
	traffic := newTraffic(p, 3, 0, 0.3)
	traffic.attack = attack{victim: netip.MustParseAddr("203.0.113.9"), proto: protoUDP, port: 53}
	traffic.attackShare = fraction(0.1)
	all := make([]observation, n)
	for i := range all {
		traffic.draw(&all[i])
	}
	return all
}

func TestNobodysAddressesAreUsed(t *testing.T) {
	for _, o := range draws(50_000) {
		for _, a := range []netip.Addr{o.SrcAddr, o.DstAddr, o.NextHop} {
			if !reservedAddress(a) {
				t.Fatalf("address %s is not from a reserved range: %+v", a, o)
			}
		}
		for _, asn := range []uint32{o.SrcAS, o.DstAS, o.NextHopAS, o.peerAS} {
			if !reservedAS(asn) {
				t.Fatalf("AS %d is not from a reserved range: %+v", asn, o)
			}
		}
	}
}

func TestRecordsAreConsistent(t *testing.T) {
	p := newPopulation(3)
	prefixes := make(map[uint32]network)
	for _, n := range append(p.customers, p.remotes...) {
		if known, twice := prefixes[n.asn]; twice {
			t.Fatalf("AS %d has two networks, %s and %s", n.asn, known.v4, n.v4)
		}
		prefixes[n.asn] = n
	}
	for _, o := range draws(50_000) {
		from, to := prefixes[o.SrcAS], prefixes[o.DstAS]
		switch {
		case !from.v4.Contains(o.SrcAddr) && !from.v6.Contains(o.SrcAddr):
			t.Fatalf("source %s is not of AS %d", o.SrcAddr, o.SrcAS)
		case !to.v4.Contains(o.DstAddr) && !to.v6.Contains(o.DstAddr):
			t.Fatalf("destination %s is not of AS %d", o.DstAddr, o.DstAS)
		case o.FlowDirection == egress && (o.InIf < 5 || o.OutIf > 4):
			t.Fatalf("outgoing from interface %d to %d", o.InIf, o.OutIf)
		case o.FlowDirection != egress && (o.InIf > 4 || o.OutIf < 5):
			t.Fatalf("incoming from interface %d to %d", o.InIf, o.OutIf)
		case o.length < o.leastLength() || o.length > 1500:
			t.Fatalf("packet of %d bytes: %+v", o.length, o)
		case o.flowBytes < o.flowPackets*o.leastLength() || o.flowBytes > o.flowPackets*1500:
			t.Fatalf("%d packets of %d bytes together", o.flowPackets, o.flowBytes)
		case o.lasted >= 60_000:
			t.Fatalf("flow of %d ms", o.lasted)
		case o.IPTTL == 0 || o.IPTTL > 255:
			t.Fatalf("time to live %d", o.IPTTL)
		case (o.Proto == protoTCP) != (o.flowFlags != 0):
			t.Fatalf("protocol %d with TCP flags %#x", o.Proto, o.flowFlags)
		case (o.Proto == protoTCP || o.Proto == protoUDP) != (o.SrcPort != 0 && o.DstPort != 0):
			t.Fatalf("protocol %d with ports %d and %d", o.Proto, o.SrcPort, o.DstPort)
		}
	}
}

func TestTrafficHasPopularAndRareHosts(t *testing.T) {
	all := draws(100_000)
	networks, hosts := make(map[uint32]int), make(map[netip.Addr]int)
	ipv6 := 0
	for _, o := range all {
		remote, host := o.SrcAS, o.SrcAddr
		if o.FlowDirection == egress {
			remote, host = o.DstAS, o.DstAddr
		}
		networks[remote]++
		hosts[host]++
		if host.Is6() {
			ipv6++
		}
	}
	top, once := 0, 0
	for _, n := range networks {
		top = max(top, n)
	}
	for _, n := range hosts {
		if n == 1 {
			once++
		}
	}
	if len(networks) < 300 {
		t.Errorf("%d remote networks, want more than 300", len(networks))
	}
	if share := float64(top) / float64(len(all)); share < 0.1 || share > 0.4 {
		t.Errorf("the most popular network has a share of %.2f, want 0.1 to 0.4", share)
	}
	if share := float64(once) / float64(len(hosts)); share < 0.5 {
		t.Errorf("%.2f of %d hosts were seen only once, want a long tail", share, len(hosts))
	}
	// Nine of ten records are not of the attack, which is IPv4.
	if share := float64(ipv6) / float64(len(all)); share < 0.25 || share > 0.29 {
		t.Errorf("%.3f of the traffic is IPv6, want 0.27", share)
	}
}

func TestAliasDrawsInProportionToWeights(t *testing.T) {
	weights := []float64{1, 0, 5, 0.5, 3.5}
	a := newAlias(weights)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 200_000
	var counts [5]int
	for range n {
		counts[a.pick(rng)]++
	}
	for i, w := range weights {
		want := w / 10 * n
		if got := float64(counts[i]); got < want-1000 || got > want+1000 {
			t.Errorf("index %d was drawn %g times, want %g", i, got, want)
		}
	}
}

func TestAttacksComeAndGo(t *testing.T) {
	p := newPopulation(5)
	const slots, steps = 300, 200
	attacked, active := 0, 0
	for slot := range int64(slots) {
		before := active
		for step := range steps {
			a := p.attackAt(5, slot, float64(step)/steps)
			if a.strength == 0 {
				continue
			}
			active++
			if victim := p.customers[a.customer]; !victim.v4.Contains(a.victim) {
				t.Fatalf("victim %s is not in %s", a.victim, victim.v4)
			}
		}
		if active > before {
			attacked++
		}
	}
	if attacked < slots/4 || attacked > slots/2 {
		t.Errorf("%d of %d slots had an attack, want about a third", attacked, slots)
	}
	if share := float64(active) / (slots * steps); share < 0.005 || share > 0.04 {
		t.Errorf("attacks were on for %.3f of the time, want them to be short", share)
	}
}

func TestDrawingAndEncodingDoNotAllocate(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			p := newProfile(protocol, 1, []uint32{512, 1000})
			if protocol != SFlow {
				p.address = agentAddress(0)
			}
			share := 0.3
			if protocol == NetFlow5 {
				share = 0
			}
			e := &exporter{profile: p, traffic: newTraffic(newPopulation(1), 1, 0, share)}
			e.encoder = e.profile.encoder(0)
			allocated := testing.AllocsPerRun(2000, func() {
				e.traffic.draw(&e.next)
				e.profile.conform(&e.next)
				e.encoder.add(&e.next, 1000)
				if !e.encoder.room() {
					e.encoder.datagram(1000)
				}
			})
			if allocated != 0 {
				t.Errorf("%g allocations a record, want none", allocated)
			}
		})
	}
}
