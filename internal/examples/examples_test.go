package examples_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/examples"
)

const page = `# Page

**Bold** is not a question.

**Who is it?** Look at the first line.

` + "```sql\nSELECT 1\nWHERE SrcAddr = parseAddress('192.0.2.1') AND Time > now() - 60\n    AND Time >= '2030-05-01 14:03:00' AND Time < '2030-05-01 14:04:00'\n```" + `

More about it.

**And who else?** Another.

` + "```sql\nSELECT SrcPort FROM flows\n```\n\n```sh\ncurl\n```\n"

func TestQuestionsAreReadWithTheirQueries(t *testing.T) {
	all, err := examples.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Question != "Who is it" || all[1] != (examples.Example{Question: "And who else", Query: "SELECT SrcPort FROM flows"}) {
		t.Errorf("got %+v", all)
	}
	if !all[0].Filters() || all[1].Filters() {
		t.Errorf("filters: %v and %v, want true and false", all[0].Filters(), all[1].Filters())
	}
}

func TestQueryIsAskedAtAnotherTime(t *testing.T) {
	all, err := examples.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	query := all[0].At(time.Date(2026, 3, 3, 12, 30, 59, 0, time.UTC))
	for _, want := range []string{"toDateTime(1772541059, 'UTC') - 60", ">= '2026-03-03 12:29:00'", "< '2026-03-03 12:30:00'"} {
		if !strings.Contains(query, want) {
			t.Errorf("%s is missing in %s", want, query)
		}
	}
}

func TestPageThatIsNotInOrderIsRefused(t *testing.T) {
	query := "```sql\nSELECT 1\n```\n"
	for name, test := range map[string]struct{ page, want string }{
		"question without a query": {"**Who?** Nobody.\n\n**What?** This.\n\n" + query, `question "Who": no query follows`},
		"last question":            {"**Who?** Nobody.\n", `question "Who": no query follows`},
		"query without a question": {query, `query "SELECT 1": no question comes before it`},
		"two queries":              {"**Who?** This.\n\n" + query + query, `query "SELECT 1": no question comes before it`},
		"asked twice":              {"**Who?** This.\n\n" + query + "**Who?** That.\n\n" + query, `question "Who": asked twice`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := examples.Parse(test.page); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
