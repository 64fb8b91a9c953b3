package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

// numbered finds the numbers of a text about information elements: "IE 70-79", and
// what only looks like one, "RFC 5103" and "24 bits".
var numbered = regexp.MustCompile(`(RFC )?\b(\d+)(?:-(\d+))?( bits)?\b`)

// elementsIn returns the numbers of the information elements that a text like "IE 1,
// else 23, 231 + 232" names.
func elementsIn(text string) []int {
	_, text, found := strings.Cut(text, "IE ")
	if !found {
		return nil
	}
	var elements []int
	for _, match := range numbered.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(match[2])
		last := first
		if match[3] != "" {
			last, _ = strconv.Atoi(match[3])
		}
		if match[1] != "" || match[4] != "" || first == 0 { // there is no element 0
			continue
		}
		for element := first; element <= last; element++ {
			elements = append(elements, element)
		}
	}
	return elements
}

// newer are names of elements that goflow2's copy of the registry does not have yet.
var newer = map[int]string{485: "bgpDestinationCommunityList"} // RFC 8549

func elementName(element int) string {
	if name := newer[element]; name != "" {
		return name
	}
	return netflow.IPFIXTypeToString(uint16(element))
}

// elementTable lists the information elements that fields are filled from, by number.
func elementTable(fields []catalog.Field) string {
	filled := map[int][]string{}
	for _, f := range fields {
		for _, element := range elementsIn(f.NetFlow9) {
			if !slices.Contains(filled[element], f.Name) {
				filled[element] = append(filled[element], f.Name)
			}
		}
	}
	var numbers []int
	for element := range filled {
		numbers = append(numbers, element)
	}
	slices.Sort(numbers)
	var table strings.Builder
	table.WriteString("| IE | Name | Fills |\n| --- | --- | --- |\n")
	for _, element := range numbers {
		row := []string{strconv.Itoa(element), elementName(element), strings.Join(filled[element], ", ")}
		table.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return table.String()
}
