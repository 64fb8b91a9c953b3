package collect

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var refused = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_collect_refused_datagrams_total",
	Help: "Datagrams that were not looked at because their source address is not among those of --allow, by listener. Add the exporter there if it is yours.",
}, []string{"listener"})

// allowList tells which source addresses may send. The zero value allows all of them.
type allowList struct {
	prefixes *bart.Lite
}

func newAllowList(prefixes []netip.Prefix) (l allowList) {
	if len(prefixes) == 0 {
		return l
	}
	l.prefixes = new(bart.Lite)
	for _, p := range prefixes {
		l.prefixes.Insert(p)
	}
	return l
}

func (l allowList) allows(a netip.Addr) bool {
	return l.prefixes == nil || l.prefixes.Contains(a)
}

// ParseAllow reads what an allow-list is made of: addresses, and prefixes in CIDR form.
func ParseAllow(entries []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, entry := range entries {
		p, err := netip.ParsePrefix(entry)
		if err != nil {
			a, failed := netip.ParseAddr(entry)
			if failed != nil {
				return nil, fmt.Errorf("%q is neither an address nor a prefix such as 192.0.2.0/24 or 2001:db8::/32", entry)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is an IPv4 address written as IPv6: write %s", entry, p.Addr().Unmap())
		}
		if p != p.Masked() {
			return nil, fmt.Errorf("%q has bits set behind the prefix: write %s", entry, p.Masked())
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}
