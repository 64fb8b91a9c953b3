package console

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// level says how a stage is doing.
type level string

const (
	levelIdle level = "idle" // nothing has come by yet
	levelOK   level = "ok"
	levelWarn level = "warn" // something is lost or late
	levelBad  level = "bad"  // most is lost, or nothing gets through
)

var severity = map[level]int{levelIdle: 0, levelOK: 1, levelWarn: 2, levelBad: 3}

// pipeline is the state of the data path: its stages in the order in which flows
// pass them.
type pipeline struct {
	Refresh float64 `json:"refresh"`
	Level   level   `json:"level"` // of the worst stage
	// Summary is the state in one sentence.
	Summary string  `json:"summary"`
	Empty   bool    `json:"empty"` // no flow is stored
	Stages  []stage `json:"stages"`
}

// stage is one step of the data path.
type stage struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Unit  string `json:"unit"` // of Total, in the plural, and since when it is counted
	Level level  `json:"level"`
	// Advice says what is wrong and what to do; empty where nothing is.
	Advice  string   `json:"advice,omitempty"`
	Total   *float64 `json:"total"`
	Rate    *float64 `json:"rate"` // per second
	Details []figure `json:"details"`
	Losses  []figure `json:"losses"` // by reason; only what has been lost
}

// figure is one number with a name.
type figure struct {
	Label string   `json:"label"`
	Value float64  `json:"value"`
	Rate  *float64 `json:"rate,omitempty"` // per second
	Unit  string   `json:"unit,omitempty"` // bytes or seconds; a count otherwise
}

// blame raises the stage's level to at least l; the advice of the worst is kept.
func (s *stage) blame(l level, advice string) {
	if severity[l] > severity[s.Level] || s.Advice == "" {
		s.Advice = advice
	}
	if severity[l] > severity[s.Level] {
		s.Level = l
	}
}

// assess turns readings into the state of every stage. It is a pure function of
// the snapshots, so that a table of tests can say what each situation looks like.
func assess(t trend, listeners []Listener) pipeline {
	p := pipeline{Stages: []stage{
		assessDatagrams(t, listeners),
		assessRecords(t),
		assessKafka(t),
		assessRows(t),
	}}
	p.Empty = t.now().storedErr == nil && t.now().stored.rows == 0
	p.Level, p.Summary = summarise(t, p.Stages, p.Empty)
	return p
}

func summarise(t trend, stages []stage, empty bool) (level, string) {
	worst := slices.MaxFunc(stages, func(a, b stage) int { return severity[a.Level] - severity[b.Level] })
	switch {
	case worst.Level == levelBad:
		return levelBad, titlesAt(stages, levelBad) + ": needs attention"
	case t.now().readyErr != nil:
		return levelWarn, fmt.Sprintf("Not ready: %v", t.now().readyErr)
	case worst.Level == levelWarn:
		return levelWarn, titlesAt(stages, levelWarn) + ": something is lost or late"
	case empty:
		return levelIdle, "Waiting for the first flow"
	case worst.Level == levelIdle || stages[0].Level == levelIdle:
		return levelIdle, "Nothing received since the start"
	}
	return levelOK, "Receiving, nothing lost in the last minute"
}

// titlesAt names the stages that are at l, in the order of the data path.
func titlesAt(stages []stage, l level) string {
	var titles []string
	for _, s := range stages {
		if s.Level == l {
			titles = append(titles, s.Title)
		}
	}
	return strings.Join(titles, ", ")
}

// byLabels lists the series of metric that are not zero, biggest first. name makes
// a label for people from the label values.
func byLabels(t trend, metric string, name func(labels string) string) []figure {
	return byReading(t, metric, func(labels string) reading { return ofSeries(metric, labels) }, name)
}

// byReading lists a reading for each series of metric, as byLabels does.
func byReading(t trend, metric string, of func(labels string) reading, name func(labels string) string) []figure {
	figures := []figure{}
	for _, labels := range slices.Sorted(maps.Keys(t.now().counters[metric])) {
		series := of(labels)
		if value, _ := series(t.now()); value != 0 {
			figures = append(figures, figure{Label: name(labels), Value: value, Rate: t.rate(series)})
		}
	}
	slices.SortStableFunc(figures, func(a, b figure) int { return cmp.Compare(b.Value, a.Value) })
	return figures
}

// mostly reports whether more than a tenth of what came by in the last minute was lost.
func mostly(lost, passed float64) bool { return lost > 0 && lost*9 > passed }

// seconds writes a duration as people say it.
func seconds(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		return strings.TrimSuffix(text, "0s")
	}
	return text
}
