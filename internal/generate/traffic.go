package generate

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
)

// observation is one draw from the model: what passed the router, before an exporter
// reports it. A protocol's conform completes the Record from it, so that the Record
// says what a collector reads in the datagram.
type observation struct {
	flow.Record

	length      uint32 // of the packet from its IP header on; of a flow: of its largest packets
	packetFlags uint8  // TCP flags of the one packet that sFlow samples
	flowFlags   uint8  // TCP flags of all packets of the flow
	flowPackets uint32
	flowBytes   uint32
	lasted      uint32 // duration of the flow in milliseconds

	peerAS    uint32    // neighbour that handed the packet over
	path      [2]uint32 // AS path towards the destination, its end is the origin
	hops      int       // used entries of path
	community [1]uint32 // of the route to the destination
	noise     uint64    // for header fields that nobody looks at closely
}

// edge returns the ifIndex at which the packet was sampled: the one that faces outside.
func (o *observation) edge() uint32 {
	if o.FlowDirection == egress {
		return o.OutIf
	}
	return o.InIf
}

// egress is the FlowDirection of what leaves; what enters is 0.
const egress = 1

// traffic draws observations. Two of the same population and seed draw the same.
type traffic struct {
	population *population
	rng        *rand.Rand
	ipv6       uint32 // share of IPv6, of 2^32

	attack      attack
	attackShare uint32 // of 2^32
}

func newTraffic(p *population, seed, stream uint64, ipv6Share float64) *traffic {
	return &traffic{
		population: p,
		rng:        rand.New(rand.NewPCG(seed, stream)),
		ipv6:       fraction(ipv6Share),
	}
}

// fraction returns a share of 0 to 1 in units of 2^-32, for comparison with 32 random bits.
func fraction(share float64) uint32 {
	return uint32(min(max(share, 0), 1) * math.MaxUint32)
}

// draw replaces o by the next observation. It does not allocate.
func (t *traffic) draw(o *observation) {
	*o = observation{noise: t.rng.Uint64()}
	dice := t.rng.Uint64()
	if uint32(dice) < t.attackShare {
		t.drawAttack(o)
		return
	}
	s := &services[t.population.byService.pick(t.rng)]
	customer := &t.population.customers[t.population.byCustomer.pick(t.rng)]
	remote := &t.population.remotes[t.population.byRemote.pick(t.rng)]
	ipv6 := uint32(dice>>32) < t.ipv6

	inside := t.population.host(t.rng, customer, ipv6)
	outside := t.population.host(t.rng, remote, ipv6)
	dice = t.rng.Uint64()
	serverInside := uint8(dice) < s.inside
	// Three of five samples are of packets to the client, which is where the bytes go.
	toClient := uint8(dice>>8) < 154
	inbound := toClient != serverInside

	if inbound {
		o.route(remote, customer, outside, inside)
		o.IPTTL = ttl(dice>>16, remote.hops)
	} else {
		o.route(customer, remote, inside, outside)
		o.IPTTL = ttl(dice>>16, customer.hops)
		o.FlowDirection = egress
	}
	o.transport(s, toClient, ipv6, dice>>32)
	o.size(s, toClient, t.rng.Uint64())
	if uint8(dice>>24) < 16 {
		o.IPTos = dscp[dice>>60]
	}
}

// dscp are the traffic classes of the few packets that are marked.
var dscp = [16]uint32{0x20, 0x20, 0x20, 0x28, 0x28, 0x48, 0x48, 0x68, 0x88, 0x88, 0xa0, 0xb8, 0xb8, 0xb8, 0xc0, 0x02}

// ttl returns a time to live as sent by common systems, less the hops on the way.
func ttl(dice uint64, hops uint8) uint32 {
	switch initial := dice & 15; {
	case initial < 9:
		return 64 - uint32(hops)
	case initial < 14:
		return 128 - uint32(hops)
	}
	return 255 - uint32(hops)
}

// route fills in what routing says about a packet that goes from one network to another.
func (o *observation) route(from, to *network, src, dst netip.Addr) {
	o.SrcAddr, o.DstAddr = src, dst
	o.InIf, o.OutIf = from.port, to.port
	o.SrcAS, o.DstAS = from.asn, to.asn
	o.SrcVlan, o.DstVlan = vlans[from.port], vlans[to.port]
	o.VlanID = o.SrcVlan
	o.SrcMac = documentationMAC | 0x80 | uint64(from.port)
	o.DstMac = documentationMAC | uint64(from.port)
	o.peerAS = from.asn
	if from.via != 0 {
		o.peerAS = from.via
	}
	o.path, o.hops = [2]uint32{to.asn}, 1
	if to.via != 0 {
		o.path, o.hops = [2]uint32{to.via, to.asn}, 2
	}
	o.NextHopAS = o.path[0]
	if src.Is4() {
		o.Etype = 0x0800
		o.SrcNet, o.DstNet = uint32(from.v4.Bits()), uint32(to.v4.Bits())
		o.NextHop = nextHopsV4[to.port]
		return
	}
	o.Etype = 0x86dd
	o.SrcNet, o.DstNet = uint32(from.v6.Bits()), uint32(to.v6.Bits())
	o.NextHop = nextHopsV6[to.port]
	o.IPv6FlowLabel = uint32(o.noise>>8) & 0xfffff
}

