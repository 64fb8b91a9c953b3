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
	byHour      = daily + "negate(toUnixTimestamp(toStartOfHour(TimeReceived)))" + neighbours
	byTime      = daily + "toStartOfHour(TimeReceived), SamplerAddress, InIf, OutIf, TimeReceived)"
)

// What NetMeta has besides its order, as changes to a table with neither.
var (
	codecs = []string{
		// Compared and summed by nearly every query: LZ4 is read faster.
		"MODIFY COLUMN TimeReceived CODEC(T64, LZ4), MODIFY COLUMN Bytes CODEC(T64, LZ4), MODIFY COLUMN SamplingRate CODEC(T64, LZ4)",
		"MODIFY COLUMN DstPort CODEC(T64, LZ4), MODIFY COLUMN InIf CODEC(LZ4), MODIFY COLUMN OutIf CODEC(ZSTD(1))",
		// T64 hides from the compression behind it that neighbours have the same number.
		"MODIFY COLUMN SrcAS CODEC(LZ4), MODIFY COLUMN DstAS CODEC(LZ4), MODIFY COLUMN NextHopAS CODEC(ZSTD(1))",
		"MODIFY COLUMN TimeFlowStart CODEC(T64, ZSTD(1)), MODIFY COLUMN TimeFlowEnd CODEC(T64, ZSTD(1)), MODIFY COLUMN SequenceNum CODEC(T64, ZSTD(1))",
	}
	timeIndex = []string{"ADD INDEX IF NOT EXISTS time TimeReceived TYPE minmax GRANULARITY 1"}
	hostIndex = []string{
		"ADD INDEX IF NOT EXISTS source SrcAddr TYPE bloom_filter(0.01) GRANULARITY 1",
		"ADD INDEX IF NOT EXISTS destination DstAddr TYPE bloom_filter(0.01) GRANULARITY 1",
	}
	asIndex = []string{
		"ADD INDEX IF NOT EXISTS source_as SrcAS TYPE set(1000) GRANULARITY 1",
		"ADD INDEX IF NOT EXISTS destination_as DstAS TYPE set(1000) GRANULARITY 1",
	}
	perSecond = []string{`ADD PROJECTION IF NOT EXISTS per_second
		(SELECT TimeReceived, FlowDirection, EType, Proto,
			count(), sum(Bytes * SamplingRate), sum(Bytes * 8 * SamplingRate), sum(Packets * SamplingRate)
		GROUP BY TimeReceived, FlowDirection, EType, Proto)`}

	everything = slices.Concat(codecs, timeIndex, hostIndex, asIndex, perSecond)
)

// designs are all that can be compared. The first is what the others are measured by.
var designs = []design{
	{
		name: "original", about: "NetMeta of 2020 to 2023: by time, no codecs", plain: true,
		engine: "ENGINE = MergeTree PARTITION BY toDate(TimeReceived) ORDER BY (TimeReceived, FlowDirection, SamplerAddress, SrcAS, DstAS, SrcAddr, DstAddr)",
	},
	{name: "netmeta", about: "the schema as it is"},
	{name: "proposed", about: "five minutes, newest first; codecs, indexes, projection", engine: newestFirst, alter: everything},
	{name: "oldest_first", about: "the same, oldest first", engine: oldestFirst, alter: everything},
	{name: "no_indexes", about: "order and codecs alone", engine: newestFirst, alter: codecs},
	{name: "small_granules", about: "index_granularity 2048", engine: newestFirst + " SETTINGS index_granularity = 2048", alter: everything},
	{name: "by_hour", about: "an hour in place of five minutes", engine: byHour, alter: everything},
	{name: "by_time", about: "an hour, exporter, interfaces, time", engine: byTime, alter: everything},
	{
		name: "host_order", about: "projections in the order of hosts in place of bloom filters",
		engine: newestFirst + " SETTINGS default_compression_codec = 'ZSTD(1)'",
		alter: slices.Concat(codecs, timeIndex, asIndex, perSecond, []string{
			"ADD PROJECTION source_order (SELECT _part_offset ORDER BY SrcAddr)",
			"ADD PROJECTION destination_order (SELECT _part_offset ORDER BY DstAddr)",
		}),
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
