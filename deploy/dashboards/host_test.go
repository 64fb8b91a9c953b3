package dashboards_test

import (
	"fmt"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// oneHost is what the dashboard of a host is tested with: it sends and receives.
const oneHost = "203.0.113.5"

func received(f flow) bool { return f.dest == oneHost }
func sent(f flow) bool     { return f.source == oneHost }
func ofHost(f flow) bool   { return received(f) || sent(f) }

// repliesToHost are flows to a host that otherwise only sends.
func repliesToHost() (flows []flow) {
	for i, f := range testFlows {
		if !sent(f) || i%2 == 0 {
			continue
		}
		f.source, f.dest, f.sport, f.dport = fmt.Sprintf("198.18.0.%d", i%30), f.source, f.dport, f.sport
		f.bytes, f.in, f.out = f.bytes*3, 1, 5
		flows = append(flows, f)
	}
	return flows
}

// hostSides checks a rate of what the host received and sent.
func hostSides(value string, number func(flow) float64) check {
	return func(v view) {
		want := map[string]float64{"received": sum(only(v.inBuckets, received), number), "sent": sum(only(v.inBuckets, sent), number)}
		v.series("A", value, want, "side")
	}
}

// of has a check look at some of the flows only.
func of(when func(flow) bool, c check) check {
	return func(v view) {
		v.inRange, v.inBuckets = only(v.inRange, when), only(v.inBuckets, when)
		c(v)
	}
}

func ranking(key func(flow) string, labels ...string) check {
	return func(v view) { v.ranked(key, labels...) }
}

func stacking(value string, key func(flow) string, number func(flow) float64, label string) check {
	return func(v view) { v.topSeries(10, value, key, number, label) }
}

// seen checks when the host was seen, of all time.
func seen(first bool) check {
	return func(v view) {
		at := int64(0)
		for _, f := range testFlows {
			if ofHost(f) && (at == 0 || (f.at < at) == first) {
				at = f.at
			}
		}
		v.number(float64(at) * 1000)
	}
}

func flags(f flow) string {
	return map[uint8]string{0: "none", 2: "SYN", 16: "ACK", 18: "SYN-ACK", 24: "PSH-ACK"}[f.tcp]
}

func init() {
	testFlows = append(testFlows, repliesToHost()...)
	choices["netmeta-host"] = choice{values: dashboard.Values{"host": {oneHost}}, through: ofHost}
	port := func(f flow) string { return fmt.Sprint(f.dport, " ", protocol(f)) }
	checks["netmeta-host"] = map[int]check{
		10: func(v view) { v.number(sum(only(v.inRange, received), flow.allBytes)) },
		11: func(v view) { v.number(sum(only(v.inRange, sent), flow.allBytes)) },
		12: func(v view) {
			peers := map[string]bool{}
			for _, f := range v.inRange {
				if sent(f) {
					peers[f.dest] = true
				} else {
					peers[f.source] = true
				}
			}
			v.number(float64(len(peers)))
		},
		13: func(v view) { v.number(float64(len(v.inRange))) },
		14: seen(true),
		15: seen(false),
		20: hostSides("bps", bits),
		21: hostSides("pps", flow.allPackets),
		30: of(received, ranking(func(f flow) string { return f.source }, "Source")),
		31: of(sent, ranking(func(f flow) string { return f.dest }, "Destination")),
		32: of(received, ranking(func(f flow) string { return fmt.Sprint(f.sourceAS) }, "ASN")),
		33: of(sent, ranking(func(f flow) string { return fmt.Sprint(f.destAS) }, "ASN")),
		40: of(received, ranking(port, "Port", "Protocol")),
		41: of(sent, ranking(port, "Port", "Protocol")),
		42: of(received, stacking("bps", protocol, bits, "protocol")),
		43: of(received, stacking("bps", portName(func(f flow) uint32 { return f.sport }), bits, "port")),
		44: of(received, of(func(f flow) bool { return f.proto == 6 }, stacking("pps", flags, flow.allPackets, "flags"))),
		50: of(received, ranking(func(f flow) string { return f.exporter + " " + inputKey(f) }, "Exporter", "Interface")),
		51: of(sent, ranking(func(f flow) string { return f.exporter + " " + outputKey(f) }, "Exporter", "Interface")),
		60: of(received, ranking(func(f flow) string { return f.dest }, "Address")),
		61: of(sent, ranking(func(f flow) string { return f.source }, "Address")),
		70: ranking(func(f flow) string {
			return fmt.Sprint(f.source, " ", f.sport, " ", f.dest, " ", f.dport, " ", protocol(f))
		}, "Source", "Source port", "Destination", "Destination port", "Protocol"),
		71: density(func(f flow) int { return int(f.bytes / f.packets) }, 50, 1500, func(flow) bool { return true }),
	}
}

// A subnet is a host, too, and what one of its addresses sends to another it both sends and
// receives.
func TestHostDashboardTakesSubnets(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	inside := testFlows[0]
	inside.at, inside.source, inside.dest, inside.bytes, inside.rate = testFrom.Unix()+1, "192.0.2.10", "192.0.2.20", 700, 10
	insert(t, write, append([]flow{inside}, testFlows...))
	in := func(f flow) bool { return f.source == inside.source }
	for _, d := range loaded(t) {
		if d.UID == "netmeta-host" {
			for _, id := range []int{10, 11} {
				panel, _ := d.Panel(id)
				show(t, read, d, panel, dashboard.Values{"host": {"192.0.2.0/27"}}, in).number(7000)
			}
		}
	}
}
