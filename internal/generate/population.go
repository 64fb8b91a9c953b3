package generate

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
)

// popularHosts is how many hosts of a network draw most of its traffic; the other
// addresses of its prefix are the long tail.
const popularHosts = 64

// network is an autonomous system as the edge of the modelled network sees it.
type network struct {
	asn  uint32
	v4   netip.Prefix
	v6   netip.Prefix // always a /48
	port uint32       // ifIndex through which it is reached
	via  uint32       // AS that is asked for transit towards it, 0 for a direct neighbour
	hops uint8        // routers between its hosts and the edge
}

// population is everybody who talks in the synthetic world: customers on the inside,
// remote networks on the outside. All numbers and addresses are from ranges that
// RFC 1918, 2544, 3849, 5398, 5737, 6598 and 6996 keep free of real holders.
type population struct {
	customers, remotes []network

	byCustomer, byRemote, byHost, byService alias
}

// newPopulation builds the world of a seed: the seed decides which network is how
// popular and how far away.
func newPopulation(seed uint64) *population {
	rng := rand.New(rand.NewPCG(seed, 0x706f70))
	p := &population{customers: customerNetworks(), remotes: remoteNetworks(rng)}
	p.byCustomer = newAlias(zipf(len(p.customers), 0.7))
	p.byRemote = newAlias(zipf(len(p.remotes), 1.1))
	p.byHost = newAlias(zipf(popularHosts, 1))
	p.byService = newAlias(serviceWeights())
	return p
}

func customerNetworks() []network {
	return []network{
		{asn: 64496, v4: netip.MustParsePrefix("203.0.113.0/24"), v6: site(0xff01), port: 5, hops: 1},
		{asn: 64497, v4: netip.MustParsePrefix("198.51.100.0/24"), v6: site(0xff02), port: 6, hops: 1},
		{asn: 64498, v4: netip.MustParsePrefix("10.224.0.0/14"), v6: site(0xff03), port: 7, hops: 3},
		{asn: 64499, v4: netip.MustParsePrefix("100.127.0.0/16"), v6: site(0xff04), port: 8, hops: 2},
		{asn: 65536, v4: netip.MustParsePrefix("198.19.240.0/20"), v6: site(0xff05), port: 5, hops: 1},
		{asn: 65537, v4: netip.MustParsePrefix("10.240.0.0/14"), v6: site(0xff06), port: 6, hops: 2},
	}
}

// remoteNetworks returns the outside in falling order of popularity. The most popular
// forty are peers, as content networks are; the others are reached by transit.
func remoteNetworks(rng *rand.Rand) []network {
	prefixes := carve("10.0.0.0/16", 224)
	prefixes = append(prefixes, carve("100.64.0.0/16", 63)...)
	prefixes = append(prefixes, carve("198.18.0.0/20", 31)...)
	rng.Shuffle(len(prefixes), func(i, j int) { prefixes[i], prefixes[j] = prefixes[j], prefixes[i] })
	numbers := remoteNumbers(len(prefixes))
	rng.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })

	const peers = 40
	networks := make([]network, len(prefixes))
	for i, prefix := range prefixes {
		n := network{asn: numbers[i], v4: prefix, v6: site(uint16(i + 1)), hops: uint8(2 + rng.IntN(18))}
		uplink := transitPorts[rng.IntN(len(transitPorts))]
		n.port, n.via = uplink, neighbourAS[uplink]
		if i < peers {
			n.port, n.via = peeringPorts[rng.IntN(len(peeringPorts))], 0
		}
		networks[i] = n
	}
	return networks
}

// remoteNumbers returns n AS numbers: those for documentation that the inside does not
// use, then private ones of two and of four bytes (RFC 5398, RFC 6996).
func remoteNumbers(n int) []uint32 {
	var numbers []uint32
	for asn := uint32(64503); asn <= 64511; asn++ {
		numbers = append(numbers, asn)
	}
	for asn := uint32(65538); asn <= 65551; asn++ {
		numbers = append(numbers, asn)
	}
	for i := uint32(0); len(numbers) < n; i++ {
		numbers = append(numbers, 4200000000+i*9973)
		if i < 140 {
			numbers = append(numbers, 64512+i*7)
		}
	}
	return numbers[:n]
}

// carve returns count neighbouring prefixes of the length of the first.
func carve(first string, count int) []netip.Prefix {
	prefix := netip.MustParsePrefix(first)
	base := prefix.Addr().As4()
	start := binary.BigEndian.Uint32(base[:])
	prefixes := make([]netip.Prefix, count)
	for i := range prefixes {
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], start+uint32(i)<<(32-prefix.Bits()))
		prefixes[i] = netip.PrefixFrom(netip.AddrFrom4(addr), prefix.Bits())
	}
	return prefixes
}

// site returns the /48 with the given number out of 2001:db8::/32.
func site(number uint16) netip.Prefix {
	addr := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(number >> 8), byte(number)}
	return netip.PrefixFrom(netip.AddrFrom16(addr), 48)
}

// host draws an address of n: mostly one of its popular hosts, else any of its prefix.
func (p *population) host(rng *rand.Rand, n *network, ipv6 bool) netip.Addr {
	draw := rng.Uint64()
	number := draw >> 8
	if draw&0xff < 180 {
		number = scatter(uint64(n.asn)<<8 | uint64(p.byHost.pick(rng)))
	}
	if ipv6 {
		return hostV6(n, number)
	}
	return hostV4(n, number)
}

func hostV4(n *network, number uint64) netip.Addr {
	addr := n.v4.Addr().As4()
	// The network and broadcast addresses of the prefix are nobody's.
	size := uint32(1)<<(32-n.v4.Bits()) - 2
	binary.BigEndian.PutUint32(addr[:], binary.BigEndian.Uint32(addr[:])+1+uint32(number%uint64(size)))
	return netip.AddrFrom4(addr)
}

func hostV6(n *network, number uint64) netip.Addr {
	addr := n.v6.Addr().As16()
	binary.BigEndian.PutUint16(addr[6:], uint16(number>>40)&0xff)
	binary.BigEndian.PutUint64(addr[8:], number|1)
	return netip.AddrFrom16(addr)
}

// scatter spreads neighbouring numbers over 64 bits (the finaliser of SplitMix64), so
// that a popular host keeps its address without a table of hosts.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// zipf returns n weights that fall with the given power of the rank.
func zipf(n int, power float64) []float64 {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -power)
	}
	return weights
}
