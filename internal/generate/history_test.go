package generate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/flow"
)

var testHistory = HistoryOptions{
	From:  time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC),
	To:    time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	Flows: 100_000,
	Seed:  1,
}

func collect(t testing.TB, o HistoryOptions) []flow.Record {
	t.Helper()
	var records []flow.Record
	err := History(context.Background(), o, func(r *flow.Record) error {
		records = append(records, keep(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestHistoryIsInOrderAndWithinItsPeriod(t *testing.T) {
	records := collect(t, testHistory)
	if len(records) != testHistory.Flows {
		t.Errorf("%d records, want %d", len(records), testHistory.Flows)
	}
	last := uint64(testHistory.From.Unix())
	for i, r := range records {
		if r.TimeReceived < last || r.TimeReceived >= uint64(testHistory.To.Unix()) {
			t.Fatalf("record %d received at %d, after one of %d, in a period that ends at %d",
				i, r.TimeReceived, last, testHistory.To.Unix())
		}
		if r.TimeFlowEnd != r.TimeReceived || r.TimeFlowStart > r.TimeFlowEnd || r.TimeFlowEnd-r.TimeFlowStart > 60 {
			t.Fatalf("record %d lasted from %d to %d and was received at %d", i, r.TimeFlowStart, r.TimeFlowEnd, r.TimeReceived)
		}
		last = r.TimeReceived
	}
}

func TestHistoryFollowsTheDailyCurve(t *testing.T) {
	var got [24]float64
	for _, r := range collect(t, testHistory) {
		got[time.Unix(int64(r.TimeReceived), 0).UTC().Hour()]++
	}
	p := newPopulation(testHistory.Seed)
	rate := testHistory.Rate()
	attacked := 0
	for hour := range got {
		want := 0.0
		for second := range 3600 {
			at := testHistory.From.Add(time.Duration(hour*3600+second) * time.Second)
			want += rate * curve(at)
			if _, a := p.load(testHistory.Seed, at); a.strength > 0 {
				want += rate * a.strength
				attacked++
			}
		}
		if math.Abs(got[hour]-want) > 2 {
			t.Errorf("%d records between %d:00 and %d:00, want %.0f", int(got[hour]), hour, hour+1, want)
		}
	}
	if slices.Max(got[19:22]) < 3*got[4] {
		t.Errorf("peak of %g and trough of %g records an hour, want a day", slices.Max(got[:]), got[4])
	}
	if attacked == 0 {
		t.Error("no attack in a day")
	}
}

func TestCurveHasAMeanOfOneAndNoSteps(t *testing.T) {
	sum, last := 0.0, curve(testHistory.From)
	for second := range 86400 {
		now := curve(testHistory.From.Add(time.Duration(second) * time.Second))
		sum += now
		if math.Abs(now-last) > 0.001 {
			t.Fatalf("a step from %g to %g at second %d", last, now, second)
		}
		last = now
	}
	if mean := sum / 86400; math.Abs(mean-1) > 0.001 {
		t.Errorf("mean %g, want 1", mean)
	}
}

func TestHistoryIsTheSameForASeed(t *testing.T) {
	o := testHistory
	o.Flows = 2000
	first, second := collect(t, o), collect(t, o)
	if !reflect.DeepEqual(first, second) {
		t.Error("two histories of one seed differ")
	}
	o.Seed++
	if reflect.DeepEqual(first, collect(t, o)) {
		t.Error("histories of two seeds are the same")
	}
}

func TestHistoryEndsWithTheErrorOfEmit(t *testing.T) {
	full := errors.New("full")
	calls := 0
	err := History(context.Background(), testHistory, func(*flow.Record) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d calls, want %v after one", err, calls, full)
	}
}

func TestHistoryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := History(ctx, testHistory, func(*flow.Record) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestHistoryNeedsAPeriod(t *testing.T) {
	o := testHistory
	o.To = o.From
	if err := History(context.Background(), o, func(*flow.Record) error { return nil }); err == nil {
		t.Error("no error for an empty period")
	}
}

// samplings lists where records were sampled, and how.
func samplings(records []flow.Record) []string {
	seen := make(map[string]bool)
	for _, r := range records {
		edge := (&observation{Record: r}).edge()
		seen[fmt.Sprintf("%s %s interface %d: 1 in %d, %s", r.SamplerAddress, r.Type, edge, r.SamplingRate, r.SamplingRateSource)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestDemoContinuesHistory(t *testing.T) {
	w := &wire{}
	d := newDemo(testHistory.Seed, 99)
	err := d.open(DemoOptions{SFlow: "127.0.0.1:9", NetFlow: "127.0.0.1:9", dialSFlow: w.dial, dialNetFlow: w.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.at(testHistory.To)
	if err := d.send(5000, testHistory.To); err != nil {
		t.Fatal(err)
	}
	live := newOracle(t)
	for _, p := range w.sent {
		live.read(p)
	}
	o := testHistory
	o.Flows = 5000
	past := samplings(collect(t, o))
	if diff := cmp.Diff(past, samplings(live.records)); diff != "" {
		t.Errorf("exporters, interfaces or rates changed (-history +live):\n%s", diff)
	}
}

func TestDemoSendsUntilItsContextEnds(t *testing.T) {
	socket := listen(t, "127.0.0.1:0")
	to := socket.LocalAddr().String()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- Demo(ctx, DemoOptions{SFlow: to, NetFlow: to, Seed: 1, Rate: 1000}) }()
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	sources := make(map[string]bool)
	buffer := make([]byte, 2000)
	for len(sources) < 4 { // two sockets for sFlow, two sources of NetFlow
		_, from, err := socket.ReadFrom(buffer)
		if err != nil {
			t.Fatalf("datagrams came from %v, want four sources: %v", slices.Collect(maps.Keys(sources)), err)
		}
		sources[from.String()] = true
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDemoRefusesWhatHistoryDoesNotMatch(t *testing.T) {
	tests := []struct {
		name    string
		options DemoOptions
		want    string
	}{
		{"NetFlow off the loopback", DemoOptions{SFlow: "127.0.0.1:9", NetFlow: "[::1]:9", Rate: 1}, "IPv4 loopback"},
		{"no rate", DemoOptions{SFlow: "127.0.0.1:9", NetFlow: "127.0.0.1:9"}, "demo rate 0"},
		{"no host", DemoOptions{SFlow: ":9", NetFlow: "127.0.0.1:9", Rate: 1}, "no host"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := Demo(context.Background(), test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %s", err, test.want)
			}
		})
	}
}
