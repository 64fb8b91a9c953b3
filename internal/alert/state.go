package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Sample is one row of a rule's query.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// An Instance is a rule for one set of labels.
type Instance struct {
	Labels map[string]string
	Value  float64
	State  State
	Since  time.Time // when it came into its state

	met    time.Time // when the condition was met for the last time
	missed int       // evaluations in a row without a row
}

// Instances are those of a rule, by their labels as key writes them.
type Instances map[string]Instance

// A Result is what an evaluation brought: rows, or an error.
type Result struct {
	Samples []Sample
	Err     error
}

// missing is how many evaluations an instance lasts without a row: a row that is
// missing once may be late.
const missing = 2

// key writes labels so that equal ones have an equal key.
func key(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%q=%q,", name, labels[name])
	}
	return b.String()
}

// Next returns the instances after an evaluation at now, given those before it. It
// is a function of its arguments only.
//
// What could not be asked is not over: an instance that is pending or firing stays
// so while the rule cannot be evaluated, or has no data, unless the rule says that
// this is OK. Beside it, the instance without labels says what is wrong.
func (r *Rule) Next(before Instances, now time.Time, result Result) Instances {
	switch {
	case result.Err != nil:
		return r.without(before, now, r.OnError)
	case len(result.Samples) == 0:
		return r.without(before, now, r.OnNoData)
	}
	after := Instances{}
	for _, sample := range result.Samples {
		k := key(sample.Labels)
		if _, twice := after[k]; !twice {
			after[k] = r.step(before[k], now, sample)
		}
	}
	for k, i := range before {
		if _, ok := after[k]; ok || i.State == OK || i.State == NoData || i.State == Error {
			continue
		}
		if i.missed++; i.missed < missing {
			after[k] = i
		}
	}
	return after
}

// step is the instance of a sample after the one before it.
func (r *Rule) step(i Instance, now time.Time, sample Sample) Instance {
	if i.State == "" || i.State == NoData || i.State == Error {
		i = Instance{State: OK, Since: now}
	}
	i.Labels, i.Value, i.missed = sample.Labels, sample.Value, 0
	if r.Condition.Met(sample.Value) {
		i.met = now
		return i.alerting(r, now)
	}
	if i.State == Firing && now.Sub(i.met) < r.KeepFiring {
		return i
	}
	return i.in(OK, now)
}

// alerting is an instance whose condition is met.
func (i Instance) alerting(r *Rule, now time.Time) Instance {
	if i.State == Firing {
		return i
	}
	i = i.in(Pending, now)
	if now.Sub(i.Since) >= r.For {
		return i.in(Firing, now)
	}
	return i
}

// in is an instance in state, since now if it was not before.
func (i Instance) in(state State, now time.Time) Instance {
	if i.State != state {
		i.State, i.Since = state, now
	}
	return i
}

// without is Next where there are no rows; what the rule says of that is state.
func (r *Rule) without(before Instances, now time.Time, state State) Instances {
	after := Instances{}
	if state == OK {
		return after
	}
	for k, i := range before {
		// An instance that pends goes on to, as time does: nothing says that it is over.
		if i.State == Pending || i.State == Firing {
			after[k] = i
		} else if state == "" {
			after[k] = i
		}
	}
	if state == "" {
		return after
	}
	whole := key(nil)
	i, ok := before[whole]
	if !ok {
		i = Instance{Since: now}
	}
	if state == Firing {
		after[whole] = i.alerting(r, now)
	} else if i.State != Firing && i.State != Pending {
		after[whole] = i.in(state, now)
	}
	return after
}

// State is that of the worst instance, OK if there is none.
func (instances Instances) State() State {
	state := OK
	for _, i := range instances {
		state = worse(state, i.State)
	}
	return state
}

// A Change is an instance that has started or stopped firing.
type Change struct {
	Instance
	Started bool
}

// Changes are what is different between two evaluations, in the order of labels.
func Changes(before, after Instances) []Change {
	var changes []Change
	keys := slices.Sorted(maps.Keys(before))
	for k := range after {
		if _, ok := before[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		was, is := before[k].State == Firing, after[k].State == Firing
		switch {
		case is && !was:
			changes = append(changes, Change{after[k], true})
		case was && !is:
			ended := before[k]
			if now, ok := after[k]; ok {
				ended = now
			}
			changes = append(changes, Change{ended, false})
		}
	}
	return changes
}
