package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

func TestNumbersOfElementsAreToldFromOthers(t *testing.T) {
	for text, want := range map[string][]int{
		"IE 1, else 23, 231 + 232; in reverse (RFC 5103)": {1, 23, 231, 232},
		"the last of IE 70-72 in front of one that is 0":  {70, 71, 72},
		"IE 351 (lower 24 bits)":                          {351},
		"source id (v9)":                                  nil,
		"IE 485, a basicList (RFC 6313)":                  {485},
	} {
		if got := elementsIn(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestElementsAreNamedWithTheFieldsThatTheyFill(t *testing.T) {
	got := elementTable([]catalog.Field{
		{Name: "SrcPort", NetFlow9: "IE 7, 182"},
		{Name: "Other", NetFlow9: "IE 7 (upper byte), else 7 (lower byte)"},
	})
	want := "| 7 | sourceTransportPort | SrcPort, Other |\n| 182 | tcpSourcePort | SrcPort |\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant at the end\n%s", got, want)
	}
}

func TestEveryElementThatFillsAFieldHasAName(t *testing.T) {
	for line := range strings.Lines(elementTable(flowFields(t))) {
		if cells := strings.Split(line, " | "); len(cells) != 3 || cells[1] == "" || cells[1] == "Unassigned" {
			t.Errorf("element without a name: %s", line)
		}
	}
}
