// Package alert evaluates alert rules in Grafana's provisioning format, so that the
// rules that Grafana has in a cluster also work without it.
//
// A rule asks a statement whose rows have labels, in columns of text, and one number.
// Each set of labels is an instance, which is pending and then firing while its
// number meets the rule's condition.
package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A State is what an instance, or a rule as its worst instance, is in.
type State string

// States, the best one first.
const (
	OK      State = "ok"
	NoData  State = "nodata"  // there was no row, where there should be
	Pending State = "pending" // the condition is met, not for long enough yet
	Error   State = "error"   // the rule could not be evaluated
	Firing  State = "firing"
)

// States in the order of their severity.
var States = []State{OK, NoData, Pending, Error, Firing}

func worse(a, b State) State {
	if slices.Index(States, b) > slices.Index(States, a) {
		return b
	}
	return a
}

// A Rule is one rule as it was read.
type Rule struct {
	UID, Title string
	Group      string
	Every      time.Duration // between evaluations
	SQL        string        // with the macros of Grafana's data source
	// From and To are how long before now the time range begins and ends.
	From, To  time.Duration
	Condition Condition
	// For is how long the condition is met before an instance fires, KeepFiring how long
	// an instance fires after it was met for the last time.
	For, KeepFiring time.Duration
	// OnNoData and OnError are OK, Firing, NoData or Error; empty: leave it as it was.
	OnNoData, OnError State
	Labels            map[string]string
	Annotations       map[string]string // text/template with $labels and $values
}

// Severity is the label of that name.
func (r *Rule) Severity() string { return r.Labels["severity"] }

// A Condition compares a number with one or two limits.
type Condition struct {
	Type   string // gt, gte, lt, lte, eq, ne, within_range, outside_range
	Params []float64
}

// Met reports whether value meets the condition. Ranges exclude their ends.
func (c Condition) Met(value float64) bool {
	switch c.Type {
	case "gt":
		return value > c.Params[0]
	case "gte":
		return value >= c.Params[0]
	case "lt":
		return value < c.Params[0]
	case "lte":
		return value <= c.Params[0]
	case "eq":
		return value == c.Params[0]
	case "ne":
		return value != c.Params[0]
	case "within_range":
		return value > c.Params[0] && value < c.Params[1]
	case "outside_range":
		return value < c.Params[0] || value > c.Params[1]
	}
	return false // check has refused others
}

func (c Condition) check() error {
	want := 1
	switch c.Type {
	case "gt", "gte", "lt", "lte", "eq", "ne":
	case "within_range", "outside_range":
		want = 2
	default:
		return fmt.Errorf("condition %q is not known: use gt, gte, lt, lte, eq, ne, within_range or outside_range", c.Type)
	}
	if len(c.Params) < want {
		return fmt.Errorf("condition %s takes %d limits, not %d", c.Type, want, len(c.Params))
	}
	return nil
}

