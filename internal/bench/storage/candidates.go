//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// Orders, all within partitions of a day. Except for the first column they are the same:
// exporter and interfaces first, for filters; then what makes neighbours alike, for size.
const (
	neighbours = ", SamplerAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr)"
	daily      = "ENGINE = MergeTree PARTITION BY toDate(TimeReceived) ORDER BY ("

	newestFirst = daily + "negate(toUnixTimestamp(toStartOfFiveMinutes(TimeReceived)))" + neighbours
	oldestFirst = daily + "toStartOfFiveMinutes(TimeReceived)" + neighbours
	twoMinutes  = daily + "negate(toUnixTimestamp(toStartOfInterval(TimeReceived, INTERVAL 2 MINUTE)))" + neighbours
	byHour      = daily + "negate(toUnixTimestamp(toStartOfHour(TimeReceived)))" + neighbours
	byTime      = daily + "toStartOfHour(TimeReceived), SamplerAddress, InIf, OutIf, TimeReceived)"
)

// Changes to what NetMeta's table has besides its order.
var (
	fastCodecs = []string{
		"MODIFY COLUMN SamplingRate CODEC(LZ4), MODIFY COLUMN Packets CODEC(T64, LZ4), MODIFY COLUMN DstPort CODEC(LZ4)",
		"MODIFY COLUMN OutIf CODEC(LZ4), MODIFY COLUMN Proto CODEC(LZ4), MODIFY COLUMN TCPFlags CODEC(LZ4), MODIFY COLUMN SamplerAddress CODEC(LZ4)",
	}
	withoutHostIndex = []string{"DROP INDEX source", "DROP INDEX destination"}
	withoutIndexes   = append([]string{"DROP INDEX time", "DROP INDEX source_as", "DROP INDEX destination_as", "DROP PROJECTION per_second"}, withoutHostIndex...)
	hostOrder        = []string{
		"ADD PROJECTION source_order (SELECT _part_offset ORDER BY SrcAddr)",
		"ADD PROJECTION destination_order (SELECT _part_offset ORDER BY DstAddr)",
	}
)

// designs are all that can be compared. The first is what the others are measured by.
var designs = []design{
	{
		name: "original", about: "NetMeta of 2020 to 2023: by time, no codecs", plain: true,
		engine: "ENGINE = MergeTree PARTITION BY toDate(TimeReceived) ORDER BY (TimeReceived, FlowDirection, SamplerAddress, SrcAS, DstAS, SrcAddr, DstAddr)",
	},
	{name: "netmeta", about: "the schema as it is: five minutes, newest first; codecs, indexes, projection"},
	{name: "rollups", about: "the same, with the sums by minute and hour", sums: true},
	{name: "oldest_first", about: "the same, oldest first", engine: oldestFirst},
	{name: "no_indexes", about: "order and codecs alone", alter: withoutIndexes},
	{name: "small_granules", about: "index_granularity 2048", engine: newestFirst + " SETTINGS index_granularity = 2048"},
	{name: "fast_codecs", about: "LZ4 in more columns", alter: fastCodecs},
	{name: "two_minutes", about: "two minutes in place of five", engine: twoMinutes},
	{name: "by_hour", about: "an hour in place of five minutes", engine: byHour},
	{name: "by_time", about: "an hour, exporter, interfaces, time", engine: byTime},
	{
		name: "host_order", about: "projections in the order of hosts in place of bloom filters",
		engine: newestFirst + " SETTINGS default_compression_codec = 'ZSTD(1)'", alter: slices.Concat(withoutHostIndex, hostOrder),
	},
}

func designNames() []string {
	var names []string
	for _, d := range designs {
		names = append(names, d.name)
	}
	return names
}

// choose returns the designs of a list of names, in the order of the list.
func choose(list string) ([]design, error) {
	if list == "all" {
		return designs, nil
	}
	var chosen []design
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(designNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("design %q: must be one of %s", name, strings.Join(designNames(), ", "))
		}
		chosen = append(chosen, designs[i])
	}
	return chosen, nil
}
