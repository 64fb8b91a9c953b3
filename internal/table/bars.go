package table

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/query"
)

// ErrNothingToDraw is returned for results without numbers.
var ErrNothingToDraw = errors.New("a sparkline needs a column of numbers (traffic as a number, not by formatReadableSize: units are added), and a Date or DateTime column for the time, or names for bars; --output table shows any result")

// Draw draws rows in at most width cells: with a column of times as sparklines, one line
// for each series; names with one number each as bars. Other results are an error that
// says what is needed.
func Draw(w io.Writer, columns []query.Column, rows [][]query.Value, width int) error {
	var moments, numbers, labels []int
	for i, c := range columns {
		switch kindOf(c) {
		case moment:
			moments = append(moments, i)
		case number:
			numbers = append(numbers, i)
		case label:
			labels = append(labels, i)
		}
	}
	if len(moments) > 0 {
		// Further times tell series apart, as names do.
		labels = append(labels, moments[1:]...)
	} else if len(labels) == 0 && len(numbers) == 2 {
		labels, numbers = numbers[:1], numbers[1:] // AS or port numbers
	}
	switch {
	case len(rows) == 0 && len(columns) > 0:
		return nil
	case len(moments) > 0 && len(numbers) > 0:
		return drawSeries(w, newSeries(columns, rows, moments[0], labels, numbers), width)
	case len(moments) == 0 && len(labels) > 0 && len(numbers) == 1:
		return drawBars(w, columns, rows, labels, numbers[0], width)
	case len(moments) == 0 && len(numbers) > 1:
		return fmt.Errorf("the result has no Date or DateTime column, and %d columns of numbers: %w", len(numbers), ErrNothingToDraw)
	}
	return ErrNothingToDraw
}

// drawBars draws one bar a row: name, bar, amount.
func drawBars(w io.Writer, columns []query.Column, rows [][]query.Value, labels []int, value, width int) error {
	names, amounts, values := make([]string, len(rows)), make([]string, len(rows)), make([]float64, len(rows))
	widestName, widestAmount, highest := 0, 0, 0.0
	for i, row := range rows {
		names[i] = joined(columns, row, labels)
		values[i] = parse(row[value])
		if amounts[i] = amount(values[i]); row[value].Null {
			amounts[i] = "NULL"
		}
		widestName, widestAmount = max(widestName, textWidth(names[i])), max(widestAmount, textWidth(amounts[i]))
		if values[i] > highest && !math.IsInf(values[i], 1) {
			highest = values[i]
		}
	}
	widestName = min(widestName, max(narrowest, width/2))
	room := max(narrowest, width-widestName-widestAmount-2*len(gap))
	for i, name := range names {
		line := pad(cut(name, max(1, widestName)), widestName, false) + gap + pad(amounts[i], widestAmount, true) + gap + bar(values[i], highest, room)
		if _, err := io.WriteString(w, strings.TrimRight(line, " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// bar draws v in at most room cells, of which highest fills all. What is not zero can
// be seen.
func bar(v, highest float64, room int) string {
	if !(v > 0) || highest <= 0 {
		return ""
	}
	eighths := max(1, int(math.Round(min(v/highest, 1)*float64(room)*8)))
	parts := []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}
	return strings.Repeat("█", eighths/8) + parts[eighths%8]
}

// joined returns the values of some columns as the name of a row.
func joined(columns []query.Column, row []query.Value, which []int) string {
	var names []string
	for _, i := range which {
		if name := show(columns[i], row[i]); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// parse returns a number, NaN for none.
func parse(v query.Value) float64 {
	n, err := strconv.ParseFloat(v.Text, 64)
	if v.Null || err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN()
	}
	return n
}
