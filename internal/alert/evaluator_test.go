package alert

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// asked is a database of one answer.
type asked struct {
	sql     string
	samples []Sample
	err     error
}

func (a *asked) ask(_ context.Context, sql string, _ int) ([]Sample, error) {
	a.sql = sql
	return a.samples, a.err
}

func TestAnEvaluationIsReportedAndMeasured(t *testing.T) {
	now, changed := start, 0
	db := &asked{samples: []Sample{{map[string]string{"host": "192.0.2.1"}, 250000}, {map[string]string{"host": "192.0.2.2"}, 5}}}
	rules := testRules(t)
	e := New(Config{Rules: rules, Ask: db.ask, Changed: func() { changed++ }, Now: func() time.Time { return now }})
	if reports := e.Reports(); len(reports) != 2 || reports[0].Since != nil || reports[0].State != OK || reports[0].Value != nil {
		t.Errorf("before any evaluation: %+v", reports)
	}

	e.Evaluate(t.Context(), &rules[0])
	if !strings.Contains(db.sql, "TimeReceived >= toDateTime(1899999910) AND TimeReceived <= toDateTime(1899999970)") {
		t.Errorf("the range is wrong in %s", db.sql)
	}
	if r := e.Reports()[0]; r.UID != "host-pps" || r.State != Pending || changed != 0 {
		t.Errorf("at first: %+v, %d changes", r, changed)
	}
	now = now.Add(20 * time.Second)
	e.Evaluate(t.Context(), &rules[0])
	value, since := 250000., now
	want := Report{
		UID: "host-pps", Title: "Traffic to one host", Group: "Traffic", Severity: "critical", State: Firing, Since: &since, Evaluated: &since, Value: &value,
		Summary: "192.0.2.1 gets 250k packets/s", Action: "Look at what it is.", Dashboard: "/d/netmeta-attack",
		Instances: []InstanceReport{{map[string]string{"host": "192.0.2.1"}, 250000, Firing, since, "192.0.2.1 gets 250k packets/s", "/d/netmeta-attack?var-destination=192.0.2.1"}},
	}
	if diff := cmp.Diff(want, e.Reports()[0]); diff != "" || changed != 1 {
		t.Errorf("%d changes, report (-want +got):\n%s", changed, diff)
	}
	if n := testutil.ToFloat64(instancesGauge.WithLabelValues("host-pps", "firing")); n != 1 {
		t.Errorf("the metric is %g, want 1 that fires", n)
	}
	fired := e.Firing()
	wantFired := []Fired{{
		Labels:      map[string]string{"alertname": "Traffic to one host", "rule": "host-pps", "severity": "critical", "host": "192.0.2.1"},
		Annotations: map[string]string{"summary": "192.0.2.1 gets 250k packets/s", "description": "Look at what it is.", "link": "/d/netmeta-attack?var-destination=192.0.2.1"},
		Since:       since,
	}}
	if diff := cmp.Diff(wantFired, fired); diff != "" {
		t.Errorf("what fires (-want +got):\n%s", diff)
	}

	db.samples = nil
	e.Evaluate(t.Context(), &rules[0])
	if r := e.Reports()[0]; r.State != OK || changed != 2 || len(e.Firing()) != 0 {
		t.Errorf("when it is over: %+v, %d changes", r, changed)
	}
	if n := testutil.ToFloat64(instancesGauge.WithLabelValues("host-pps", "firing")); n != 0 {
		t.Errorf("the metric is %g when nothing fires", n)
	}
}

func TestARuleThatFailsSaysWhyAndGoesOn(t *testing.T) {
	db := &asked{err: errors.New("ClickHouse does not answer")}
	rules := testRules(t)
	e := New(Config{Rules: rules, Ask: db.ask})
	e.Evaluate(t.Context(), &rules[0])
	if r := e.Reports()[0]; r.State != Error || r.Error != "ClickHouse does not answer" || len(r.Instances) != 1 || r.Value != nil {
		t.Errorf("%+v", r)
	}
	db.err, db.samples = nil, []Sample{{nil, 1}, {nil, 2}}
	e.Evaluate(t.Context(), &rules[0])
	if r := e.Reports()[0]; !strings.Contains(r.Error, "two rows have the same labels") {
		t.Errorf("%+v", r)
	}
	db.samples = []Sample{{map[string]string{"host": "a"}, 1}}
	e.Evaluate(t.Context(), &rules[0])
	if r := e.Reports()[0]; r.State != OK || r.Error != "" {
		t.Errorf("afterwards: %+v", r)
	}
}

func TestRulesAreEvaluatedAtTheirIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked [2]atomic.Int32
		rules := testRules(t) // every 10 s both
		rules[1].Every = time.Minute
		e := New(Config{Rules: rules, Ask: func(_ context.Context, sql string, _ int) ([]Sample, error) {
			if strings.Contains(sql, "lag") {
				asked[1].Add(1)
			} else {
				asked[0].Add(1)
			}
			return nil, nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 119*time.Second)
		defer cancel()
		e.Run(ctx)
		if a, b := asked[0].Load(), asked[1].Load(); a != 12 || b != 2 {
			t.Errorf("in two minutes asked %d and %d times, want 12 and 2", a, b)
		}
	})
}
