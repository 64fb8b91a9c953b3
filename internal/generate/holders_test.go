package generate

import (
	"math/rand/v2"
	"testing"
)

func TestEveryoneWhoTalksHasANameAndAPrefix(t *testing.T) {
	names := map[uint32]Holder{}
	for _, h := range Holders(1) {
		if h.Name == "" || len(h.Country) != 2 || names[h.ASN].Name != "" {
			t.Errorf("AS%d is called %q in %q, and was called %q", h.ASN, h.Name, h.Country, names[h.ASN].Name)
		}
		names[h.ASN] = h
	}
	p := newPopulation(1)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range append(p.customers, p.remotes...) {
		h := names[n.asn]
		for _, ipv6 := range []bool{false, true} {
			if a := p.host(rng, &n, ipv6); !h.v4.Contains(a) && !h.v6.Contains(a) {
				t.Errorf("AS%d talks from %s, its prefixes are %s and %s", n.asn, a, h.v4, h.v6)
			}
		}
	}
}
