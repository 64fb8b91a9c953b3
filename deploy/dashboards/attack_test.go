package dashboards_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
)

// Hosts that are hit, each by something else, in the last minute but ten seconds of the
// time range.
const (
	floodedHost    = "198.51.100.99"
	amplifiedHost  = "198.51.100.98"
	fragmentedHost = "198.51.100.97"
)

const attackRate = 10 // packets per second that are sampled of each

// staged is a minute of attacks, of which one packet in a thousand was sampled.
func staged() (flows []flow) {
	for i := range 60 * attackRate {
		at := testTo.Unix() - 70 + int64(i/attackRate)
		common := flow{
			at: at, exporter: "192.0.2.1", in: 1, out: 5, rate: 1000, packets: 1, etype: 0x0800, ttl: 60,
			sourceAS: 64510, destAS: 64520, nextHop: "198.51.100.1", rateSource: "packet",
		}
		syn := common
		syn.source, syn.dest, syn.proto, syn.tcp, syn.bytes = fmt.Sprintf("100.64.%d.%d", i/200, i%200), floodedHost, 6, 2, 60
		syn.sport, syn.dport = 2000+uint32(i), 443
		syn.packets, syn.bytes = 2, 120
		ntp := common
		ntp.source, ntp.dest, ntp.proto, ntp.bytes = fmt.Sprintf("100.65.0.%d", i%50), amplifiedHost, 17, 480
		ntp.sport, ntp.dport = 123, 3000+uint32(i)
		fragment := common
		fragment.source, fragment.dest, fragment.proto, fragment.bytes, fragment.fragment = "100.66.0.1", fragmentedHost, 17, 1500, 185
		flows = append(flows, syn, ntp, fragment)
	}
	return flows
}

func isSYN(f flow) bool { return f.proto == 6 && f.tcp&18 == 2 }

var amplifiers = map[uint32]string{
	17: "QOTD", 19: "CHARGEN", 53: "DNS", 69: "TFTP", 111: "portmap", 123: "NTP", 137: "NetBIOS", 161: "SNMP", 389: "CLDAP", 427: "SLP",
	520: "RIP", 1900: "SSDP", 3283: "ARMS", 3478: "STUN", 3702: "WS-Discovery", 5093: "Sentinel", 5353: "mDNS", 5683: "CoAP",
	10001: "Ubiquiti", 11211: "memcached", 37810: "DHDiscover",
}

func isAmplified(f flow) bool { return f.proto == 17 && amplifiers[f.sport] != "" }

// hitHosts checks who is hit, by the busiest minute of each.
func hitHosts(v view) {
	type minute struct {
		packets, samples, bits, syn, amplified, fragments float64
		sources                                           map[string]bool
	}
	minutes, all := map[string]map[int64]*minute{}, map[string]float64{}
	for _, f := range v.inRange {
		at := f.at / 60 * 60
		if minutes[f.dest] == nil {
			minutes[f.dest] = map[int64]*minute{}
		}
		if minutes[f.dest][at] == nil {
			minutes[f.dest][at] = &minute{sources: map[string]bool{}}
		}
		m := minutes[f.dest][at]
		m.packets, m.samples, m.bits = m.packets+f.allPackets(), m.samples+1, m.bits+bits(f)
		m.sources[f.source] = true
		all[f.dest] += f.allPackets()
		for share, is := range map[*float64]bool{&m.syn: isSYN(f), &m.amplified: isAmplified(f), &m.fragments: f.fragment != 0} {
			if is {
				*share += f.allPackets()
			}
		}
	}
	// In one of twenty cases, the traffic behind n samples is less by more than 2/√n.
	least := func(m *minute) float64 { return m.packets * max(0, 1-2/math.Sqrt(m.samples)) / 60 }
	want := map[string]float64{}
	for host, of := range minutes {
		for _, m := range of {
			want[host] = max(want[host], least(m))
		}
	}
	r := v.results["A"]
	if rows := len(r.rows); rows != min(50, len(want)) {
		v.Errorf("%d hosts are listed, of %d", rows, len(want))
	}
	for i, host := range r.column(v.T, "Host") {
		if i > 0 && want[text(host)] > want[text(r.column(v.T, "Host")[i-1])]*(1+1e-9) {
			v.Errorf("%v is below a host that is hit less", host)
		}
	}
	what := map[string]string{floodedHost: "SYN flood of TCP/443", amplifiedHost: "answers of NTP (UDP/123)", fragmentedHost: "fragments"}
	for i, host := range r.column(v.T, "Host") {
		busiest := minutes[text(host)][int64(r.column(v.T, "Busiest minute")[i].(float64))/1000]
		if busiest == nil {
			v.Fatalf("%v had nothing in its busiest minute", host)
		}
		if !same(least(busiest), want[text(host)]) {
			v.Errorf("%v had %v packets per second at least in its busiest minute, want %v", host, least(busiest), want[text(host)])
		}
		for column, want := range map[string]float64{
			"Packets/s": busiest.packets / 60, "At least": least(busiest), "Bits/s": busiest.bits / 60, "Sources": float64(len(busiest.sources)), "SYN without ACK": busiest.syn / busiest.packets,
			"Amplified": busiest.amplified / busiest.packets, "Fragments": busiest.fragments / busiest.packets, "Packets in all": all[text(host)],
		} {
			if got := r.column(v.T, column)[i].(float64); !same(got, want) {
				v.Errorf("%s of %v is %v, want %v", column, host, got, want)
			}
		}
		if want, ok := what[text(host)]; ok && r.column(v.T, "What")[i] != want {
			v.Errorf("%v is hit by %v, want %s", host, r.column(v.T, "What")[i], want)
		}
	}
	if first := r.column(v.T, "Host")[0]; first != floodedHost {
		v.Errorf("%v is the first, not %s", first, floodedHost)
	}
}

