//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/leoluk/NetMeta/internal/examples"
)

// page is where the questions of analysts are, for who is at the top of the repository.
const page = "doc/sql.md"

// readDocumented returns the questions of the page as queries, with the words in braces
// that asker fills in. Those that are not about flows are left out.
func readDocumented(t traffic) ([]query, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, fmt.Errorf("read the documented queries (run this at the top of the repository): %w", err)
	}
	all, err := examples.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", page, err)
	}
	var asked []query
	for _, e := range all {
		if otherTable.MatchString(e.Query) {
			continue
		}
		kind := "scan"
		if e.Filters() {
			kind = "filter"
		}
		// Rows of equal rank may come in any order, and sums of floats differ with theirs.
		asked = append(asked, query{name: e.Question, kind: kind, sql: realistic(e.At(t.end())), loose: true})
	}
	return asked, nil
}

var (
	otherTable     = regexp.MustCompile(`\bFROM (interface_counters|interface_traffic|flows_errors|flows_minutes|flows_hours|functions)\b`)
	pagesInterface = regexp.MustCompile(`\b(InIf|OutIf|InputInterface|OutputInterface) = \d+`)
)

// realistic puts what asker finds in the data set in place of what the page has for it.
func realistic(sql string) string {
	sql = pagesInterface.ReplaceAllString(sql, "$1 = {interface}")
	return strings.NewReplacer(
		"parseAddress('192.0.2.1')", "{exporter}",
		"parseAddress('192.0.2.2')", "{exporter}",
		"parseAddress('198.51.100.7')", "{destination}",
		"'198.51.100.0/24'", "concat(toString({netFirst}), '/120')",
		"64502", "{asn}",
	).Replace(sql)
}

// answerable leaves out the queries of columns that the original does not have, if it is
// among the designs. fill fills in the words in braces.
func (s *stage) answerable(ctx context.Context, designs []design, fill *strings.Replacer, queries []query) ([]query, error) {
	if !slices.ContainsFunc(designs, func(d design) bool { return d.plain }) {
		return queries, nil
	}
	var some []query
	for _, q := range queries {
		columns, err := s.reads(ctx, fill.Replace(q.sql))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		if !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(strings.Fields(originalColumns), c) }) {
			some = append(some, q)
		}
	}
	return some, nil
}

var (
	// The staging table is empty: there may be nothing to read.
	readStep   = regexp.MustCompile(`(?s)"Node Type": "(?:ReadFromMergeTree|ReadNothing)".*?"Header": \[(.*?)\]`)
	columnName = regexp.MustCompile(`"Name": "([^"]+)"`)
)

// reads returns the columns of flows_raw that a query reads.
func (s *stage) reads(ctx context.Context, sql string) (columns []string, err error) {
	plan, _, err := s.ask(ctx, staging, "EXPLAIN json = 1, header = 1 "+sql+" FORMAT TabSeparatedRaw",
		map[string]string{"optimize_move_to_prewhere": "0", "optimize_use_projections": "0", "optimize_trivial_count_query": "0"})
	if err != nil {
		return nil, err
	}
	steps := readStep.FindAllStringSubmatch(plan, -1)
	if len(steps) == 0 {
		return nil, fmt.Errorf("the plan of %s reads no table", firstLine(sql))
	}
	for _, step := range steps {
		for _, name := range columnName.FindAllStringSubmatch(step[1], -1) {
			columns = append(columns, name[1])
		}
	}
	return columns, nil
}

// createView creates the view flows over the table of a design. Columns that it does not
// have are empty.
func (s *stage) createView(ctx context.Context, d design) error {
	selected, err := s.text(ctx, staging, "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'flows' FORMAT TabSeparatedRaw")
	if err != nil {
		return err
	}
	missing, err := s.text(ctx, staging, fmt.Sprintf(`SELECT arrayStringConcat(groupArray(concat(', defaultValueOfTypeName(', char(39), replaceAll(type, char(39), concat(char(92), char(39))), char(39), ') AS ', name)))
		FROM (SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'flows_raw' AND default_kind = ''
			AND name NOT IN (SELECT name FROM system.columns WHERE database = '%s' AND table = 'flows_raw') ORDER BY position) FORMAT TabSeparatedRaw`, d.name))
	if err != nil {
		return err
	}
	table := "flows_raw"
	if missing != "" {
		table = "(SELECT *" + missing + " FROM flows_raw) AS flows_raw"
	}
	return s.run(ctx, d.name, "CREATE VIEW flows AS "+strings.ReplaceAll(selected, "FROM "+staging+".flows_raw", "FROM "+table))
}
