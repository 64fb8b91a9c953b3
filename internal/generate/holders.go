package generate

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Holder is an AS of the synthetic world: what a routing table and a registry would say of
// it. The names are made up.
type Holder struct {
	ASN     uint32
	Name    string
	Country string // ISO 3166-1, drawn at random
	network        // zero for who only hands traffic on
}

// Holders returns all ASes of the world of a seed, sorted by number.
func Holders(seed uint64) []Holder {
	p := newPopulation(seed)
	all := []Holder{
		{ASN: ownAS, Name: "EXAMPLE-NET Our own network", Country: "DE"},
		{ASN: neighbourAS[1], Name: "TRANSIT-A Example Transit A", Country: "US"},
		{ASN: neighbourAS[2], Name: "TRANSIT-B Example Transit B", Country: "SE"},
	}
	roles := map[uint32]string{5: "ACCESS Example Access", 6: "HOSTING Example Hosting", 7: "MOBILE Example Mobile", 8: "CAMPUS Example University"}
	for i, n := range p.customers {
		all = append(all, Holder{n.asn, fmt.Sprintf("%s %d", roles[n.port], i+1), "DE", n})
	}
	countries := []string{"US", "DE", "NL", "FR", "GB", "JP", "BR", "IN", "ZA", "AU", "PL", "SE"}
	for i, n := range p.remotes {
		name := fmt.Sprintf("REMOTE-%d Example Network %d", i+1, i+1)
		if n.via == 0 {
			name = fmt.Sprintf("CONTENT-%d Example Content %d", i+1, i+1)
		}
		all = append(all, Holder{n.asn, name, countries[scatter(uint64(n.asn))%uint64(len(countries))], n})
	}
	slices.SortFunc(all, func(a, b Holder) int { return cmp.Compare(a.ASN, b.ASN) })
	return all
}

// WriteTables writes holders as netmeta risinfo reads them: prefixes as lines of prefix and
// AS number, and names as lines of AS number, name and country, with tabs between.
func WriteTables(holders []Holder, prefixes, names io.Writer) error {
	for _, h := range holders {
		if _, err := fmt.Fprintf(names, "%d\t%s\t%s\n", h.ASN, h.Name, h.Country); err != nil {
			return err
		}
		if !h.v4.IsValid() {
			continue
		}
		if _, err := fmt.Fprintf(prefixes, "%s\t%d\n%s\t%[2]d\n", h.v4, h.ASN, h.v6); err != nil {
			return err
		}
	}
	return nil
}
