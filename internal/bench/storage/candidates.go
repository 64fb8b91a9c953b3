//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// designs are all that can be compared. The first is what the others are measured by.
var designs = []design{
	{
		name: "original", about: "NetMeta of 2020 to 2023: by time, no codecs", plain: true,
		engine: "ENGINE = MergeTree PARTITION BY toDate(TimeReceived) ORDER BY (TimeReceived, FlowDirection, SamplerAddress, SrcAS, DstAS, SrcAddr, DstAddr)",
	},
	{name: "netmeta", about: "the schema as it is"},
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
