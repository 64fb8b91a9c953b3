package table

import (
	"fmt"
	"io"
	"strings"

	"github.com/leoluk/NetMeta/internal/query"
)

const (
	gap       = "  " // between columns
	narrowest = 8    // cells to which a column of text is cut, not further
)

// Write draws rows as a table that is at most width cells wide; 0 is no limit. Long
// texts are cut to fit; numbers, times and addresses never are. Where that is not enough, each row
// becomes a record, with one line for each column.
func Write(w io.Writer, columns []query.Column, rows [][]query.Value, width int) error {
	if len(columns) == 0 {
		return nil
	}
	g := newGrid(columns, rows)
	text := ""
	if g.fit(width) {
		text = g.table()
	} else {
		text = g.records(width)
	}
	_, err := io.WriteString(w, text)
	return err
}

// grid is a table as text.
type grid struct {
	names  []string
	cells  [][]string
	kinds  []kind
	widths []int
	whole  []bool // columns that are not cut
}

func newGrid(columns []query.Column, rows [][]query.Value) *grid {
	g := &grid{}
	for _, c := range columns {
		name := clean(c.Name)
		g.names = append(g.names, name)
		g.kinds = append(g.kinds, kindOf(c))
		plain := plainType(c.Type)
		g.whole = append(g.whole, kindOf(c) != label || plain == "IPv6" || plain == "IPv4")
		g.widths = append(g.widths, textWidth(name))
	}
	for _, row := range rows {
		texts := make([]string, len(row))
		for i, value := range row {
			texts[i] = show(columns[i], value)
			g.widths[i] = max(g.widths[i], textWidth(texts[i]))
		}
		g.cells = append(g.cells, texts)
	}
	return g
}

// fit narrows the widest columns of text until the table is at most width cells wide.
// It returns false where that cannot be.
func (g *grid) fit(width int) bool {
	if width <= 0 {
		return true
	}
	total := len(gap) * (len(g.widths) - 1)
	for _, w := range g.widths {
		total += w
	}
	for total > width {
		widest := -1
		for i, w := range g.widths {
			if !g.whole[i] && w > narrowest && (widest < 0 || w > g.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		g.widths[widest]--
		total--
	}
	return true
}

func (g *grid) table() string {
	var b strings.Builder
	rules := make([]string, len(g.widths))
	for i, w := range g.widths {
		rules[i] = strings.Repeat("─", w)
	}
	for _, line := range append([][]string{g.names, rules}, g.cells...) {
		for i, text := range line {
			line[i] = pad(cut(text, max(1, g.widths[i])), g.widths[i], g.kinds[i] == number)
		}
		b.WriteString(strings.TrimRight(strings.Join(line, gap), " ") + "\n")
	}
	return b.String()
}

func (g *grid) records(width int) string {
	var b strings.Builder
	widest := 0
	for _, name := range g.names {
		widest = max(widest, textWidth(name))
	}
	widest = min(widest, max(narrowest, width/2))
	for i, row := range g.cells {
		title := fmt.Sprintf("row %d ", i+1)
		b.WriteString(title + strings.Repeat("─", max(0, width-len(title))) + "\n")
		for column, text := range row {
			name := pad(cut(g.names[column], widest), widest, false)
			text = cut(text, max(narrowest, width-widest-len(gap)))
			b.WriteString(strings.TrimRight(name+gap+text, " ") + "\n")
		}
	}
	return b.String()
}
