package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1_900_000_000, 0)

// instancesText writes instances as labels:state@seconds, in the order of labels.
func instancesText(instances Instances) string {
	var parts []string
	for k, i := range instances {
		name := i.Labels["host"]
		if k == "" {
			name = "*"
		}
		parts = append(parts, fmt.Sprintf("%s:%s@%d", name, i.State, int(i.Since.Sub(start).Seconds())))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// samples reads "a=5 b=7", "" for none, "error" for a failure.
func samples(t *testing.T, text string) Result {
	t.Helper()
	if text == "error" {
		return Result{Err: errors.New("failed")}
	}
	var r Result
	for _, part := range strings.Fields(text) {
		name, number, _ := strings.Cut(part, "=")
		s := Sample{Labels: map[string]string{"host": name}}
		if _, err := fmt.Sscan(number, &s.Value); err != nil {
			t.Fatal(err)
		}
		r.Samples = append(r.Samples, s)
	}
	return r
}

func TestInstancesGoThroughTheirStates(t *testing.T) {
	above := Condition{"gt", []float64{10}}
	for _, c := range []struct {
		name  string
		rule  Rule
		steps []string // a result, every ten seconds
		want  []string // the instances after it
	}{
		{
			"fires at once", Rule{Condition: above},
			[]string{"a=5 b=11", "a=11 b=5"}, []string{"a:ok@0 b:firing@0", "a:firing@10 b:ok@10"},
		},
		{
			"pends before it fires", Rule{Condition: above, For: 20 * time.Second},
			[]string{"a=11", "a=12", "a=13", "a=14", "a=1"}, []string{"a:pending@0", "a:pending@0", "a:firing@20", "a:firing@20", "a:ok@40"},
		},
		{
			"pends anew after it was well", Rule{Condition: above, For: 20 * time.Second},
			[]string{"a=11", "a=1", "a=11", "a=11", "a=11"}, []string{"a:pending@0", "a:ok@10", "a:pending@20", "a:pending@20", "a:firing@40"},
		},
		{
			"goes on firing for a while", Rule{Condition: above, KeepFiring: 20 * time.Second},
			[]string{"a=11", "a=1", "a=1", "a=11", "a=1"}, []string{"a:firing@0", "a:firing@0", "a:ok@20", "a:firing@30", "a:firing@30"},
		},
		{
			"a row that is missing once is late", Rule{Condition: above},
			[]string{"a=11 b=1", "b=1", "a=11 b=1", "b=1", "b=1"}, []string{"a:firing@0 b:ok@0", "a:firing@0 b:ok@0", "a:firing@0 b:ok@0", "a:firing@0 b:ok@0", "b:ok@0"},
		},
		{
			"rows that are well may go", Rule{Condition: above},
			[]string{"a=1 b=1", "b=1"}, []string{"a:ok@0 b:ok@0", "b:ok@0"},
		},
		{
			"no rows are well", Rule{Condition: above, OnNoData: OK},
			[]string{"a=11", "", "a=11"}, []string{"a:firing@0", "", "a:firing@20"},
		},
		{
			"no rows are told", Rule{Condition: above, OnNoData: NoData},
			[]string{"a=1", "", "", "a=1"}, []string{"a:ok@0", "*:nodata@10", "*:nodata@10", "a:ok@30"},
		},
		{
			"no rows do not end what fires", Rule{Condition: above, OnNoData: NoData},
			[]string{"a=11", "", "a=11"}, []string{"a:firing@0", "*:nodata@10 a:firing@0", "a:firing@0"},
		},
		{
			"no rows fire", Rule{Condition: above, OnNoData: Firing, For: 10 * time.Second},
			[]string{"", "", "a=1", "a=1"}, []string{"*:pending@0", "*:firing@10", "*:firing@10 a:ok@20", "a:ok@20"},
		},
		{
			"no rows leave it", Rule{Condition: above, OnNoData: ""},
			[]string{"a=11 b=1", ""}, []string{"a:firing@0 b:ok@0", "a:firing@0 b:ok@0"},
		},
		{
			"an error does not end what fires", Rule{Condition: above, OnError: Error},
			[]string{"a=11 b=1", "error", "error", "a=11 b=1"}, []string{"a:firing@0 b:ok@0", "*:error@10 a:firing@0", "*:error@10 a:firing@0", "a:firing@0 b:ok@30"},
		},
		{
			"an error is well", Rule{Condition: above, OnError: OK},
			[]string{"a=11", "error"}, []string{"a:firing@0", ""},
		},
		{
			"an error fires", Rule{Condition: above, OnError: Firing},
			[]string{"error", "a=1", "a=1"}, []string{"*:firing@0", "*:firing@0 a:ok@10", "a:ok@10"},
		},
		{
			"a pending instance does not fire without rows", Rule{Condition: above, OnError: Error, For: 20 * time.Second},
			[]string{"a=11", "error", "error", "error", "a=11"}, []string{"a:pending@0", "*:error@10 a:pending@0", "*:error@10 a:pending@0", "*:error@10 a:pending@0", "a:firing@40"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var instances Instances
			for n, step := range c.steps {
				now := start.Add(time.Duration(10*n) * time.Second)
				instances = c.rule.Next(instances, now, samples(t, step))
				if got := instancesText(instances); got != c.want[n] {
					t.Errorf("after %q at %d s: %s, want %s", step, 10*n, got, c.want[n])
				}
			}
		})
	}
}

func TestChangesAreWhatStartsAndStops(t *testing.T) {
	rule := Rule{Condition: Condition{"gt", []float64{10}}, OnNoData: OK}
	before := rule.Next(nil, start, samples(t, "a=11 b=11 c=1"))
	after := rule.Next(before, start.Add(time.Second), samples(t, "a=12 b=3 c=13"))
	var got []string
	for _, c := range Changes(before, after) {
		got = append(got, fmt.Sprintf("%s %t %g", c.Labels["host"], c.Started, c.Value))
	}
	if want := []string{"b false 3", "c true 13"}; !slices.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	ended := Changes(after, rule.Next(after, start.Add(2*time.Second), Result{}))
	if len(ended) != 2 || ended[0].Started || ended[1].Started {
		t.Errorf("changes when there are no rows any more: %+v", ended)
	}
}

func TestARuleIsInTheStateOfItsWorstInstance(t *testing.T) {
	for _, c := range []struct {
		states []State
		want   State
	}{
		{nil, OK}, {[]State{OK, OK}, OK}, {[]State{OK, NoData}, NoData}, {[]State{Pending, NoData}, Pending},
		{[]State{Error, Pending}, Error}, {[]State{Firing, Error, OK}, Firing},
	} {
		instances := Instances{}
		for n, state := range c.states {
			instances[fmt.Sprint(n)] = Instance{State: state}
		}
		if got := instances.State(); got != c.want {
			t.Errorf("%v: %s, want %s", c.states, got, c.want)
		}
	}
}
