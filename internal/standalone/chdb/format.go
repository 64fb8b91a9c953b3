package chdb

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	// formatClause finds the FORMAT clause of a statement, which ends it but for SETTINGS.
	formatClause = regexp.MustCompile(`(?is)\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^']*)?;?\s*$`)
	// formatWord finds what may be a FORMAT clause that is not at the end, before a
	// comment for example.
	formatWord = regexp.MustCompile(`(?i)\bFORMAT\s`)
)

// OutputFormat returns the format that the output of q will have, as far as its text
// tells, and whether that is certain.
func (q Query) OutputFormat() (format string, certain bool) {
	format = q.Format
	if format == "" {
		format = "TabSeparated"
	}
	if inserting.Match(q.SQL) {
		return format, true
	}
	if match := formatClause.FindSubmatch(q.SQL); match != nil {
		return string(match[1]), true
	}
	return format, !formatWord.Match(q.SQL)
}

// headerLines are the formats whose output can be handed out in pieces, with the
// number of lines that stand before the rows. libchdb writes every piece as if it
// were all of the output: with a header, and what JSON and others have behind it.
// Formats that are not here are handed out as a whole.
var headerLines = map[string]int{
	"TabSeparated": 0, "TSV": 0, "TabSeparatedRaw": 0, "TSVRaw": 0,
	"TabSeparatedWithNames": 1, "TSVWithNames": 1, "TabSeparatedWithNamesAndTypes": 2, "TSVWithNamesAndTypes": 2,
	"CSV": 0, "CSVWithNames": 1, "CSVWithNamesAndTypes": 2,
	"JSONEachRow": 0, "JSONLines": 0, "NDJSON": 0, "JSONStringsEachRow": 0,
	"JSONCompactEachRow": 0, "JSONCompactEachRowWithNames": 1, "JSONCompactEachRowWithNamesAndTypes": 2,
	"JSONCompactStringsEachRow": 0, "JSONCompactStringsEachRowWithNames": 1, "JSONCompactStringsEachRowWithNamesAndTypes": 2,
	"Native": 0, "RowBinary": 0, "RawBLOB": 0, "LineAsString": 0, "Null": 0,
}

// header takes the header off every piece of a stream but the first.
type header struct {
	lines  int
	quotes bool   // a line feed between double quotes ends no line; elsewhere it is escaped
	text   []byte // nil before the first piece
}

func newHeader(format string, lines int) header {
	return header{lines: lines, quotes: strings.HasPrefix(format, "CSV")}
}

// strip returns piece without the header if an earlier piece had it.
func (h *header) strip(piece []byte) []byte {
	if h.lines == 0 || len(piece) == 0 {
		return piece
	}
	if h.text == nil {
		h.text = bytes.Clone(piece[:h.end(piece)])
		return piece
	}
	return bytes.TrimPrefix(piece, h.text)
}

// end returns where the header of piece ends.
func (h *header) end(piece []byte) int {
	lines, inside := 0, false
	for i, c := range piece {
		switch {
		case c == '"' && h.quotes:
			inside = !inside
		case c == '\n' && !inside:
			if lines++; lines == h.lines {
				return i + 1
			}
		}
	}
	return len(piece)
}
