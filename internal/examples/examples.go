// Package examples reads the questions of doc/sql.md and their queries, for those who
// run them all: the tests and the benchmark.
package examples

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Example is a question with its query.
type Example struct {
	Question string // without the question mark
	Query    string // for ClickHouse; without an end
}

// At returns the query as if it were asked at another time: now() is that time, and the
// minute of the page, 2030-05-01 14:03, is the last full minute before it.
func (e Example) At(t time.Time) string {
	minute := t.UTC().Truncate(time.Minute)
	return strings.NewReplacer(
		"now()", fmt.Sprintf("toDateTime(%d, 'UTC')", t.Unix()),
		"'2030-05-01 14:03:00'", minute.Add(-time.Minute).Format("'"+time.DateTime+"'"),
		"'2030-05-01 14:04:00'", minute.Format("'"+time.DateTime+"'"),
	).Replace(e.Query)
}

var (
	questionOrQuery = regexp.MustCompile("(?ms)^\\*\\*([^*\n]+)\\?\\*\\*|^```sql\n(.*?)^```$")
	// filter matches what only a few flows pass: a host, a network, a port, an AS number,
	// an interface, an exporter.
	filter = regexp.MustCompile(`(?s)WHERE.*?(parseAddress\(|isInNetwork\(|\b(SrcPort|DstPort)\s+(=|IN)|\b(SrcAS|DstAS|ASPath\[1\])\s+=\s+\d)`)
)

// Filters tells whether the query asks for few of the flows of its time range, those of
// a host for example, rather than for all.
func (e Example) Filters() bool { return filter.MatchString(e.Query) }

// Parse returns the questions of a page in Markdown, in its order. A question is bold, at
// the beginning of a paragraph, and its query follows as a block of SQL. Parse fails if a
// question has no query, a query no question, or two questions are the same.
func Parse(page string) ([]Example, error) {
	var all []Example
	question, seen := "", map[string]bool{}
	for _, match := range questionOrQuery.FindAllStringSubmatch(page, -1) {
		switch asked, query := match[1], match[2]; {
		case asked != "" && question != "":
			return nil, fmt.Errorf("question %q: no query follows", question)
		case asked != "" && seen[asked]:
			return nil, fmt.Errorf("question %q: asked twice", asked)
		case asked != "":
			question, seen[asked] = asked, true
		case question == "":
			return nil, fmt.Errorf("query %q: no question comes before it", firstLine(query))
		default:
			all = append(all, Example{Question: question, Query: strings.TrimSpace(query)})
			question = ""
		}
	}
	if question != "" {
		return nil, fmt.Errorf("question %q: no query follows", question)
	}
	return all, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
