// Package table draws results of queries on a terminal: as tables, as sparklines, as
// bars.
package table

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean returns text as one line in which nothing moves the cursor, changes colours or
// the direction of writing: what a table shows may come from anybody.
func clean(text string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) || r == '\u00a0' }
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case plain(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// cells is how many cells of a terminal r takes.
func cells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// textWidth is how many cells of a terminal a clean text takes.
func textWidth(text string) (n int) {
	for _, r := range text {
		n += cells(r)
	}
	return n
}

// cut returns text in at most limit cells, with … where the rest was; limit is at
// least 1.
func cut(text string, limit int) string {
	if textWidth(text) <= limit {
		return text
	}
	n := 0
	for i, r := range text {
		if n += cells(r); n > limit-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// pad fills text up to limit cells, at its left side if right is set.
func pad(text string, limit int, right bool) string {
	spaces := strings.Repeat(" ", max(0, limit-textWidth(text)))
	if right {
		return spaces + text
	}
	return text + spaces
}
