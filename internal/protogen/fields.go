package main

import (
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

const flowFile = "FlowMessage.proto"

// fieldPage is a page with all fields of one message.
type fieldPage struct {
	File, Page   string
	Title, Intro string
	Table        string // whose columns the fields are stored in
}

var fieldPages = []fieldPage{
	{
		File: flowFile, Page: "fields.md", Table: "flows_raw",
		Title: "Fields of a FlowMessage",
		Intro: "What a flow holds, where each protocol carries it, and which column stores it; [protocols.md](protocols.md) shows the same by subject. " +
			"IE is an [IANA IPFIX information element](https://www.iana.org/assignments/ipfix/ipfix.xhtml), which NetFlow v9 numbers alike. An empty cell: the protocol does not say.",
	},
	{
		File: "InterfaceCounters.proto", Page: "counters.md", Table: "interface_counters",
		Title: "Fields of an InterfaceCounters",
		Intro: "An interface's own count of its traffic, as sFlow agents send it in counter samples (generic interface counters, sFlow version 5 section 5.3, struct if_counters), and which column stores it. " +
			"The view `interface_traffic` makes rates of the totals.",
	},
	{
		File: "PipelineCounter.proto", Page: "pipeline-counters.md", Table: "pipeline_counters",
		Title: "Fields of a PipelineCounter",
		Intro: "What a collector says of itself every 10 seconds, and which column stores it; [metrics.md](metrics.md) has all metrics. " +
			"The view `pipeline` tells what was passed on from what was lost, and why.",
	},
	{
		File: "Trace.proto", Page: "traces.md", Table: "traces",
		Title: "Fields of a Trace",
		Intro: "A measured path, a traceroute or a ping, as [`netmeta import scamper`](import.md#scamper) reads it, and which column stores it. " +
			"`DESCRIBE traces` has what ClickHouse adds: AS numbers, whether the destination was reached, and in what time.",
	},
}

// column is one column of a page's table; it is left out where no field has text in it.
type column struct {
	title string
	text  func(catalog.Field) string
}

func (p fieldPage) columns() []column {
	return []column{
		{"Number", func(f catalog.Field) string { return strconv.Itoa(f.Number) }},
		{"Field", func(f catalog.Field) string { return f.Name }},
		{"Column of `" + p.Table + "`", columnText},
		{"Meaning", func(f catalog.Field) string { return f.Meaning }},
		{"Unit", func(f catalog.Field) string { return f.Unit }},
		{"sFlow", func(f catalog.Field) string { return f.SFlow }},
		{"NetFlow v5", func(f catalog.Field) string { return f.NetFlow5 }},
		{"NetFlow v9, IPFIX", func(f catalog.Field) string { return f.NetFlow9 }},
	}
}

// columnText is the name of the column that stores a field, as readers see it.
func columnText(f catalog.Field) string {
	switch {
	case f.Column == "":
		return "not stored"
	case f.Implied:
		return "implied by " + f.Column
	}
	return f.Column
}

func (p fieldPage) render(fields []catalog.Field) (string, error) {
	var page strings.Builder
	page.WriteString("# " + p.Title + "\n\n")
	page.WriteString("<!-- Made from pb/" + p.File + " by go generate ./pb: change it there. -->\n\n")
	page.WriteString(p.Intro + "\n\n")
	writeTable(&page, p.columns(), fields)
	return page.String(), nil
}

// writeTable writes a Markdown table with one row for each field.
func writeTable(page *strings.Builder, columns []column, fields []catalog.Field) {
	var used []column
	for _, c := range columns {
		for _, f := range fields {
			if c.text(f) != "" {
				used = append(used, c)
				break
			}
		}
	}
	row := func(cell func(column) string) {
		for _, c := range used {
			page.WriteString("| " + cell(c) + " ")
		}
		page.WriteString("|\n")
	}
	row(func(c column) string { return c.title })
	row(func(column) string { return "---" })
	for _, f := range fields {
		row(func(c column) string { return c.text(f) })
	}
}
