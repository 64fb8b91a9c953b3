//go:build linux

package main

import "fmt"

// query is what a dashboard or a person asks of flows_raw. Words in braces are filled in
// with what the data set holds, by asker.
type query struct {
	name string
	kind string // scan: all flows of a time range are asked for; filter: few of them
	sql  string
	// loose queries may be answered with other rows of equal rank.
	loose bool
}

// Time ranges. The hour is the busiest of the last day.
const (
	week    = "TimeReceived >= {end} - 7 * 86400 AND TimeReceived < {end}"
	day     = "TimeReceived >= {end} - 86400 AND TimeReceived < {end}"
	hour    = "TimeReceived >= {evening} - 3600 AND TimeReceived < {evening}"
	quarter = "TimeReceived >= {evening} - 900 AND TimeReceived < {evening}"
)

// An interface of an exporter: what came in by it or left by it.
const iface = " AND SamplerAddress = {exporter} AND (InIf = {interface} OR OutIf = {interface})"

const (
	inHour = "INTERVAL 10 SECOND"
	inDay  = "INTERVAL 5 MINUTE"
)

// series is traffic over time, by keys besides time.
func series(bucket, keys, where string) string {
	if keys != "" {
		keys = ", " + keys
	}
	return fmt.Sprintf(`SELECT toStartOfInterval(TimeReceived, %s) AS time%s, sum(Bytes * SamplingRate) AS bytes
		FROM flows_raw WHERE %s GROUP BY time%[2]s ORDER BY time%[2]s`, bucket, keys, where)
}

// top is who has most of the traffic.
func top(keys, where string) string {
	return fmt.Sprintf(`SELECT %s, sum(Bytes * SamplingRate) AS bytes, sum(Packets * SamplingRate) AS packets
		FROM flows_raw WHERE %s GROUP BY %[1]s ORDER BY bytes DESC, %[1]s LIMIT 10`, keys, where)
}

// newest is the list of flows as they were received.
func newest(where string) string {
	return `SELECT TimeReceived, SamplerAddress, InIf, OutIf, Proto, SrcAddr, SrcPort, DstAddr, DstPort, TCPFlags, Bytes, Packets, SamplingRate
		FROM flows_raw WHERE ` + where + ` ORDER BY TimeReceived DESC LIMIT 100`
}

var queries = []query{
	{name: "overview, 15 minutes", kind: "scan", sql: series(inHour, "FlowDirection", quarter)},
	{name: "overview, 1 hour", kind: "scan", sql: series(inHour, "FlowDirection", hour)},
	{name: "overview, 24 hours", kind: "scan", sql: series(inDay, "FlowDirection", day)},
	{name: "overview, 7 days", kind: "scan", sql: series("INTERVAL 1 HOUR", "FlowDirection", week)},
	{name: "protocols, 24 hours", kind: "scan", sql: series(inDay, "Proto, FlowDirection", day)},
	{name: "flows per exporter, 24 hours", kind: "scan", sql: `SELECT toStartOfInterval(TimeReceived, ` + inDay + `) AS time, SamplerAddress, count()
		FROM flows_raw WHERE ` + day + ` GROUP BY time, SamplerAddress ORDER BY time, SamplerAddress`},
	{name: "traffic per interface, 24 hours", kind: "scan", sql: series(inDay, "SamplerAddress, InIf, FlowDirection", day)},
	{name: "top sources, 15 minutes", kind: "scan", sql: top("SrcAddr", quarter)},
	{name: "top sources, 1 hour", kind: "scan", sql: top("SrcAddr", hour)},
	{name: "top sources, 24 hours", kind: "scan", sql: top("SrcAddr", day)},
	{name: "top destinations, 24 hours", kind: "scan", sql: top("DstAddr", day)},
	{name: "top ports, 24 hours", kind: "scan", sql: top("DstPort", day)},
	{name: "top source ASNs, 24 hours", kind: "scan", sql: top("SrcAS", day)},
	{name: "top interfaces, 24 hours", kind: "scan", sql: top("SamplerAddress, InIf", day)},
	{name: "top conversations, 1 hour", kind: "scan", sql: top("SrcAddr, SrcPort, DstAddr, DstPort, Proto", hour)},
	{name: "sources by target and second, 15 minutes", kind: "scan", sql: `SELECT DstAddr, TimeReceived, uniq(SrcAddr) AS sources
		FROM flows_raw WHERE ` + quarter + ` GROUP BY DstAddr, TimeReceived ORDER BY sources DESC, DstAddr, TimeReceived LIMIT 10`},
	{name: "newest flows", kind: "scan", sql: newest(day), loose: true},

	{name: "interface, 15 minutes", kind: "filter", sql: series(inHour, "FlowDirection", quarter+iface)},
	{name: "interface, 1 hour", kind: "filter", sql: series(inHour, "FlowDirection", hour+iface)},
	{name: "interface, 24 hours", kind: "filter", sql: series(inDay, "FlowDirection", day+iface)},
	{name: "interface, 7 days", kind: "filter", sql: series("INTERVAL 1 HOUR", "FlowDirection", week+iface)},
	{name: "top sources of an interface, 24 hours", kind: "filter", sql: top("SrcAddr", day+iface)},
	{name: "newest flows of an interface", kind: "filter", sql: newest(day + iface), loose: true},
	{name: "exporter, 1 hour", kind: "filter", sql: series(inHour, "FlowDirection", hour+" AND SamplerAddress = {exporter}")},
	{name: "exporter, 24 hours", kind: "filter", sql: series(inDay, "FlowDirection", day+" AND SamplerAddress = {exporter}")},

	{name: "busiest source, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND SrcAddr = {busySource}")},
	{name: "busiest destination, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND DstAddr = {busyDestination}")},
	{name: "source, 1 hour", kind: "filter", sql: series(inHour, "", hour+" AND SrcAddr = {source}")},
	{name: "source, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND SrcAddr = {source}")},
	{name: "destination, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND DstAddr = {destination}")},
	{name: "host, either side, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND (SrcAddr = {source} OR DstAddr = {source})")},
	{name: "newest flows of a host, 7 days", kind: "filter", sql: newest(week + " AND (SrcAddr = {source} OR DstAddr = {source})"), loose: true},
	{name: "sources in a /24, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND SrcAddr BETWEEN {netFirst} AND {netLast}")},
	{name: "source ASN, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND SrcAS = {asn}")},
	{name: "ASN, either side, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND (SrcAS = {asn} OR DstAS = {asn})")},
	{name: "destination port, 24 hours", kind: "filter", sql: series(inDay, "", day+" AND DstPort = {port}")},
	{name: "newest flows of a port", kind: "filter", sql: newest(day + " AND DstPort = {port}"), loose: true},
	{name: "SYN by target, 1 hour", kind: "filter", sql: `SELECT DstAddr, DstPort, sum(Packets * SamplingRate) AS packets
		FROM flows_raw WHERE ` + hour + ` AND Proto = 6 AND TCPFlags = 2 GROUP BY DstAddr, DstPort ORDER BY packets DESC, DstAddr, DstPort LIMIT 10`},
}
