package collect

import (
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/exporter"
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

// parseAllow reads what an allow-list is made of: addresses, and prefixes in CIDR form.
func parseAllow(entries []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, entry := range entries {
		p, err := exporter.ParsePrefix(entry)
		if err != nil {
			return nil, fmt.Errorf("%q %w", entry, err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}
