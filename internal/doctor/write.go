package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// marks are how a level is written.
var marks = map[Level]string{OK: "ok", Warning: "warning", Problem: "PROBLEM", Unknown: "unknown", Skipped: "-"}

// Write writes the report for people: a line for each stage, what else was found below
// it, and what to do at the first problem.
func (r Report) Write(w io.Writer) error {
	var text strings.Builder
	for _, s := range r.Stages {
		fmt.Fprintf(&text, "%-16s %-8s %s\n", s.Title, marks[s.Level], s.Summary)
		for i, f := range s.Findings {
			if i > 0 && f.Level != OK {
				fmt.Fprintf(&text, "%-16s %-8s %s\n", "", marks[f.Level], f.What)
			}
		}
	}
	if s, f := r.begin(); f.What != "" {
		fmt.Fprintf(&text, "\n%s: %s\n", s.Title, f.What)
		if f.Do != "" {
			fmt.Fprintf(&text, "What to do: %s\n", f.Do)
		}
	}
	lines := strings.Split(text.String(), "\n")
	stages := true
	for i, line := range lines {
		stages = stages && line != ""
		lines[i] = wrap(line, stages)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// begin is what to look at first: the first problem, or where there is none, the first
// stage that is not well.
func (r Report) begin() (Stage, Finding) {
	for _, level := range []Level{Problem, Unknown, Warning} {
		for _, s := range r.Stages {
			if s.Level == level {
				return s, s.Findings[0]
			}
		}
	}
	return Stage{}, Finding{}
}

// wrap breaks a line that is longer than a terminal between words.
func wrap(line string, indented bool) string {
	const width = 100
	indent := ""
	if indented {
		indent = strings.Repeat(" ", 26)
	}
	var out strings.Builder
	for utf8.RuneCountInString(line) > width {
		at := strings.LastIndexByte(line[:width], ' ')
		if at <= len(indent) {
			break
		}
		out.WriteString(line[:at] + "\n")
		line = indent + strings.TrimLeft(line[at:], " ")
	}
	return out.String() + line
}
