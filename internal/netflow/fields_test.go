package netflow

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	oracle "github.com/netsampler/goflow2/v2/decoders/netflow"
)

var (
	sourceLine  = regexp.MustCompile(`// v9/IPFIX: (.*)`)
	elementList = regexp.MustCompile(`IE \d+(?:-\d+)?(?:(?:, | \+ |, else | with )\d+(?:-\d+)?)*`)
	elementSpan = regexp.MustCompile(`(\d+)(?:-(\d+))?`)
)

// documented returns the elements that the comments of the definitions name.
func documented(t *testing.T) map[int]bool {
	t.Helper()
	var proto []byte
	for _, name := range []string{"FlowMessage", "InterfaceCounters"} {
		text, err := os.ReadFile("../../pb/" + name + ".proto")
		if err != nil {
			t.Fatal(err)
		}
		proto = append(proto, text...)
	}
	ids := map[int]bool{}
	for _, line := range sourceLine.FindAllSubmatch(proto, -1) {
		for _, list := range elementList.FindAll(line[1], -1) {
			for _, span := range elementSpan.FindAllSubmatch(list, -1) {
				first, _ := strconv.Atoi(string(span[1]))
				last := first
				if len(span[2]) > 0 {
					last, _ = strconv.Atoi(string(span[2]))
				}
				for id := first; id <= last; id++ {
					ids[id] = true
				}
			}
		}
	}
	return ids
}

func TestElementsThatAreReadAreThoseThatAreDocumented(t *testing.T) {
	read := map[int]bool{}
	for id, e := range elements {
		if e.to != nil {
			read[id] = true
		}
	}
	equal(t, slices.Sorted(maps.Keys(documented(t))), slices.Sorted(maps.Keys(read)))
}

func TestElementsHaveTheNamesOfTheRegistry(t *testing.T) {
	const newest = 433 // that goflow2 has names of
	for id, e := range elements[:newest] {
		if e.to == nil {
			continue
		}
		if name := oracle.IPFIXTypeToString(uint16(id)); name != e.name {
			t.Errorf("element %d is called %s, in the registry %s", id, e.name, name)
		}
	}
}
