package console

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestThroughputIsEstimatedPerSecondAndDirection(t *testing.T) {
	write, read := newDatabase(t)
	from := testSpan.from
	insert(t, write,
		row{at: from - 1, bytes: 1e6, packets: 1},             // before the window
		row{at: from, bytes: 1000, packets: 2, rate: 100},     // its first second
		row{at: from + 9, bytes: 500, packets: 1, rate: 1000}, // another rate, same bucket
		row{at: from + 10, bytes: 100, packets: 1, rate: 10, out: true},
		row{at: from + 899, bytes: 250, packets: 5},    // its last second
		row{at: from + 900, bytes: 1e6, packets: 1e06}) // after the window

	got, err := database{read}.throughput(context.Background(), windows[0], testSpan)
	must(t, err)
	want := throughput{Window: "15m", From: from, Bucket: 10, Refresh: 3,
		Bits:    directions{In: make([]float64, 90), Out: make([]float64, 90)},
		Packets: directions{In: make([]float64, 90), Out: make([]float64, 90)},
	}
	want.Bits.In[0], want.Packets.In[0] = (1000*100+500*1000)*8/10, (2*100+1*1000)/10
	want.Bits.Out[1], want.Packets.Out[1] = 100*10*8/10, 1
	want.Bits.In[89], want.Packets.In[89] = 200, 0.5
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("throughput (-want +got):\n%s", diff)
	}
}

func TestAnAbsurdSamplingRateDoesNotWrapTheSum(t *testing.T) {
	write, read := newDatabase(t)
	insert(t, write, row{at: testSpan.from, bytes: 1 << 40, rate: 1 << 40})
	got, err := database{read}.throughput(context.Background(), windows[0], testSpan)
	must(t, err)
	if want := float64(1<<40) * (1 << 40) * 8 / 10; got.Bits.In[0] != want {
		t.Errorf("bits per second = %g, want %g", got.Bits.In[0], want)
	}
}

