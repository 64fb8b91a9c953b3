package console

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/dashboard"
)

// fragments are what conditions that try to get out of their brackets consist of.
var fragments = []string{
	"'", `"`, "`", `\`, `\'`, `''`, "(", ")", "[", "]", "),(", ") AS x, (", "--", "/*", "*/", "#", "//", ";", "$$", "$a$", "x'", "b'", "X'41'",
	"{x:String}", "1", "a", " ", "\n", "=", "<", "-", "/", ",", ".", "*", "AND", "OR", "IN", "SELECT", "FROM", "SrcPort = 53", "'it''s'", `'\\'`,
	"’", "‘", "“", "”", "−", "\u00a0", "\u2028", "é", "@", "@@", "::", "->", "?", ":", "0x1", "1e5", "NULL", "INTERVAL 1 DAY", "FORMAT", "SETTINGS", "\\G", "_", "%", "^", "|", "||", "!", "&", "~",
}

// listLength finds how many expressions a statement gives.
var listLength = regexp.MustCompile(`(?m)^   ExpressionList \(children (\d+)\)`)

// TestWhatIsAcceptedStaysInItsBracketsForClickHouse asks ClickHouse's own parser: a
// statement around an accepted condition has the two expressions and the end that it
// has without, or is no statement at all.
func TestWhatIsAcceptedStaysInItsBracketsForClickHouse(t *testing.T) {
	config := bareConfig(t)
	random := rand.New(rand.NewPCG(6, 2030))
	const conditions = 1500
	accepted, parsed, text := 0, 0, ""
	for tries := 0; accepted < conditions; tries++ {
		if tries > 1_000_000 {
			t.Fatalf("only %d conditions of %d were accepted", accepted, tries)
		}
		var b strings.Builder
		for range 1 + random.IntN(7) {
			b.WriteString(fragments[random.IntN(len(fragments))])
		}
		if text = b.String(); dashboard.CheckCondition(text) != nil || strings.TrimSpace(text) == "" {
			continue
		}
		accepted++
		tree := explainAST(t, config, fmt.Sprintf("SELECT (%s), 'sentinel' FROM numbers(1) WHERE (%s) LIMIT 7", text, text))
		if tree == "" {
			continue
		}
		parsed++
		if count := listLength.FindStringSubmatch(tree); count == nil || count[1] != "2" ||
			!strings.Contains(tree, "Literal 'sentinel'") || !strings.Contains(tree, "Literal UInt64_7") {
			t.Errorf("condition %q changes the statement around it:\n%s", text, tree)
		}
	}
	t.Logf("%d conditions were accepted, of which %d make a statement", accepted, parsed)
	if parsed < conditions/20 {
		t.Errorf("only %d of %d conditions make a statement: that proves little", parsed, accepted)
	}
}

// explainAST returns how ClickHouse understands a statement, "" if it does not.
func explainAST(t *testing.T, config Config, sql string) string {
	t.Helper()
	rows, err := config.DB.Query("EXPLAIN AST " + sql)
	if err != nil {
		return ""
	}
	defer rows.Close()
	var tree strings.Builder
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		tree.WriteString(line + "\n")
	}
	if rows.Err() != nil {
		return ""
	}
	return tree.String()
}

// TestHostileValuesComeBackAsTheyAre puts values into a statement in each format, and
// has ClickHouse tell what it understood.
func TestHostileValuesComeBackAsTheyAre(t *testing.T) {
	config := bareConfig(t)
	asker := newAsker(config.ClickHouse)
	d := config.Dashboards[0]
	values := []string{"';--", `\`, `\'`, `\\'`, "it's", `"`, "`", "') OR (1=1", "${host}", "$__timeFilter(x)", "%27", "{a}", "☃ Zürich", "a\tb\nc", strings.Repeat("'\\", 1500)}
	for _, value := range values {
		scope := dashboard.Scope{Dashboard: d, From: unixTime(1), To: unixTime(2), Values: dashboard.Values{"note": {value}}}
		sql, err := scope.Expand(`SELECT decodeURLComponent('${note:percentencode}') AS a, ${note:singlequote} AS b, ${note:sqlstring} AS c`)
		must(t, err)
		got, err := asker.ask(t.Context(), "test", sql, sqlBounds)
		must(t, err)
		options, err := readOptions(got)
		must(t, err)
		if options[0].Value != value || options[0].Text != value {
			t.Errorf("%.50q comes back as %.50q and %.50q", value, options[0].Value, options[0].Text)
		}
	}
}
