package dashboard

import (
	"fmt"
	"strings"
)

// A format writes the values of a variable into a statement: ${name:format}.
type format func(v *Variable, values []string) (string, error)

// formats are those of Grafana that dashboards use. Where Grafana's would let a
// value end the string that it is in, these write the same for harmless values and
// keep the others within.
var formats = map[string]format{
	"":              list,
	"csv":           list,
	"raw":           raw,
	"text":          list,
	"percentencode": percentEncoded,
	"singlequote":   quoted,
	"sqlstring":     quoted,
	"queryparam":    queryParameter,
}

// percentEncoded leaves only letters, digits and -_.~ as they are. Several values
// become {a,b} before, as in Grafana, also where only one of several is chosen.
func percentEncoded(v *Variable, values []string) (string, error) {
	text := strings.Join(values, ",")
	if v.Multi {
		text = "{" + text + "}"
	}
	return percentEncode(text), nil
}

func percentEncode(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; isWord(c) || strings.IndexByte("-.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isWord reports whether c can be part of a name.
func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// list writes values as they are, with commas between: only those that cannot mean
// anything in SQL but themselves.
func list(v *Variable, values []string) (string, error) {
	for _, value := range values {
		if i := strings.IndexFunc(value, func(r rune) bool {
			return r >= 0x80 || !isWord(byte(r)) && !strings.ContainsRune(".:/ ", r)
		}); i >= 0 {
			return "", &ValueError{v.Name, fmt.Sprintf("%q must consist of letters, digits and _.:/ only", shorten(value))}
		}
	}
	return strings.Join(values, ","), nil
}

// raw writes a condition, which Check has looked at, as it is. Other variables are
// written so only if they cannot do harm.
func raw(v *Variable, values []string) (string, error) {
	if kindOf(v) != kindCondition {
		return list(v, values)
	}
	return strings.Join(values, " AND "), nil
}

// quoted writes 'a','b'. In ClickHouse the backslash escapes as well.
func quoted(_ *Variable, values []string) (string, error) {
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = "'" + escape.Replace(value) + "'"
	}
	return strings.Join(parts, ","), nil
}

func queryParameter(v *Variable, values []string) (string, error) {
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = "var-" + v.Name + "=" + percentEncode(value)
	}
	return strings.Join(parts, "&"), nil
}
