// Package doctor walks the path of flows from the UDP socket to the dashboard and says
// at which stage they stop, why, and what to do.
//
// Gather reads the facts from whatever servers it is told about, without changing any
// of them; Diagnose, which is pure, makes findings of the facts.
package doctor

import (
	"slices"
	"strings"
)

// Level says how a stage does.
type Level string

// Levels, from the best to the worst.
const (
	Skipped Level = "skipped" // it was not said where to look
	OK      Level = "ok"
	Warning Level = "warning" // something is lost, late or wrong, but flows get through
	Unknown Level = "unknown" // it could not be examined
	Problem Level = "problem" // flows stop here, or much is lost
)

var severity = []Level{Skipped, OK, Warning, Unknown, Problem}

// worse returns the worse of two levels.
func worse(a, b Level) Level {
	return severity[max(slices.Index(severity, a), slices.Index(severity, b))]
}

// Finding is one thing that was seen, in words for people.
type Finding struct {
	Level Level  `json:"level"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // what to do about it; empty where nothing is to be done
}

// Stage is one step on the way of a flow.
type Stage struct {
	ID       string    `json:"id"` // one of sockets, decoding, exporters, queue, kafka, clickhouse, console, grafana, probe
	Title    string    `json:"title"`
	Level    Level     `json:"level"`   // of the worst finding
	Summary  string    `json:"summary"` // the worst finding; where all is well, all of them
	Findings []Finding `json:"findings"`
}

// Report is the diagnosis.
type Report struct {
	Level  Level   `json:"level"`           // of the worst stage
	First  string  `json:"first,omitempty"` // ID of the first stage with a problem: where to begin
	Stages []Stage `json:"stages"`          // in the order in which flows pass them
}

// Diagnose makes findings of facts.
func Diagnose(f Facts) Report {
	r := Report{Level: Skipped}
	stages := []*Stage{
		diagnoseSockets(f), diagnoseDecoding(f), diagnoseExporters(f), diagnoseQueue(f),
		diagnoseKafka(f), diagnoseClickHouse(f), diagnosePage("console", "Console", "--console", f.Console),
		diagnosePage("grafana", "Grafana", "--grafana", f.Grafana),
	}
	if f.Probe != nil {
		stages = append(stages, diagnoseProbe(*f.Probe))
	}
	for _, s := range stages {
		s.settle()
		r.Level = worse(r.Level, s.Level)
		if s.Level == Problem && r.First == "" {
			r.First = s.ID
		}
		r.Stages = append(r.Stages, *s)
	}
	return r
}

// add adds a finding.
func (s *Stage) add(l Level, what, do string) {
	s.Findings = append(s.Findings, Finding{Level: l, What: what, Do: do})
}

// skip says which flag would have the stage examined.
func (s *Stage) skip(flag string) *Stage {
	s.add(Skipped, "not examined: give "+flag, "")
	return s
}

// settle sets level and summary by the findings, of which the worst come first.
func (s *Stage) settle() {
	slices.SortStableFunc(s.Findings, func(a, b Finding) int {
		return slices.Index(severity, b.Level) - slices.Index(severity, a.Level)
	})
	if len(s.Findings) == 0 {
		s.add(OK, "nothing is wrong", "")
	}
	s.Level, s.Summary = s.Findings[0].Level, s.Findings[0].What
	if s.Level == OK {
		var all []string
		for _, f := range s.Findings {
			all = append(all, f.What)
		}
		s.Summary = strings.Join(all, "; ")
	}
}
