package main

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed intro.md
var introduction string

// areas are the packages in the order of the data path, and what operators call them.
// Packages that are not here follow in the order of their names.
var areas = []struct{ name, title string }{
	{"listen", "Receiving (`listen`)"},
	{"collect", "Collector (`collect`)"},
	{"metrics", "Decoding, all protocols (`metrics`)"},
	{"sflow", "sFlow (`sflow`)"},
	{"netflow", "NetFlow and IPFIX (`netflow`)"},
	{"packet", "Sampled packet headers (`packet`)"},
	{"exporter", "Exporters (`exporter`)"},
	{"flow", "Encoding (`flow`)"},
	{"queue", "Queue to Kafka (`queue`)"},
	{"spool", "Spool on disk (`spool`)"},
	{"output", "Flows in a file instead of Kafka (`output`)"},
	{"broker", "Embedded broker, standalone only (`broker`)"},
	{"chdb", "Embedded ClickHouse, standalone only (`chdb`)"},
}

// shared are labels that the introduction explains, since many metrics have them and
// their values are the same everywhere.
var shared = []string{"protocol", "exporter", "listener", "topic", "unit"}

// mentioned finds the names of metrics in the introduction.
var mentioned = regexp.MustCompile(`\bnetmeta_[a-z0-9_]+\b`)

// write returns the page: intro, and a table for each area.
func write(intro string, metrics []*metric) (string, error) {
	known := map[string]bool{}
	byArea := map[string][]*metric{}
	for _, m := range metrics {
		known[m.name] = true
		byArea[m.area] = append(byArea[m.area], m)
	}
	var problems []error
	for _, name := range mentioned.FindAllString(intro, -1) {
		if !known[name] {
			known[name] = true // is named once
			problems = append(problems, fmt.Errorf("the introduction mentions %s, which no package declares", name))
		}
	}
	var page strings.Builder
	page.WriteString(strings.TrimSpace(intro) + "\n")
	for _, area := range inOrder(byArea) {
		fmt.Fprintf(&page, "\n### %s\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n", area.title)
		of := byArea[area.name]
		slices.SortFunc(of, func(a, b *metric) int { return cmp.Compare(a.name, b.name) })
		for _, m := range of {
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", m.name, m.kind, m.labelCell(), cell(m.help))
		}
		for _, m := range of {
			m.writeMeanings(&page)
		}
	}
	return page.String(), errors.Join(problems...)
}

// inOrder returns the areas that have metrics.
func inOrder(byArea map[string][]*metric) (list []struct{ name, title string }) {
	var others []string
	for name := range byArea {
		others = append(others, name)
	}
	for _, area := range areas {
		if i := slices.Index(others, area.name); i >= 0 {
			others = slices.Delete(others, i, i+1)
			list = append(list, area)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		list = append(list, struct{ name, title string }{name, "`" + name + "`"})
	}
	return list
}

// labelCell names the labels, and their values where the introduction does not.
func (m *metric) labelCell() string {
	var cells []string
	for _, l := range m.labels {
		text := "`" + l.name + "`"
		if len(l.values) > 0 && !slices.Contains(shared, l.name) {
			var values []string
			for _, v := range l.values {
				values = append(values, "`"+v.text+"`")
			}
			text += ": " + strings.Join(values, ", ")
		}
		cells = append(cells, text)
	}
	return strings.Join(cells, "; ")
}

// writeMeanings lists the values of labels that the code explains.
func (m *metric) writeMeanings(page *strings.Builder) {
	for _, l := range m.labels {
		explained := slices.ContainsFunc(l.values, func(v value) bool { return v.meaning != "" })
		if !explained || slices.Contains(shared, l.name) {
			continue
		}
		fmt.Fprintf(page, "\n`%s` of `%s`:\n\n", l.name, m.name)
		for _, v := range l.values {
			if v.meaning != "" {
				fmt.Fprintf(page, "- `%s`: %s\n", v.text, v.meaning)
			}
		}
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