// documentationMAC is the first of the addresses of RFC 7042 section 2.1.2.
const documentationMAC = 0x00005e005300

var nextHopsV4, nextHopsV6 = func() (v4, v6 [9]netip.Addr) {
	for i := range v4 {
		v4[i] = netip.AddrFrom4([4]byte{192, 0, 2, byte(240 + i)})
		v6[i] = netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 4: 0xff, 5: 0xff, 15: byte(i)})
	}
	return v4, v6
}()

// transport fills in protocol, ports or ICMP type, and TCP flags.
func (o *observation) transport(s *service, toClient, ipv6 bool, dice uint64) {
	o.Proto = uint32(s.proto)
	switch s.proto {
	case protoICMP:
		o.icmp(toClient, ipv6, dice)
		return
	case protoTCP:
		o.packetFlags = packetFlags[dice&15]
		o.flowFlags = flowFlags[dice>>4&15]
	}
	client := 32768 + uint32(o.noise>>32)%28232
	server := uint32(s.port)
	if server == 0 {
		server = 1024 + uint32(dice>>8)%60000
	}
	o.SrcPort, o.DstPort = client, server
	if toClient {
		o.SrcPort, o.DstPort = server, client
	}
}

func (o *observation) icmp(reply, ipv6 bool, dice uint64) {
	const (
		unreachable4, timeExceeded4, echo4 = 3, 11, 8
		unreachable6, timeExceeded6, echo6 = 1, 3, 128
		portUnreachable6                   = 4
	)
	kind, code := uint32(echo4), uint32(0)
	if ipv6 {
		o.Proto, kind = protoICMPv6, echo6
	}
	switch pick := dice & 15; {
	case pick < 3 && ipv6:
		kind, code = unreachable6, portUnreachable6
	case pick < 3:
		kind, code = unreachable4, 1+uint32(dice>>4)%3
	case pick < 5 && ipv6:
		kind = timeExceeded6
	case pick < 5:
		kind = timeExceeded4
	case reply && ipv6:
		kind++ // echo reply follows echo request in ICMPv6
	case reply:
		kind = 0
	}
	o.IcmpType, o.IcmpCode = kind, code
}

// size draws the length of the sampled packet and, for NetFlow, packets, bytes and
// duration of the sampled flow.
func (o *observation) size(s *service, toClient bool, dice uint64) {
	mix := sizes[s.shape][1]
	if toClient {
		mix = sizes[s.shape][0]
	}
	least := o.leastLength()
	switch kind := uint8(dice); {
	case kind < mix.small:
		o.length = least + uint32(dice>>8)&15
	case kind < mix.small+mix.medium:
		o.length = 540 + uint32(dice>>8)%80
	default:
		o.length = 1400 + uint32(dice>>8)%101
	}
	o.flowPackets = packetQuantiles[uint8(dice>>16)]
	o.flowBytes = o.length
	if more := o.flowPackets - 1; more > 0 {
		// The other packets of the flow are between half as long and as long.
		shortest := max(o.length/2, least)
		o.flowBytes += more * (shortest + uint32(dice>>24)%(o.length-shortest+1))
		o.lasted = uint32(dice>>32) % 60000
	}
}

// leastLength is the length of IP and transport header, which a sampled packet always has.
func (o *observation) leastLength() uint32 {
	least := uint32(20)
	if o.Etype == 0x86dd {
		least = 40
	}
	if o.Proto == protoTCP {
		return least + 20
	}
	return least + 8
}

// packetQuantiles are 256 quantiles of the number of sampled packets of a flow: most
// have one, a few have hundreds.
var packetQuantiles = func() (q [256]uint32) {
	for i := range q {
		q[i] = uint32(min(math.Pow(1-(float64(i)+0.5)/256, -1.1), 1000))
	}
	return q
}()

// spoofed returns any IPv4 address of the remote network.
func spoofed(n *network, noise uint64) netip.Addr {
	addr := n.v4.Addr().As4()
	host := uint32(noise) & (1<<(32-n.v4.Bits()) - 1)
	binary.BigEndian.PutUint32(addr[:], binary.BigEndian.Uint32(addr[:])|host)
	return netip.AddrFrom4(addr)
}