// buckets calls a function with the flows of each bucket that is shown.
func (v view) buckets(visit func(at int64, flows []flow)) {
	for at := v.from; at < v.to; at += v.interval {
		visit(at, between(v.inBuckets, at, at+v.interval))
	}
}

// perBucket checks a number of each bucket that is no rate.
func perBucket(column string, number func([]flow) float64) check {
	return func(v view) {
		r := v.results["A"]
		row := 0
		v.buckets(func(at int64, flows []flow) {
			if row >= len(r.rows) || r.rows[row][0] != float64(at) {
				v.Fatalf("row %d is not of the bucket %d", row, at)
			}
			if got, want := r.column(v.T, column)[row].(float64), number(flows); math.Abs(got-want) > 1e-6 {
				v.Errorf("%s at %d is %v, want %v", column, at, got, want)
			}
			row++
		})
		if row != len(r.rows) {
			v.Errorf("%d rows for %d buckets", len(r.rows), row)
		}
	}
}

func different(key func(flow) string) func([]flow) float64 {
	return func(flows []flow) float64 { return float64(len(total(flows, key, one))) }
}

func entropy(key func(flow) string) func([]flow) float64 {
	return func(flows []flow) (h float64) {
		for _, n := range total(flows, key, one) {
			p := n / float64(len(flows))
			h -= p * math.Log2(p)
		}
		return h
	}
}

func newSources(v view) {
	first := map[string]int64{}
	for _, f := range between(testFlows, v.from-600, v.to) {
		if at, ok := first[f.source]; !ok || f.at < at {
			first[f.source] = f.at
		}
	}
	fresh := 0.0
	for _, at := range first {
		if at >= v.from {
			fresh++
		}
	}
	v.series("A", "new sources", map[string]float64{"": fresh})
}

func tcpKind(f flow) string {
	return map[uint8]string{2: "SYN without ACK", 16: "ACK", 18: "SYN-ACK", 24: "ACK"}[f.tcp]
}

func kind(f flow) string {
	if f.fragment != 0 {
		return "fragments"
	}
	return protocol(f)
}

func init() {
	testFlows = append(testFlows, staged()...)
	source := func(f flow) string { return f.source }
	dest := func(f flow) string { return f.dest }
	both := func(a, b check) check { return func(v view) { a(v); b(v) } }
	checks["netmeta-attack"] = map[int]check{
		10: hitHosts,
		20: func(v view) {
			busiest := firstOf(total(v.inBuckets, dest, flow.allPackets), 10)
			v.series("A", "pps", total(v.inBuckets, func(f flow) string {
				if _, ok := busiest[f.dest]; ok {
					return f.dest
				}
				return "other"
			}, flow.allPackets), "destination")
		},
		21: func(v view) { v.topSeries(10, "bps", dest, bits, "destination") },
		30: newSources,
		31: both(perBucket("sources", different(source)), perBucket("destinations", different(dest))),
		32: both(perBucket("sources", entropy(source)), perBucket("destinations", entropy(dest))),
		40: of(func(f flow) bool { return f.proto == 6 }, func(v view) {
			v.series("A", "pps", total(v.inBuckets, tcpKind, flow.allPackets), "kind")
		}),
		41: of(isAmplified, func(v view) {
			v.topSeries(25, "bps", func(f flow) string { return amplifiers[f.sport] }, bits, "service")
		}),
		42: func(v view) { v.series("A", "pps", total(v.inBuckets, kind, flow.allPackets), "kind") },
		43: ranking(func(f flow) string { return fmt.Sprint(f.sport, " ", protocol(f)) }, "Port", "Protocol"),
		44: ranking(func(f flow) string { return fmt.Sprint(f.dport, " ", protocol(f)) }, "Port", "Protocol"),
		50: ranking(inputKey, "Interface"),
		51: ranking(func(f flow) string { return fmt.Sprint(f.sourceAS) }, "ASN"),
		52: ranking(source, "Source"),
	}
}

// Zoomed in, an attack is shown to the second.
func TestAttackIsShownToTheSecond(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	insert(t, write, testFlows)
	for _, d := range loaded(t) {
		if d.UID != "netmeta-attack" {
			continue
		}
		panel, _ := d.Panel(20)
		statement := expand(t, d, panel, testTo.Add(-90_000_000_000), testTo.Add(-10_000_000_000))
		r := run(t, read, statement)
		seconds := 0
		for i, host := range r.column(t, "destination") {
			if host == floodedHost && r.column(t, "pps")[i] == 2.0*attackRate*1000 {
				seconds++
			}
		}
		if seconds != 60 {
			t.Errorf("the flood is shown in %d seconds, want 60", seconds)
		}
	}
}
