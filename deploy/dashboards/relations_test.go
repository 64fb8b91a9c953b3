package dashboards_test

import (
	"fmt"
	"slices"
	"strings"
)

// end is one column of a Sankey diagram: what is in it of a flow, and how it is written.
type end struct {
	name   string
	key    func(flow) string
	format string // of the key
	others string
}

// relations checks a Sankey diagram: what goes from where to where, all but the busiest of
// each column taken together.
func relations(limit int, when func(flow) bool, ends ...end) check {
	return func(v view) {
		flows := only(v.inRange, when)
		busiest := make([]map[string]float64, len(ends))
		for i, e := range ends {
			busiest[i] = firstOf(total(flows, e.key, bits), limit)
		}
		want := total(flows, func(f flow) string {
			var path []string
			for i, e := range ends {
				if _, ok := busiest[i][e.key(f)]; ok {
					path = append(path, fmt.Sprintf(e.format, e.key(f)))
				} else {
					path = append(path, e.others)
				}
			}
			return strings.Join(path, " ")
		}, func(f flow) float64 { return bits(f) / testTo.Sub(testFrom).Seconds() })
		var names []string
		for _, e := range ends {
			names = append(names, e.name)
		}
		if columns := v.results["A"].columns; !slices.Equal(columns, append(slices.Clone(names), "Rate")) {
			v.Fatalf("columns are %v", columns)
		}
		equal(v.T, "relations", v.results["A"].sums(v.T, "Rate", names...), want)
	}
}

func ingress(f flow) bool { return !f.egress }
func egress(f flow) bool  { return f.egress }
func always(flow) bool    { return true }

func inputKey(f flow) string  { return fmt.Sprint(f.exporter, "/", f.in) }
func outputKey(f flow) string { return fmt.Sprint(f.exporter, "/", f.out) }

// asNames are the texts of autonomous systems as the database's own functions have them.
func asNames(v view) map[uint32]string {
	names := map[uint32]string{}
	for _, row := range run(v.T, v.db, "SELECT DISTINCT arrayJoin([SrcAS, DstAS]) AS asn, leftUTF8(asText(asn), 40) FROM flows_raw").rows {
		names[uint32(row[0].(float64))] = text(row[1])
	}
	return names
}

// serviceKeys are the services of flows as the database's own functions have them.
func serviceKeys(v view) func(flow) string {
	names := map[string]string{}
	for _, row := range run(v.T, v.db, "SELECT Proto, SrcPort, DstPort, servicePort(Proto, SrcPort, DstPort) AS port, any(if(port = 0, '', if(portName(Proto, port) = '', toString(port), portName(Proto, port)))) FROM flows_raw GROUP BY ALL").rows {
		names[fmt.Sprint(row[0], row[1], row[2])] = text(row[4])
	}
	return func(f flow) string {
		name := names[fmt.Sprint(float64(f.proto), float64(f.sport), float64(f.dport))]
		return strings.TrimSpace(protocol(f) + " " + name)
	}
}

func init() {
	from := func(v view) end {
		names := asNames(v)
		return end{"Source", func(f flow) string { return names[f.sourceAS] }, "%s →", "others →"}
	}
	to := func(v view) end {
		names := asNames(v)
		return end{"Destination", func(f flow) string { return names[f.destAS] }, "→ %s", "→ others"}
	}
	source := end{"Source", func(f flow) string { return f.source }, "%s →", "others →"}
	dest := end{"Destination", func(f flow) string { return f.dest }, "→ %s", "→ others"}
	checks["netmeta-relations"] = map[int]check{
		10: func(v view) { relations(12, ingress, from(v), end{"Interface", inputKey, "%s", "other"}, to(v))(v) },
		11: func(v view) { relations(12, egress, from(v), end{"Interface", outputKey, "%s", "other"}, to(v))(v) },
		12: relations(12, always, end{"Input", inputKey, "%s →", "others →"}, end{"Output", outputKey, "→ %s", "→ others"}),
		20: func(v view) {
			relations(12, ingress, from(v), end{"Service", serviceKeys(v), "→ %s", "→ others"})(v)
		},
		21: func(v view) {
			relations(12, egress, end{"Service", serviceKeys(v), "%s →", "others →"}, to(v))(v)
		},
		30: relations(20, ingress, source, dest),
		31: relations(20, egress, source, dest),
		40: func(v view) {
			v.ranked(func(f flow) string { return fmt.Sprint(f.sourceAS, " ", f.destAS) }, "Source ASN", "Destination ASN")
		},
		41: func(v view) {
			v.ranked(func(f flow) string { return f.source + " " + f.dest }, "Source", "Destination")
		},
	}
}
