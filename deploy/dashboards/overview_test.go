package dashboards_test

import (
	"fmt"
	"strconv"
)

func bits(f flow) float64 { return f.allBytes() * 8 }
func one(flow) float64    { return 1 }

func protocol(f flow) string {
	return map[uint8]string{1: "ICMP", 6: "TCP", 17: "UDP"}[f.proto]
}

func network(f flow) string {
	return map[uint16]string{0x0800: "IPv4", 0x86dd: "IPv6"}[f.etype]
}

func both(a, b func(flow) string) func(flow) string {
	return func(f flow) string { return a(f) + " " + b(f) }
}

func sum(flows []flow, value func(flow) float64) float64 {
	return total(flows, func(flow) string { return "" }, value)[""]
}

// rates checks a panel of throughput or packets, with the time before.
func rates(value string, number func(flow) float64) check {
	return func(v view) {
		v.series("A", value, total(v.inBuckets, flow.direction, number), "direction")
		before := func(f flow) string { return f.direction() + " before" }
		got := v.results["B"].sums(v.T, value, "direction")
		for key := range got {
			got[key] *= float64(v.interval)
		}
		equal(v.T, "the time before", got, total(v.earlier, before, number))
	}
}

func portName(port func(flow) uint32) func(flow) string {
	return func(f flow) string {
		if port(f) == 0 {
			return protocol(f)
		}
		return fmt.Sprint(protocol(f), "/", port(f))
	}
}

func service(f flow, port uint32) string {
	switch port {
	case 80:
		return "http"
	case 443:
		return "https"
	case 53:
		return "domain"
	case 123:
		return "ntp"
	case 8080:
		return "http-alt"
	}
	return ""
}

// density checks a heat map: packets by buckets of a value.
func density(value func(flow) int, step, most int, when func(flow) bool) check {
	return func(v view) {
		want := map[string]float64{}
		for _, f := range v.inBuckets {
			if when(f) {
				want[strconv.Itoa(min(value(f)/step*step, most))] += f.allPackets()
			}
		}
		got := v.results["A"].sums(v.T, "density", "bucket")
		for key := range got {
			got[key] *= float64(v.interval)
		}
		equal(v.T, "density", got, want)
	}
}

func hasPorts(f flow) bool { return f.proto == 6 || f.proto == 17 }

func init() {
	source := func(f flow) string { return f.source }
	dest := func(f flow) string { return f.dest }
	sourceAS := func(f flow) string { return fmt.Sprint(f.sourceAS) }
	destAS := func(f flow) string { return fmt.Sprint(f.destAS) }
	sport := func(f flow) uint32 { return f.sport }
	dport := func(f flow) uint32 { return f.dport }
	portKey := func(port func(flow) uint32) func(flow) string {
		return func(f flow) string { return fmt.Sprint(port(f), " ", protocol(f), " ", service(f, port(f))) }
	}
	checks["netmeta-overview"] = map[int]check{
		10: func(v view) { v.number(sum(v.inRange, flow.allBytes)) },
		11: func(v view) { v.number(sum(v.inRange, flow.allPackets)) },
		12: func(v view) { v.number(float64(len(v.inRange))) },
		13: func(v view) { v.number(float64(len(testFlows))) },
		14: keptFor,
		15: diskUsed,
		20: rates("bps", bits),
		21: rates("pps", flow.allPackets),
		30: func(v view) {
			v.series("A", "bps", total(v.inBuckets, both(protocol, flow.direction), bits), "protocol", "direction")
		},
		31: func(v view) {
			v.series("A", "bps", total(v.inBuckets, both(network, flow.direction), bits), "network", "direction")
		},
		40: func(v view) {
			v.topSeries(10, "bps", func(f flow) string { return fmt.Sprint(f.exporter, "/", f.in) }, bits, "interface")
		},
		41: func(v view) {
			v.topSeries(10, "bps", func(f flow) string { return fmt.Sprint(f.exporter, "/", f.out) }, bits, "interface")
		},
		42: func(v view) { v.topSeries(10, "bps", func(f flow) string { return f.nextHop }, bits, "nexthop") },
		43: func(v view) { v.topSeries(10, "bps", func(f flow) string { return fmt.Sprint(f.vlan) }, bits, "vlan") },
		44: func(v view) { v.topSeries(10, "flows", func(f flow) string { return f.exporter }, one, "exporter") },
		50: func(v view) { v.ranked(sourceAS, "ASN") },
		51: func(v view) { v.ranked(destAS, "ASN") },
		52: func(v view) { v.topSeries(10, "bps", sourceAS, bits, "asn") },
		53: func(v view) { v.topSeries(10, "bps", destAS, bits, "asn") },
		60: func(v view) { v.ranked(source, "Source") },
		61: func(v view) { v.ranked(dest, "Destination") },
		62: func(v view) { v.topSeries(10, "bps", source, bits, "source") },
		63: func(v view) { v.topSeries(10, "bps", dest, bits, "destination") },
		70: func(v view) { v.ranked(portKey(sport), "Port", "Protocol", "Service") },
		71: func(v view) { v.ranked(portKey(dport), "Port", "Protocol", "Service") },
		72: func(v view) {
			v.inBuckets = only(v.inBuckets, func(f flow) bool { return f.proto == 6 })
			v.topSeries(10, "bps", func(f flow) string {
				return map[uint8]string{2: "SYN", 16: "ACK", 18: "SYN-ACK", 24: "PSH-ACK"}[f.tcp]
			}, bits, "flags")
		},
		73: func(v view) { v.topSeries(10, "bps", portName(sport), bits, "port") },
		74: func(v view) { v.topSeries(10, "bps", portName(dport), bits, "port") },
		80: func(v view) {
			v.ranked(func(f flow) string {
				return fmt.Sprint(f.exporter, " ", f.source, " ", f.sport, " ", f.dest, " ", f.dport, " ", protocol(f))
			}, "Exporter", "Source", "Source port", "Destination", "Destination port", "Protocol")
		},
		90: density(func(f flow) int { return int(f.bytes / f.packets) }, 50, 1500, func(flow) bool { return true }),
		91: density(func(f flow) int { return int(f.ttl) }, 4, 252, func(f flow) bool { return f.ttl != 0 }),
		92: density(func(f flow) int { return int(f.sport) }, 1024, 64512, hasPorts),
		93: density(func(f flow) int { return int(f.dport) }, 1024, 64512, hasPorts),
	}
}

func only(flows []flow, keep func(flow) bool) []flow {
	var kept []flow
	for _, f := range flows {
		if keep(f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// keptFor: the oldest flow is so old, give or take how long the test runs.
func keptFor(v view) {
	oldest := testFlows[0].at
	for _, f := range testFlows {
		oldest = min(oldest, f.at)
	}
	got := v.results["A"].rows[0][0].(float64)
	now := v.seconds("SELECT toUnixTimestamp(now())")
	if age := now - float64(oldest); got > age || got < age-600 {
		v.Errorf("%v seconds, want %v", got, age)
	}
}

func (v view) seconds(statement string) float64 {
	v.Helper()
	return run(v.T, v.db, statement).rows[0][0].(float64)
}

func diskUsed(v view) {
	v.number(v.seconds("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"))
}