func TestExportersAreListedByTrafficWithTheirRates(t *testing.T) {
	write, read := newDatabase(t)
	from := testSpan.from
	insert(t, write,
		row{at: from + 5, exporter: "::ffff:192.0.2.1", bytes: 900, packets: 9, rate: 100},
		row{at: from + 65, exporter: "::ffff:192.0.2.1", bytes: 900, packets: 9, rate: 200, rateSource: "configured"},
		row{at: from + 905, exporter: "::ffff:192.0.2.1", bytes: 900, packets: 9, rate: 100}, // in no bucket yet, but seen
		row{at: from + 70, exporter: "2001:db8::1", protocol: "IPFIX", bytes: 90, packets: 1, rateSource: "unknown"})

	got, err := database{read}.exporters(context.Background(), windows[0], testSpan)
	must(t, err)
	series := func(values map[int]float64) []float64 {
		points := make([]float64, 30)
		for i, v := range values {
			points[i] = v
		}
		return points
	}
	want := exporters{Window: "15m", Refresh: 3, Total: 2, Exporters: []exporter{
		{Address: "192.0.2.1", Protocol: "sFlow", Flows: 3, Bits: 900 * 400 * 8 / 900., Packets: 9 * 400 / 900., RateFrom: 100, RateTo: 200,
			RateSources: []string{"configured", "packet"}, LastSeen: from + 905, Series: series(map[int]float64{0: 900 * 100 * 8 / 30, 2: 900 * 200 * 8 / 30})},
		{Address: "2001:db8::1", Protocol: "IPFIX", Flows: 1, Bits: 0.8, Packets: 1 / 900., RateFrom: 1, RateTo: 1,
			RateSources: []string{"unknown"}, LastSeen: from + 70, Series: series(map[int]float64{2: 24})},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exporters (-want +got):\n%s", diff)
	}
}

func TestTopTalkersByEachDimension(t *testing.T) {
	write, read := newDatabase(t)
	at := testSpan.from + 1
	insert(t, write,
		row{at: at, src: "::ffff:198.51.100.7", dst: "2001:db8::5", bytes: 100, packets: 1, rate: 900, proto: 6, srcPort: 51000, dstPort: 443, srcAS: 64500},
		row{at: at, src: "2001:db8::5", dst: "::", bytes: 300, packets: 1, proto: 47})

	for dimensionName, want := range map[string][]string{
		"source":         {"198.51.100.7", "2001:db8::5"},
		"destination":    {"2001:db8::5", "no address"},
		"source-as":      {"AS64500", "unknown AS"},
		"destination-as": {"unknown AS"},
		"service":        {"TCP 443", "GRE"},
	} {
		t.Run(dimensionName, func(t *testing.T) {
			by, err := dimensionByName(dimensionName)
			must(t, err)
			got, err := database{read}.top(context.Background(), by, windows[0], testSpan)
			must(t, err)
			var labels []string
			for _, row := range got.Rows {
				labels = append(labels, row.Label)
			}
			if diff := cmp.Diff(want, labels); diff != "" {
				t.Errorf("labels, biggest first (-want +got):\n%s", diff)
			}
			if all := (100*900 + 300) * 8 / 900.; got.Bits != all {
				t.Errorf("bits per second of everything = %v, want %v", got.Bits, all)
			}
		})
	}
}

func TestTopTalkersEndAfterTenButShareOfAll(t *testing.T) {
	write, read := newDatabase(t)
	for i := range topRows + 2 {
		insert(t, write, row{at: testSpan.from, src: fmt.Sprintf("2001:db8::%d", i+1), bytes: 900})
	}
	got, err := database{read}.top(context.Background(), dimensions[0], windows[0], testSpan)
	must(t, err)
	if len(got.Rows) != topRows || got.Bits != float64(topRows+2)*8 {
		t.Errorf("%d rows of %v bits/s in all, want %d of %d", len(got.Rows), got.Bits, topRows, (topRows+2)*8)
	}
}

func TestStoredCountsRowsAndSaysWhyMessagesFailed(t *testing.T) {
	write, read := newDatabase(t)
	got, err := database{read}.stored(context.Background())
	must(t, err)
	if diff := cmp.Diff(stored{}, got, cmp.AllowUnexported(stored{})); diff != "" {
		t.Errorf("empty database (-want +got):\n%s", diff)
	}

	_, err = write.Exec(`INSERT INTO flows_raw (TimeReceived) SELECT now() - number FROM numbers(3)`)
	must(t, err)
	_, err = write.Exec(`INSERT INTO flows_errors (TimeReceived, Reason) VALUES (now(), 'not a FlowMessage')`)
	must(t, err)
	got, err = database{read}.stored(context.Background())
	must(t, err)
	if got.rows != 3 || got.errors != 1 || got.newest.IsZero() {
		t.Errorf("stored = %+v, want 3 rows, 1 error and the time of the newest", got)
	}
	if diff := cmp.Diff([]string{"not a FlowMessage"}, got.reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestQueriesRunWithinLimits(t *testing.T) {
	_, read := newDatabase(t)
	ctx, cancel := limited()
	defer cancel()
	var memory, seconds uint64
	must(t, read.QueryRowContext(ctx, `SELECT toUInt64(getSetting('max_memory_usage')), toUInt64(toFloat64(getSetting('max_execution_time')))`).Scan(&memory, &seconds))
	if memory != queryMemory {
		t.Errorf("a query may take %d bytes, want %d", memory, queryMemory)
	}
	if limit := uint64(queryTimeout/time.Second) + 5; seconds == 0 || seconds > limit {
		t.Errorf("a query may take %d s, want between 1 and %d", seconds, limit)
	}
}

func TestExamplesRun(t *testing.T) {
	_, read := newDatabase(t)
	for _, e := range examples {
		t.Run(e.Title, func(t *testing.T) {
			_, err := read.Exec(e.SQL)
			must(t, err)
		})
	}
}
