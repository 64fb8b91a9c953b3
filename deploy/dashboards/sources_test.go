package dashboards_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Two VPCs of an account, and one that --exporter has given another address.
var awsVPCs = []string{"fd61:7773:0:1234:5678:9012:89ab:cdef", "fd61:7773:0:1234:5678:9012:0:1", "192.0.2.9"}

// sourceFlows is traffic that clouds and agents tell of, as testFlows is that of routers.
var sourceFlows = func() (flows []flow) {
	random := rand.New(rand.NewPCG(7, 7))
	base := func(i int) flow {
		return flow{
			at: testFrom.Unix() - 100 + random.Int64N(2000), rate: 1, etype: 0x0800, proto: []uint8{6, 6, 17}[i%3],
			source: fmt.Sprintf("10.1.0.%d", random.IntN(40)), dest: fmt.Sprintf("10.2.0.%d", random.IntN(40)),
			sport: 60000 + uint32(random.IntN(500)), dport: []uint32{80, 443, 8080}[random.IntN(3)],
			packets: 1 + uint64(random.IntN(9)), bytes: 40 + uint64(random.IntN(90_000)), rateSource: "packet", nextHop: "198.51.100.1",
			sourceAS: 64500, destAS: 64520, tcp: []uint8{16, 24, 0}[i%3],
		}
	}
	for i := range 300 {
		f := base(i)
		f.kind, f.exporter, f.domain = "AWS_VPC", awsVPCs[i%3], 0x1a2b3c+uint32(i%3)
		f.in = 0xabc000 + uint32(i%7)
		if f.egress = i%2 == 0; f.egress {
			f.in, f.out = 0, f.in
		}
		if i%4 == 0 {
			f.event = 3
		}
		f.directionTold, f.application = true, []string{"", "S3", "DYNAMODB"}[i%3]
		flows = append(flows, f)
	}
	for i := range 300 {
		f := base(i)
		f.kind, f.exporter, f.domain, f.rate = "GCP_VPC", []string{"fd67:6370::1", "fd67:6370::2"}[i%2], uint32(4_000_000_000+i%3), 2
		f.egress, f.directionTold = i%3 == 1, i%3 != 2
		f.application = []string{"", "vm-1", "vm-2", "vm-3"}[i%4]
		flows = append(flows, f)
	}
	for i := range 300 {
		f := base(i)
		f.kind, f.exporter = []string{"NFLOG", "CONNTRACK", "MIRROR"}[i%3], []string{"192.0.2.51", "192.0.2.52"}[i%2]
		f.egress, f.directionTold = i%4 == 1, i%4 != 2
		switch f.kind {
		case "NFLOG":
			f.rate = 10
			if f.egress {
				f.application = "www-data"
			}
		case "CONNTRACK":
			f.sport = 61000 + uint32(i) // a connection each
			f.event, f.side = []uint8{1, 5, 2}[i/3%3], uint8(1+i/9%2)
			f.natSource, f.natTo = f.source, f.dest
			if f.event == 1 {
				f.bytes, f.packets = 0, 0
			}
			if f.side == 1 {
				f.natSource = "203.0.113.200"
			} else {
				f.natTo = "10.9.9.9"
			}
		}
		flows = append(flows, f)
	}
	return flows
}()

func vpc(f flow) string {
	return map[string]string{awsVPCs[0]: "123456789012 vpc-…89abcdef", awsVPCs[1]: "123456789012 vpc-…00000001", awsVPCs[2]: " "}[f.exporter]
}

func rejected(f flow) bool { return f.event == 3 }

func action(f flow) string {
	if rejected(f) {
		return "rejected"
	}
	return "accepted"
}

// or gives what is not told a name.
func or(name, instead string) string {
	if name == "" {
		return instead
	}
	return name
}

// distinct checks how many different flows there are by a key.
func distinct(key func(flow) string) check {
	return func(v view) { v.number(float64(len(total(v.inRange, key, one)))) }
}

func seriesOf(value string, key func(flow) string, number func(flow) float64, label string) check {
	return func(v view) { v.series("A", value, total(v.inBuckets, key, number), label) }
}

// sourceChecks are those of panels that dashboards of sources have in common.
func sourceChecks(uid string, kinds []string, more map[int]check) {
	through := func(f flow) bool { return slices.Contains(kinds, f.kind) }
	choices[uid] = choice{through: through, sources: true}
	checks[uid] = map[int]check{
		10: func(v view) { v.number(sum(v.inRange, flow.allBytes)) },
		11: func(v view) { v.number(float64(len(v.inRange))) },
		12: func(v view) {
			last := int64(0)
			for _, f := range only(sourceFlows, through) {
				last = max(last, f.at)
			}
			v.number(float64(last) * 1000)
		},
		50: ranking(func(f flow) string { return f.source }, "Source"),
		51: ranking(func(f flow) string { return f.dest }, "Destination"),
		52: ranking(func(f flow) string { return fmt.Sprint(f.dport, " ", protocol(f)) }, "Port", "Protocol"),
	}
	for id, c := range more {
		checks[uid][id] = c
	}
}

