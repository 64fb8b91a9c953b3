package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Written by iptables-save 1.8.9.
const saved = `*filter
:OUTPUT ACCEPT [0:0]
-A OUTPUT -m statistic --mode random --probability 0.00100000016 -j NFLOG --nflog-prefix "netmeta:1000" --nflog-group 5 --nflog-size 160
-A OUTPUT -m statistic --mode random --probability 0.00100000016 -j NFLOG --nflog-prefix "drop it" --nflog-group 6
-A OUTPUT -m statistic --mode nth --every 50 --packet 0 -j NFLOG --nflog-group 7
-A OUTPUT -m limit --limit 5/sec -j NFLOG
-A OUTPUT -j NFLOG --nflog-group 8
-A OUTPUT -j ACCEPT
COMMIT
`

// Written by nft -j list ruleset 1.0.6.
const listed = `{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}, {"table": {"family": "inet", "name": "t", "handle": 1}},
{"rule": {"family": "inet", "table": "t", "chain": "o", "handle": 2, "expr": [{"match": {"op": "==", "left": {"numgen": {"mode": "random", "mod": 100, "offset": 0}}, "right": 0}}, {"log": {"group": 6}}]}},
{"rule": {"family": "inet", "table": "t", "chain": "o", "handle": 3, "expr": [{"match": {"op": "<", "left": {"numgen": {"mode": "inc", "mod": 100, "offset": 0}}, "right": 10}}, {"log": {"prefix": "x", "group": 7}}]}},
{"rule": {"family": "inet", "table": "t", "chain": "o", "handle": 4, "expr": [{"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "lo"}}, {"match": {"op": "==", "left": {"numgen": {"mode": "random", "mod": 1000, "offset": 0}}, "right": 0}}, {"log": {"prefix": "netmeta:1000", "group": 5, "snaplen": 160, "queue-threshold": 64}}]}},
{"rule": {"family": "inet", "table": "t", "chain": "o", "handle": 5, "expr": [{"match": {"op": "<", "left": {"&": [{"meta": {"key": "random"}}, 2147483647]}, "right": 2147484}}, {"log": {"group": 8}}]}},
{"rule": {"family": "inet", "table": "t", "chain": "o", "handle": 7, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, 23]}}}, {"limit": {"rate": 5, "burst": 5, "per": "second"}}, {"log": {"group": 0}}]}},
{"rule": {"family": "ip", "table": "filter", "chain": "OUTPUT", "handle": 2, "expr": [{"xt": {"type": "match", "name": "statistic"}}, {"counter": {"packets": 0, "bytes": 0}}, {"log": {"group": 9}}]}}]}`

func TestTheRatesOfRulesAreFound(t *testing.T) {
	for group, want := range map[uint16][2][]Found{
		5: {{{IPTables, 1000, true}}, {{NFTables, 1000, true}}},
		6: {{{IPTables, 1000, false}}, {{NFTables, 100, false}}},
		7: {{{IPTables, 50, false}}, {{NFTables, 10, false}}},
		8: {{{IPTables, 1, false}}, {{NFTables, 1000, false}}},
		0: {{{IPTables, 0, false}}, {{NFTables, 0, false}}}, // a limit is no sampling
		9: {},                                               // written in words of iptables
	} {
		if diff := cmp.Diff(want[0], inIPTables(saved, group)); diff != "" {
			t.Errorf("iptables, group %d: %s", group, diff)
		}
		found, err := inNFTables([]byte(listed), group)
		if diff := cmp.Diff(want[1], found); diff != "" || err != nil {
			t.Errorf("nft, group %d: %s %v", group, diff, err)
		}
	}
}

func TestOneRateIsTakenOnlyWhereAllRulesAgree(t *testing.T) {
	own, same, other, unknown := Found{NFTables, 1000, true}, Found{IPTables, 1000, false}, Found{IPTables, 50, false}, Found{NFTables, 0, false}
	for _, c := range []struct {
		found []Found
		rate  uint64
		fails bool
	}{
		{nil, 0, false},
		{[]Found{own}, 0, false}, // every packet says it
		{[]Found{same, same}, 1000, false},
		{[]Found{own, same}, 1000, false},
		{[]Found{same, other}, 0, true},
		{[]Found{own, other}, 0, true},
		{[]Found{unknown}, 0, true},
	} {
		if rate, err := Rate(c.found); rate != c.rate || (err != nil) != c.fails {
			t.Errorf("%v: rate %d, error %v", c.found, rate, err)
		}
	}
}

// What is printed is what is found again.
func TestOwnRulesSayTheirRate(t *testing.T) {
	for _, r := range []Rules{{IPTables, 5, 1000}, {IPTables, 12, 1}} {
		if found := inIPTables(strings.ReplaceAll(r.String(), "iptables -w ", ""), r.Group); len(found) != 6 || found[0] != (Found{IPTables, uint64(r.Rate), true}) {
			t.Errorf("%+v: found %v", r, found)
		}
	}
	for _, r := range []Rules{{NFTables, 5, 0}, {NFTables, 5, MaxRate + 1}, {"ipfw", 5, 10}} {
		if r.Check() == nil {
			t.Errorf("%+v: no error", r)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add(saved, listed, uint16(5))
	f.Fuzz(func(_ *testing.T, saved, listed string, group uint16) {
		found, _ := inNFTables([]byte(listed), group)
		_, _ = Rate(append(found, inIPTables(saved, group)...))
	})
}
