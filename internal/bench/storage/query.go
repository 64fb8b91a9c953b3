//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// query is what a dashboard or a person asks. Placeholders in braces are filled in with
// what the data set holds.
type query struct {
	name string
	kind string // scan: of all flows of a span; filter: of some
	sql  string
}

const (
	lastDay  = "TimeReceived >= {day} AND TimeReceived < {end}"
	oneHour  = "TimeReceived >= {hour} AND TimeReceived < {hourEnd}"
	quarter  = "TimeReceived >= {quarter} AND TimeReceived < {hourEnd}"
	allTime  = "TimeReceived >= {start} AND TimeReceived < {end}"
	bits     = "sum(Bytes * SamplingRate)"
	tenSec   = "toStartOfInterval(TimeReceived, INTERVAL 10 SECOND) AS t"
	minutes  = "toStartOfInterval(TimeReceived, INTERVAL 5 MINUTE) AS t"
	interfce = "SamplerAddress = {exporter} AND (InIf = {interface} OR OutIf = {interface})"
)

func series(bucket, key, where string) string {
	if key != "" {
		key = ", " + key
	}
	return "SELECT " + bucket + key + ", " + bits + " FROM flows_raw WHERE " + where + " GROUP BY t" + key + " ORDER BY t"
}

func top(key, where string) string {
	return "SELECT " + key + ", " + bits + " AS b FROM flows_raw WHERE " + where + " GROUP BY " + key + " ORDER BY b DESC LIMIT 10"
}

func newest(where string) string {
	return "SELECT TimeReceived, SamplerAddress, InIf, OutIf, SrcAddr, SrcPort, DstAddr, DstPort, Proto, TCPFlags, Bytes, Packets, SamplingRate FROM flows_raw WHERE " + where + " ORDER BY TimeReceived DESC LIMIT 100"
}

var queries = []query{
	{"overview, 15 min", "scan", series(tenSec, "FlowDirection", quarter)},
	{"overview, 1 h", "scan", series(tenSec, "FlowDirection", oneHour)},
	{"overview, 24 h", "scan", series(minutes, "FlowDirection", lastDay)},
	{"protocols, 24 h", "scan", series(minutes, "Proto, FlowDirection", lastDay)},
	{"flows per exporter, 24 h", "scan", "SELECT " + minutes + ", SamplerAddress, count() FROM flows_raw WHERE " + lastDay + " GROUP BY t, SamplerAddress ORDER BY t"},
	{"traffic per interface, 24 h", "scan", series(minutes, "SamplerAddress, InIf, FlowDirection", lastDay)},
	{"top sources, 15 min", "scan", top("SrcAddr", quarter)},
	{"top sources, 1 h", "scan", top("SrcAddr", oneHour)},
	{"top sources, 24 h", "scan", top("SrcAddr", lastDay)},
	{"top destinations, 24 h", "scan", top("DstAddr", lastDay)},
	{"top ports, 24 h", "scan", top("DstPort", lastDay)},
	{"top source ASNs, 24 h", "scan", top("SrcAS", lastDay)},
	{"top interfaces, 24 h", "scan", top("SamplerAddress, InIf", lastDay)},
	{"top flows, 1 h", "scan", top("SrcAddr, SrcPort, DstAddr, DstPort, Proto", oneHour)},
	{"sources per target and second, 15 min", "scan", "SELECT DstAddr, TimeReceived, uniq(SrcAddr) AS sources FROM flows_raw WHERE " + quarter + " GROUP BY DstAddr, TimeReceived ORDER BY sources DESC LIMIT 10"},
	{"newest flows", "filter", newest(lastDay)},
	{"newest flows of a port", "filter", newest(lastDay + " AND DstPort = {port}")},
	{"newest flows of an interface", "filter", newest(lastDay + " AND " + interfce)},
	{"interface, 15 min", "filter", series(tenSec, "FlowDirection", quarter+" AND "+interfce)},
	{"interface, 1 h", "filter", series(tenSec, "FlowDirection", oneHour+" AND "+interfce)},
	{"interface, 24 h", "filter", series(minutes, "FlowDirection", lastDay+" AND "+interfce)},
	{"top sources of an interface, 24 h", "filter", top("SrcAddr", lastDay+" AND "+interfce)},
	{"exporter, 24 h", "filter", series(minutes, "FlowDirection", lastDay+" AND SamplerAddress = {exporter}")},
	{"exporter, 1 h", "filter", series(tenSec, "FlowDirection", oneHour+" AND SamplerAddress = {exporter}")},
	{"busy source, 24 h", "filter", series(minutes, "", lastDay+" AND SrcAddr = {busySource}")},
	{"busy destination, 24 h", "filter", series(minutes, "", lastDay+" AND DstAddr = {busyDestination}")},
	{"rare source, 1 h", "filter", series(tenSec, "", oneHour+" AND SrcAddr = {rareSource}")},
	{"rare source, 24 h", "filter", series(minutes, "", lastDay+" AND SrcAddr = {rareSource}")},
	{"rare destination, 24 h", "filter", series(minutes, "", lastDay+" AND DstAddr = {rareDestination}")},
	{"rare host, either, 24 h", "filter", series(minutes, "", lastDay+" AND (SrcAddr = {rareSource} OR DstAddr = {rareSource})")},
	{"rare host, all", "filter", newest(allTime + " AND (SrcAddr = {rareSource} OR DstAddr = {rareSource})")},
	{"prefix, 24 h", "filter", series(minutes, "", lastDay+" AND SrcAddr BETWEEN {prefixFirst} AND {prefixLast}")},
	{"ASN, 24 h", "filter", series(minutes, "", lastDay+" AND SrcAS = {asn}")},
	{"either ASN, 24 h", "filter", series(minutes, "", lastDay+" AND (SrcAS = {asn} OR DstAS = {asn})")},
	{"port, 24 h", "filter", series(minutes, "", lastDay+" AND DstPort = {port}")},
	{"SYN only, 1 h", "filter", "SELECT DstAddr, DstPort, sum(Packets * SamplingRate) AS p FROM flows_raw WHERE " + oneHour + " AND Proto = 6 AND TCPFlags = 2 GROUP BY DstAddr, DstPort ORDER BY p DESC LIMIT 10"},
}