func init() {
	port := func(f flow) string { return fmt.Sprint(f.dport, " ", protocol(f)) }
	exporter := func(f flow) string { return f.exporter }
	eni := func(f flow) uint32 { return max(f.in, f.out) }
	sourceChecks("netmeta-aws", []string{"AWS_VPC"}, map[int]check{
		13: func(v view) { v.number(float64(len(only(v.inRange, rejected))) / float64(len(v.inRange))) },
		14: distinct(exporter),
		15: distinct(func(f flow) string { return fmt.Sprint(f.exporter, eni(f)) }),
		20: seriesOf("bps", action, bits, "action"),
		21: seriesOf("pps", action, flow.allPackets, "action"),
		22: seriesOf("rate", action, one, "action"),
		30: ranking(func(f flow) string { return f.exporter + " " + vpc(f) }, "Exporter", "Account", "VPC"),
		31: ranking(func(f flow) string {
			return fmt.Sprintf("eni-…%08x subnet-…%08x %s/%d", eni(f), f.domain, f.exporter, eni(f))
		}, "Interface", "Subnet", "Key"),
		40: of(rejected, ranking(port, "Port", "Protocol")),
		41: of(rejected, ranking(func(f flow) string { return f.source }, "Source")),
		42: ranking(func(f flow) string { return or(f.application, "none") }, "AWS service"),
	})
	sourceChecks("netmeta-gcp", []string{"GCP_VPC"}, map[int]check{
		13: distinct(exporter),
		14: distinct(func(f flow) string { return fmt.Sprint(f.exporter, f.domain) }),
		15: of(func(f flow) bool { return f.application != "" }, distinct(func(f flow) string { return f.application })),
		20: stacking("bps", func(f flow) string { return or(f.application, "not told") }, bits, "vm"),
		21: seriesOf("bps", func(f flow) string {
			switch {
			case !f.directionTold:
				return "not told"
			case f.egress:
				return "source"
			}
			return "destination"
		}, bits, "reporter"),
		30: ranking(func(f flow) string { return or(f.application, "not told") + " " + f.exporter }, "VM", "Exporter"),
		31: ranking(func(f flow) string { return fmt.Sprint(f.domain, " ", f.exporter) }, "Subnet", "Exporter"),
		32: ranking(func(f flow) string { return fmt.Sprint(f.destAS) }, "ASN"),
	})
	tracked := func(f flow) bool { return f.kind == "CONNTRACK" }
	sourceChanged := func(f flow) bool { return f.natSource != "" && f.natSource != f.source }
	destChanged := func(f flow) bool { return f.natTo != "" && f.natTo != f.dest }
	sourceChecks("netmeta-hosts", []string{"NFLOG", "CONNTRACK", "MIRROR"}, map[int]check{
		13: distinct(exporter),
		14: func(v view) {
			v.number(float64(len(only(v.inRange, func(f flow) bool { return tracked(f) && f.event == 1 && f.side != 2 }))))
		},
		15: func(v view) {
			translated := only(v.inRange, func(f flow) bool { return sourceChanged(f) || destChanged(f) })
			v.number(sum(translated, flow.allBytes) / sum(v.inRange, flow.allBytes))
		},
		20: seriesOf("bps", func(f flow) string {
			if !f.directionTold {
				return "forwarded"
			}
			return f.direction()
		}, bits, "direction"),
		21: seriesOf("bps", func(f flow) string {
			return map[string]string{"NFLOG": "NFLOG", "CONNTRACK": "connection tracking", "MIRROR": "mirror"}[f.kind]
		}, bits, "seen"),
		22: of(tracked, seriesOf("rate", func(f flow) string { return map[uint8]string{1: "begun", 2: "ended", 5: "lasting"}[f.event] }, one, "event")),
		30: ranking(exporter, "Exporter"),
		31: of(func(f flow) bool { return f.application != "" }, ranking(func(f flow) string { return f.application + " " + f.exporter }, "User", "Exporter")),
		32: stacking("bps", exporter, bits, "host"),
		40: of(sourceChanged, ranking(func(f flow) string { return f.source + " " + f.natSource }, "Source", "Leaves as")),
		41: of(destChanged, ranking(func(f flow) string { return f.dest + " " + f.natTo }, "Destination", "Leaves as")),
	})
}
