package generate

import "net/netip"

// attack is a short flood of one customer's host.
type attack struct {
	victim   netip.Addr
	customer int    // index of the victim's network
	proto    uint8  // TCP: a SYN flood of DstPort; UDP: reflected answers from SrcPort
	port     uint16 // SrcPort or DstPort as above
	strength float64
}

// share returns how much of the traffic the attack is, 0 to 1, beside normal traffic
// of the given size in the unit of strength: the daily mean.
func (a attack) share(normal float64) float64 {
	return a.strength / (normal + a.strength)
}

// reflectors are the services that answer more than they are asked.
var reflectors = [4]uint16{53, 123, 389, 11211}

// attackAt returns the attack that takes place in a slot at the given position of 0 to
// 1, with strength 0 for none. It depends on nothing else, so history and live traffic
// agree on it. One slot in three has an attack, which lasts 2 to 8 percent of it.
func (p *population) attackAt(seed uint64, slot int64, position float64) attack {
	dice := scatter(seed ^ scatter(uint64(slot)))
	if dice%3 != 0 {
		return attack{}
	}
	start := float64(dice>>8&0xff) / 256 * 0.9
	length := 0.02 + float64(dice>>16&0xff)/256*0.06
	if position < start || position >= start+length {
		return attack{}
	}
	a := attack{
		customer: int(dice>>24&0xff) % len(p.customers),
		proto:    protoUDP,
		port:     reflectors[dice>>32&3],
		strength: 0.5 + float64(dice>>40&0xff)/256*1.5,
	}
	if dice>>34&1 == 0 {
		a.proto, a.port = protoTCP, 443
	}
	n := &p.customers[a.customer]
	a.victim = hostV4(n, scatter(uint64(n.asn)<<8|dice>>48&3))
	return a
}

// drawAttack replaces o by a packet of the current attack.
func (t *traffic) drawAttack(o *observation) {
	customer := &t.population.customers[t.attack.customer]
	remote := &t.population.remotes[t.rng.IntN(len(t.population.remotes))]
	dice := t.rng.Uint64()
	o.route(remote, customer, spoofed(remote, dice>>32), t.attack.victim)
	o.Proto = uint32(t.attack.proto)
	o.IPTTL = ttl(dice, remote.hops)
	o.flowPackets = 1
	random := 1024 + uint32(dice>>8)%64000
	if t.attack.proto == protoTCP {
		o.SrcPort, o.DstPort = random, uint32(t.attack.port)
		o.packetFlags, o.flowFlags = syn, syn
		o.length = o.leastLength()
	} else {
		o.SrcPort, o.DstPort = uint32(t.attack.port), random
		o.length = 1400 + uint32(dice>>24)%101
	}
	o.flowBytes = o.length
}
