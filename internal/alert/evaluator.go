package alert

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/dashboard"
)

// maxInstances is how many instances of a rule are kept: more help nobody.
const maxInstances = 1000

var instancesGauge = promauto.NewGaugeVec(prometheus.GaugeOpts{
	Name: "netmeta_alerts",
	Help: "Instances of alert rules that the console evaluates, by the rule's uid and their state: nodata, pending, error, firing.",
}, []string{"rule", "state"})

// Config is what an Evaluator works with.
type Config struct {
	Rules []Rule
	// Ask runs a statement, with labels and one number in each row, and returns at
	// most so many samples.
	Ask func(ctx context.Context, sql string, limit int) ([]Sample, error)
	// Changed is called when something has started or stopped firing, which Firing
	// has. It may be nil, and must not wait for anybody.
	Changed func()
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Evaluator evaluates rules. Its methods may be called concurrently, Run once.
type Evaluator struct {
	config Config
	now    func() time.Time

	mu     sync.Mutex
	states map[string]ruleState // by uid
}

// ruleState is what is known of a rule.
type ruleState struct {
	instances Instances
	evaluated time.Time // zero: not yet
	err       error     // of the last evaluation
	state     State
	since     time.Time
}

// New returns an evaluator that has evaluated nothing yet.
func New(config Config) *Evaluator {
	e := &Evaluator{config: config, now: config.Now, states: map[string]ruleState{}}
	if e.now == nil {
		e.now = time.Now
	}
	return e
}

// Run evaluates each rule at its interval until ctx ends, one after the other, so that
// alerts are never what ClickHouse has no time for anything else for.
func (e *Evaluator) Run(ctx context.Context) {
	next := map[string]time.Time{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for i := range e.config.Rules {
			rule := &e.config.Rules[i]
			if e.now().Before(next[rule.UID]) {
				continue
			}
			e.Evaluate(ctx, rule)
			next[rule.UID] = e.now().Add(rule.Every)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Evaluate evaluates one rule now.
func (e *Evaluator) Evaluate(ctx context.Context, rule *Rule) {
	now := e.now()
	samples, err := e.ask(ctx, rule, now)
	if ctx.Err() != nil {
		return // that says nothing about the rule
	}
	e.mu.Lock()
	before := e.states[rule.UID]
	after := before
	after.instances = rule.Next(before.instances, now, Result{samples, err})
	after.evaluated, after.err = now, err
	if after.state = after.instances.State(); after.state != before.state || before.evaluated.IsZero() {
		after.since = now
	}
	e.states[rule.UID] = after
	e.mu.Unlock()

	e.measure(rule, after.instances)
	if err != nil && (before.err == nil || before.err.Error() != err.Error()) {
		slog.Error("alert: a rule cannot be evaluated, which is tried again", "rule", rule.UID, "error", err)
	}
	changes := Changes(before.instances, after.instances)
	for _, c := range changes {
		logChange(rule, c)
	}
	if len(changes) > 0 && e.config.Changed != nil {
		e.config.Changed()
	}
}

func logChange(rule *Rule, c Change) {
	summary, err := rule.annotation("summary", c.Instance)
	if err != nil {
		summary = rule.Title
	}
	says := "alert: stopped firing"
	if c.Started {
		says = "alert: started firing"
	}
	slog.Warn(says, "rule", rule.UID, "labels", labelText(c.Labels), "value", c.Value, "summary", summary)
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name+"="+labels[name])
	}
	return strings.Join(parts, ", ")
}

func (e *Evaluator) ask(ctx context.Context, rule *Rule, now time.Time) ([]Sample, error) {
	scope := dashboard.Scope{From: now.Add(-rule.From), To: now.Add(-rule.To), Interval: max(time.Second, rule.Every)}
	sql, err := scope.Expand(rule.SQL)
	if err != nil {
		return nil, err
	}
	samples, err := e.config.Ask(ctx, sql, maxInstances)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range samples {
		k := key(s.Labels)
		if seen[k] {
			return nil, fmt.Errorf("two rows have the same labels, %s", labelText(s.Labels))
		}
		seen[k] = true
	}
	return samples, nil
}

// measure sets the metric of all states, so that those that are over are 0.
func (e *Evaluator) measure(rule *Rule, instances Instances) {
	counts := map[State]int{}
	for _, i := range instances {
		counts[i.State]++
	}
	for _, state := range States {
		if state != OK { // of which there may be as many as hosts
			instancesGauge.WithLabelValues(rule.UID, string(state)).Set(float64(counts[state]))
		}
	}
}

// A Report is a rule and how it is doing, for people.
type Report struct {
	UID       string           `json:"uid"`
	Title     string           `json:"title"`
	Group     string           `json:"group"`
	Severity  string           `json:"severity"`
	State     State            `json:"state"`
	Since     *time.Time       `json:"since"`     // nil: not evaluated yet
	Evaluated *time.Time       `json:"evaluated"` // for the last time
	Value     *float64         `json:"value"`     // of the worst instance
	Summary   string           `json:"summary"`
	Action    string           `json:"action"` // what to do: the annotation description
	Error     string           `json:"error,omitempty"`
	Dashboard string           `json:"dashboard"` // a link
	Instances []InstanceReport `json:"instances"`
}

// An InstanceReport is one of the instances that are not OK.
type InstanceReport struct {
	Labels  map[string]string `json:"labels"`
	Value   float64           `json:"value"`
	State   State             `json:"state"`
	Since   time.Time         `json:"since"`
	Summary string            `json:"summary"`
	Link    string            `json:"link"`
}

// Reports returns all rules, the worst first.
func (e *Evaluator) Reports() []Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	reports := []Report{}
	for i := range e.config.Rules {
		rule := &e.config.Rules[i]
		reports = append(reports, rule.report(e.states[rule.UID]))
	}
	slices.SortStableFunc(reports, func(a, b Report) int {
		return slices.Index(States, b.State) - slices.Index(States, a.State)
	})
	return reports
}

func (r *Rule) report(s ruleState) Report {
	report := Report{UID: r.UID, Title: r.Title, Group: r.Group, Severity: r.Severity(), State: OK, Instances: []InstanceReport{}}
	if !s.evaluated.IsZero() {
		report.State, report.Since, report.Evaluated = s.state, &s.since, &s.evaluated
	}
	if s.err != nil {
		report.Error = s.err.Error()
	}
	worst, bad := s.instances.sorted()
	// Of no instance in particular: without its labels.
	report.Dashboard, _, _ = strings.Cut(r.Link(Instance{}), "?")
	report.Summary, report.Action = r.text("summary", worst), r.text("description", worst)
	if len(s.instances) > 0 && worst.State != NoData && worst.State != Error {
		report.Value = &worst.Value
	}
	for _, i := range bad {
		report.Instances = append(report.Instances, InstanceReport{i.Labels, i.Value, i.State, i.Since, r.text("summary", i), r.Link(i)})
	}
	return report
}

// A Fired is an instance that fires, for programs.
type Fired struct {
	Labels      map[string]string // of the instance and of the rule, and alertname, its title
	Annotations map[string]string // summary, description and link
	Since       time.Time
}

// Firing returns what fires now.
func (e *Evaluator) Firing() []Fired {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Fired
	for i := range e.config.Rules {
		rule := &e.config.Rules[i]
		_, bad := e.states[rule.UID].instances.sorted()
		for _, i := range bad {
			if i.State != Firing {
				break // the others are not as bad
			}
			f := Fired{Labels: maps.Clone(i.Labels), Annotations: map[string]string{}, Since: i.Since}
			if f.Labels == nil {
				f.Labels = map[string]string{}
			}
			maps.Copy(f.Labels, rule.Labels)
			f.Labels["alertname"], f.Labels["rule"] = rule.Title, rule.UID
			for name, text := range map[string]string{"summary": rule.text("summary", i), "description": rule.text("description", i), "link": rule.Link(i)} {
				if text != "" {
					f.Annotations[name] = text
				}
			}
			all = append(all, f)
		}
	}
	return all
}

// text is an annotation, or what is wrong with it.
func (r *Rule) text(name string, i Instance) string {
	text, err := r.annotation(name, i)
	if err != nil {
		return err.Error()
	}
	return text
}

// sorted returns the worst instance, and all that are not OK, the worst first.
func (instances Instances) sorted() (worst Instance, bad []Instance) {
	for _, k := range slices.Sorted(maps.Keys(instances)) {
		i := instances[k]
		if worst.State == "" || worse(worst.State, i.State) != worst.State {
			worst = i
		}
		if i.State != OK {
			bad = append(bad, i)
		}
	}
	slices.SortStableFunc(bad, func(a, b Instance) int {
		return slices.Index(States, b.State) - slices.Index(States, a.State)
	})
	return worst, bad
}

// Link returns where to look at an instance: the annotation link, or the dashboard
// that the rule names with the labels of the instance as its variables.
func (r *Rule) Link(i Instance) string {
	if link := r.text("link", i); strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") {
		return link
	}
	uid := r.Annotations["__dashboardUid__"]
	if uid == "" {
		return ""
	}
	params := url.Values{}
	for name, value := range i.Labels {
		params.Set("var-"+name, value)
	}
	if panel := r.Annotations["__panelId__"]; panel != "" && len(i.Labels) == 0 {
		params.Set("viewPanel", panel)
	}
	link := "/d/" + url.PathEscape(uid)
	if len(params) > 0 {
		link += "?" + params.Encode()
	}
	return link
}