// What provisioning files have, as far as it is read.
type (
	file struct {
		Groups []group `json:"groups"`
	}
	group struct {
		Name     string    `json:"name"`
		Interval string    `json:"interval"`
		Rules    []ruleDef `json:"rules"`
	}
	ruleDef struct {
		UID          string            `json:"uid"`
		Title        string            `json:"title"`
		Condition    string            `json:"condition"`
		Data         []node            `json:"data"`
		NoDataState  string            `json:"noDataState"`
		ExecErrState string            `json:"execErrState"`
		For          string            `json:"for"`
		KeepFiring   string            `json:"keep_firing_for"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		IsPaused     bool              `json:"isPaused"`
	}
	// node is a query, or an expression of others.
	node struct {
		RefID string `json:"refId"`
		Range struct {
			From int64 `json:"from"`
			To   int64 `json:"to"`
		} `json:"relativeTimeRange"`
		Model struct {
			RawSQL     string `json:"rawSql"`
			Type       string `json:"type"`
			Expression string `json:"expression"`
			Conditions []struct {
				Evaluator struct {
					Type   string    `json:"type"`
					Params []float64 `json:"params"`
				} `json:"evaluator"`
			} `json:"conditions"`
		} `json:"model"`
	}
)

// Parse reads the rules of a provisioning file that are not paused.
func Parse(content []byte) ([]Rule, error) {
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, fmt.Errorf("read alert rules: %w", err)
	}
	var rules []Rule
	seen := map[string]bool{}
	for _, g := range f.Groups {
		every, err := period(g.Interval, time.Minute)
		if err != nil || every < time.Second {
			return nil, fmt.Errorf("read alert rules: group %q: interval %q is not a time of a second or more", g.Name, g.Interval)
		}
		for _, def := range g.Rules {
			rule, err := def.rule()
			if err == nil && seen[def.UID] {
				err = errors.New("another rule has its uid, too")
			}
			if err != nil {
				return nil, fmt.Errorf("read alert rules: rule %q: %w", def.UID, err)
			}
			seen[def.UID] = true
			if rule.Group, rule.Every = g.Name, every; !def.IsPaused {
				rules = append(rules, rule)
			}
		}
	}
	return rules, nil
}

func (d ruleDef) rule() (Rule, error) {
	r := Rule{UID: d.UID, Title: d.Title, Labels: d.Labels, Annotations: d.Annotations}
	if d.UID == "" || d.Title == "" {
		return r, errors.New("it has no uid or no title")
	}
	var err error
	if r.For, err = period(d.For, 0); err != nil {
		return r, fmt.Errorf("for: %w", err)
	}
	if r.KeepFiring, err = period(d.KeepFiring, 0); err != nil {
		return r, fmt.Errorf("keep_firing_for: %w", err)
	}
	if r.OnNoData, err = onState(d.NoDataState, NoData); err != nil {
		return r, fmt.Errorf("noDataState: %w", err)
	}
	if r.OnError, err = onState(d.ExecErrState, Error); err != nil {
		return r, fmt.Errorf("execErrState: %w", err)
	}
	threshold, query, err := d.follow()
	if err != nil {
		return r, err
	}
	if len(threshold.Model.Conditions) != 1 {
		return r, fmt.Errorf("expression %s has %d conditions, not one", threshold.RefID, len(threshold.Model.Conditions))
	}
	evaluator := threshold.Model.Conditions[0].Evaluator
	r.Condition = Condition{Type: evaluator.Type, Params: evaluator.Params}
	r.SQL = query.Model.RawSQL
	r.From, r.To = time.Duration(query.Range.From)*time.Second, time.Duration(query.Range.To)*time.Second
	if r.From <= r.To {
		return r, fmt.Errorf("query %s: relativeTimeRange ends before it begins", query.RefID)
	}
	if err := r.Condition.check(); err != nil {
		return r, err
	}
	return r, r.checkTemplates()
}

// follow goes from the rule's condition, a threshold, to the query that it is about. A
// reduction between them changes nothing: a row has one number.
func (d ruleDef) follow() (threshold, query node, err error) {
	find := func(refID string) (node, error) {
		for _, n := range d.Data {
			if n.RefID == refID {
				return n, nil
			}
		}
		return node{}, fmt.Errorf("there is no query or expression %q", refID)
	}
	if threshold, err = find(d.Condition); err != nil {
		return
	}
	if threshold.Model.Type != "threshold" {
		return threshold, query, fmt.Errorf("its condition %s is of type %q: only threshold is evaluated", d.Condition, threshold.Model.Type)
	}
	next := threshold.Model.Expression
	for range d.Data {
		if query, err = find(next); err != nil || query.Model.RawSQL != "" {
			return
		}
		if query.Model.Type != "reduce" {
			return threshold, query, fmt.Errorf("expression %s is of type %q: only reduce is evaluated between a query and its threshold", next, query.Model.Type)
		}
		next = query.Model.Expression
	}
	return threshold, query, fmt.Errorf("its condition %s does not come to a query", d.Condition)
}

// onState reads what Grafana calls noDataState and execErrState.
func onState(text string, otherwise State) (State, error) {
	switch text {
	case "":
		return otherwise, nil
	case "OK", "Ok":
		return OK, nil
	case "Alerting":
		return Firing, nil
	case "KeepLast":
		return "", nil
	case "NoData":
		return NoData, nil
	case "Error":
		return Error, nil
	}
	return "", fmt.Errorf("%q is not one of OK, Alerting, KeepLast, NoData, Error", text)
}

func period(text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%s is in the past", text)
	}
	return d, err
}
