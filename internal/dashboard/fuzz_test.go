package dashboard

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// hostile are values that try to get out of a string, or of brackets.
var hostile = []string{
	"';--", `\`, `\\'`, `'`, `"`, "`", `\' OR 1=1 --`, "1) OR (1=1", "1; DROP TABLE flows_raw", "/*", "*/", "--", "#",
	"$$", "$__timeFilter(x)", "${host}", "$host", "%27", "%5C%27", "{a,b}", "a,b", "x'27'", "‘", "’) OR (’", "\x00", "\xff", "\n",
	"☃", ".*", "(?i)[a-z]+$", "](", "')", "'||sleep(3)||'", "{x:String}", "1 UNION ALL SELECT 1", "a' AND x = 'b", `a\`, "\u2028", "",
	"SrcPort = 53 AND x = 'it''s'", "(`a` = \"b\") AND [1]",
}

var (
	encoded  = regexp.MustCompile(`^SELECT f\('([A-Za-z0-9_.~%-]*)'\) FROM t$`)
	literal  = regexp.MustCompile(`(?s)^SELECT f\(('(?:[^'\\]|\\.)*')\) FROM t$`)
	harmless = regexp.MustCompile(`^SELECT f\('[A-Za-z0-9_.:/ ]*'\) FROM t$`)
)

// FuzzExpand promises that no value ends the string that it is put into, whatever
// its format, and that the formats keep it.
func FuzzExpand(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	d := testDashboard(f)
	f.Fuzz(func(t *testing.T, value string) {
		scope := testScope(t, Values{"note": {value}, "host": {value}, "exporter": {value}})
		scope.Dashboard = d
		if out, err := scope.Expand(`SELECT f('${note:percentencode}') FROM t`); err == nil {
			m := encoded.FindStringSubmatch(out)
			if m == nil {
				t.Fatalf("%q is not kept within the string: %s", value, out)
			}
			if back, err := url.PathUnescape(m[1]); err != nil || back != value && strings.TrimSpace(value) != "" {
				t.Errorf("%q comes back as %q, %v", value, back, err)
			}
		}
		if out, err := scope.Expand(`SELECT f(${note:sqlstring}) FROM t`); err == nil && strings.TrimSpace(value) != "" {
			m := literal.FindStringSubmatch(out)
			if m == nil {
				t.Fatalf("%q is not kept within the string: %s", value, out)
			}
			if back := unquote(m[1]); back != value {
				t.Errorf("%q comes back as %q", value, back)
			}
		}
		for _, format := range []string{"$note", "${note:raw}", "${exporter:csv}", "${exporter:text}", "${host:raw}"} {
			out, err := scope.Expand(`SELECT f('` + format + `') FROM t`)
			if err == nil && !harmless.MatchString(out) && strings.TrimSpace(value) != "" && format != "${host:raw}" {
				t.Errorf("%s of %q: %s", format, value, out)
			}
			if err == nil && strings.ContainsAny(value, `'\`) {
				t.Errorf("%s takes %q", format, value)
			}
		}
	})
}

func unquote(literal string) string {
	var b strings.Builder
	inside := literal[1 : len(literal)-1]
	for i := 0; i < len(inside); i++ {
		if inside[i] == '\\' {
			i++
		}
		b.WriteByte(inside[i])
	}
	return b.String()
}

// quotedText is a string or a quoted name of ClickHouse. It is written differently
// from CheckCondition, so that the two do not share a mistake.
var quotedText = regexp.MustCompile(`(?s)'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|` + "`(?:[^`\\\\]|``|\\\\.)*`")

// FuzzCheckCondition promises that what is accepted ends neither the brackets around
// it nor the statement.
func FuzzCheckCondition(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckCondition(text) != nil {
			return
		}
		plain := quotedText.ReplaceAllString(text, " Q ")
		if i := strings.IndexAny(plain, "'\"`;#$\\{}"); i >= 0 {
			t.Fatalf("%q lets %q through", text, plain[i:i+1])
		}
		for _, comment := range []string{"--", "/*", "//"} {
			if strings.Contains(plain, comment) {
				t.Fatalf("%q lets %q through", text, comment)
			}
		}
		for strings.ContainsAny(plain, "()[]") {
			inner := regexp.MustCompile(`\([^()\[\]]*\)|\[[^()\[\]]*\]`)
			less := inner.ReplaceAllString(plain, " ")
			if less == plain {
				t.Fatalf("%q is not balanced", text)
			}
			plain = less
		}
	})
}