// fillIn finds what to ask for in the data set, and returns it by placeholder.
func (e engine) fillIn(ctx context.Context, database string, t traffic) (*strings.Replacer, error) {
	seconds := func(at time.Time) string { return fmt.Sprintf("toDateTime(%d, 'UTC')", at.Unix()) }
	end := t.end()
	evening := end.Add(-3 * time.Hour) // the busiest hour of the day is before 21:00
	if t.days == 0 {
		evening = end
	}
	values := []string{
		"{start}", seconds(firstDay), "{end}", seconds(end), "{day}", seconds(end.AddDate(0, 0, -1)),
		"{hour}", seconds(evening.Add(-time.Hour)), "{hourEnd}", seconds(evening), "{quarter}", seconds(evening.Add(-15 * time.Minute)),
	}
	for name, sql := range map[string]string{
		"exporter":        "SELECT SamplerAddress FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 5",
		"busySource":      "SELECT SrcAddr FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1",
		"busyDestination": "SELECT DstAddr FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1",
		"rareSource":      "SELECT SrcAddr FROM flows_raw GROUP BY 1 HAVING count() BETWEEN 10 AND 100 ORDER BY sipHash64(SrcAddr) LIMIT 1",
		"rareDestination": "SELECT DstAddr FROM flows_raw GROUP BY 1 HAVING count() BETWEEN 10 AND 100 ORDER BY sipHash64(DstAddr) LIMIT 1",
		"asn":             "SELECT SrcAS FROM flows_raw GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 20",
		"port":            "SELECT toUInt32(3478)",
	} {
		value, _, err := e.query(ctx, database, sql, nil)
		if err != nil {
			return nil, err
		}
		if strings.Contains(value, ":") {
			value = "toIPv6('" + value + "')"
		}
		values = append(values, "{"+name+"}", value)
	}
	exporter := values[indexOf(values, "{exporter}")+1]
	value, _, err := e.query(ctx, database, "SELECT InIf FROM flows_raw WHERE SamplerAddress = "+exporter+" GROUP BY 1 ORDER BY count() DESC LIMIT 1 OFFSET 4", nil)
	if err != nil {
		return nil, err
	}
	values = append(values, "{interface}", value)
	first, _, err := e.query(ctx, database, "SELECT tupleElement(IPv6CIDRToRange(SrcAddr, 120), 1), tupleElement(IPv6CIDRToRange(SrcAddr, 120), 2) FROM flows_raw WHERE SrcAddr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255') GROUP BY 1, 2 ORDER BY count() DESC LIMIT 1 OFFSET 20", nil)
	if err != nil {
		return nil, err
	}
	a, b, _ := strings.Cut(first, "\t")
	values = append(values, "{prefixFirst}", "toIPv6('"+a+"')", "{prefixLast}", "toIPv6('"+b+"')")
	return strings.NewReplacer(values...), nil
}

func indexOf(all []string, s string) int {
	for i, v := range all {
		if v == s {
			return i
		}
	}
	return -1
}
