//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// column is a column of flows_raw.
type column struct{ name, kind, codec string }

// design is a physical design of flows_raw.
type design struct {
	name  string
	about string // one line for the table
	// own is a design that is not NetMeta's with changes.
	columns   func(all []column) []column
	partition string
	order     string
	primary   string // prefix of order that the index holds, all of it if empty
	settings  string // of the table
	codecs    map[string]string
	kinds     map[string]string // types that differ
	extra     []string          // indexes and projections
	without   []string          // of the base's indexes and projections
}

// base is what candidates differ from by what they are named for.
var base = design{
	partition: "toDate(TimeReceived)",
	order:     fiveMinutes,
}

const (
	fiveMinutes    = "toStartOfFiveMinutes(TimeReceived), SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr, TimeReceived"
	fifteenMinutes = "toStartOfFifteenMinutes(TimeReceived), SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr, TimeReceived"
	hour           = "toStartOfHour(TimeReceived), SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr, TimeReceived"
)

// originalColumns are the columns that the original's flows_raw has.
var originalColumns = strings.Fields(`FlowType SequenceNum TimeReceived SamplingRate FlowDirection SamplerAddress
	TimeFlowStart TimeFlowEnd Bytes Packets SrcAddr DstAddr EType Proto SrcPort DstPort InIf OutIf SrcMac DstMac
	SrcVlan DstVlan VlanId IngressVrfId EgressVrfId IPTos ForwardingStatus IPTTL TCPFlags IcmpType IcmpCode
	IPv6FlowLabel FragmentId FragmentOffset BiFlowDirection SrcAS DstAS NextHop NextHopAS SrcNet DstNet`)

// original is NetMeta's first design, as of 2020 to 2023: no codecs, time first.
var original = design{
	name:      "original",
	about:     "no codecs, by time",
	columns:   withoutCodecs,
	partition: "toDate(TimeReceived)",
	order:     "TimeReceived, FlowDirection, SamplerAddress, SrcAS, DstAS, SrcAddr, DstAddr",
}

func withoutCodecs(all []column) (kept []column) {
	for _, c := range all {
		if slices.Contains(originalColumns, c.name) {
			kept = append(kept, column{name: c.name, kind: c.kind})
		}
	}
	return kept
}

// create returns the statement that creates the design's table out of NetMeta's columns.
func (d design) create(all []column) string {
	if d.columns != nil {
		all = d.columns(all)
	}
	var parts []string
	for _, c := range all {
		if kind, differs := d.kinds[c.name]; differs {
			c.kind = kind
		}
		codec, differs := d.codecs[c.name]
		if !differs {
			codec = c.codec
		}
		if codec != "" {
			codec = " CODEC(" + codec + ")"
		}
		parts = append(parts, fmt.Sprintf("`%s` %s%s", c.name, c.kind, codec))
	}
	parts = append(parts, d.extra...)
	sql := "CREATE TABLE flows_raw\n(\n    " + strings.Join(parts, ",\n    ") + "\n)\nENGINE = MergeTree\nPARTITION BY " + d.partition
	if d.primary != "" {
		sql += "\nPRIMARY KEY (" + d.primary + ")"
	}
	sql += "\nORDER BY (" + d.order + ")"
	// Merges are made when they are measured.
	settings := "max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1"
	if d.settings != "" {
		settings += ", " + d.settings
	}
	return sql + "\nSETTINGS " + settings
}

func codecs(all ...map[string]string) map[string]string {
	sum := map[string]string{}
	for _, m := range all {
		maps.Copy(sum, m)
	}
	return sum
}
