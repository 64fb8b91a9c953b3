package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/query"
)

// point is a value of a series at a time.
type point struct {
	at    time.Time
	value float64
}

// series are lines over the same time.
type series struct {
	names  []string           // in the order in which they came
	points map[string][]point // by name
	steps  steps
}

func newSeries(columns []query.Column, rows [][]query.Value, when int, labels, numbers []int) *series {
	s := &series{points: map[string][]point{}}
	var times []time.Time
	for _, row := range rows {
		at, ok := parseTime(row[when])
		if !ok {
			continue // NULL: nowhere on the line
		}
		times = append(times, at)
		prefix := joined(columns, row, labels)
		for _, i := range numbers {
			name := prefix
			if len(numbers) > 1 || len(labels) == 0 {
				name = strings.TrimSpace(prefix + " " + clean(columns[i].Name))
			}
			if _, known := s.points[name]; !known {
				s.names = append(s.names, name)
			}
			s.points[name] = append(s.points[name], point{at, parse(row[i])})
		}
	}
	s.steps = newSteps(times)
	return s
}

// parseTime reads what ClickHouse writes for a date or a time.
func parseTime(v query.Value) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, v.Text); !v.Null && err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// steps divide the time of a result by the smallest distance between two of its times,
// so that a time without a row is a step without a value.
type steps struct {
	first, last time.Time
	each        time.Duration
	months      bool // steps of a month, which are not all of a length
}

func newSteps(times []time.Time) steps {
	if len(times) == 0 {
		return steps{each: time.Second}
	}
	times = slices.Clone(times)
	slices.SortFunc(times, time.Time.Compare)
	s := steps{first: times[0], last: times[len(times)-1], each: time.Second, months: true}
	smallest := time.Duration(0)
	for i, at := range times {
		s.months = s.months && at.Day() == 1 && at.Equal(at.Truncate(24*time.Hour))
		if i == 0 {
			continue
		}
		if distance := at.Sub(times[i-1]); distance > 0 && (smallest == 0 || distance < smallest) {
			smallest = distance
		}
	}
	if smallest > 0 {
		s.each = smallest
	}
	s.months = s.months && s.each >= 28*24*time.Hour
	return s
}

// number returns in which step a time is, from 0.
func (s steps) number(at time.Time) int {
	if s.months {
		return (at.Year()-s.first.Year())*12 + int(at.Month()) - int(s.first.Month())
	}
	return int(at.Sub(s.first) / s.each)
}

// length is how long n steps are, for people.
func (s steps) length(n int) string {
	if s.months {
		if n == 1 {
			return "1 month"
		}
		return fmt.Sprintf("%d months", n)
	}
	d := time.Duration(n) * s.each
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}} {
		if d >= unit.of && d%unit.of == 0 {
			return fmt.Sprintf("%d %s", d/unit.of, unit.name)
		}
	}
	return d.String()
}

// drawSeries draws one line a series: name, sparkline, lowest, highest and last value.
func drawSeries(w io.Writer, s *series, width int) error {
	const amounts = 3
	lines := make([][]string, 0, len(s.names))
	widths := make([]int, 1+amounts)
	for i, title := range []string{"", "min", "max", "last"} {
		widths[i] = len(title)
	}
	for _, name := range s.names {
		line := append([]string{name}, extremes(s.points[name])...)
		for i, text := range line {
			widths[i] = max(widths[i], textWidth(text))
		}
		lines = append(lines, line)
	}
	widths[0] = min(widths[0], max(narrowest, width/3))
	room := max(narrowest, width-widths[0]-widths[1]-widths[2]-widths[3]-(1+amounts)*len(gap))
	count := s.steps.number(s.steps.last) + 1
	perCell := (count + room - 1) / room
	room = (count + perCell - 1) / perCell

	title := fmt.Sprintf("%s to %s, a cell is %s", s.steps.first.Format(time.DateTime), s.steps.last.Format(time.DateTime), s.steps.length(perCell))
	if perCell > 1 {
		title += fmt.Sprintf(", highest of %d", perCell)
	}
	var b strings.Builder
	b.WriteString(cut(title, width) + "\n")
	write := func(line []string, drawing string) {
		b.WriteString(pad(cut(line[0], max(1, widths[0])), widths[0], false) + gap + pad(drawing, room, false))
		for i, text := range line[1:] {
			b.WriteString(gap + pad(text, widths[i+1], true))
		}
		b.WriteString("\n")
	}
	write([]string{"", "min", "max", "last"}, "")
	for i, name := range s.names {
		write(lines[i], sparkline(s.points[name], s.steps, perCell, room))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// extremes returns the lowest, the highest and the last value of a series.
func extremes(points []point) []string {
	lowest, highest, last := math.NaN(), math.NaN(), math.NaN()
	var latest time.Time
	for _, p := range points {
		if math.IsNaN(p.value) {
			continue
		}
		if math.IsNaN(lowest) || p.value < lowest {
			lowest = p.value
		}
		if math.IsNaN(highest) || p.value > highest {
			highest = p.value
		}
		if !p.at.Before(latest) {
			latest, last = p.at, p.value
		}
	}
	if math.IsNaN(lowest) {
		return []string{"-", "-", "-"}
	}
	return []string{amount(lowest), amount(highest), amount(last)}
}

// sparkline draws a series in room cells, from zero (or the lowest value, if that is
// less) to its highest value. A cell shows the highest of its values, and a dot where it
// has none.
func sparkline(points []point, s steps, perCell, room int) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	values := make([]float64, room)
	for i := range values {
		values[i] = math.NaN()
	}
	bottom, top := 0.0, 0.0
	for _, p := range points {
		if math.IsNaN(p.value) || math.IsInf(p.value, 0) {
			continue
		}
		cell := s.number(p.at) / perCell
		if math.IsNaN(values[cell]) || p.value > values[cell] {
			values[cell] = p.value
		}
		bottom, top = min(bottom, p.value), max(top, p.value)
	}
	drawing := make([]rune, room)
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			drawing[i] = '·'
		case top == bottom:
			drawing[i] = blocks[0]
		default:
			drawing[i] = blocks[int(math.Round((v-bottom)/(top-bottom)*float64(len(blocks)-1)))]
		}
	}
	return string(drawing)
}
