package generate

import (
	"testing"
	"time"
)

func TestPacerSpreadsRecordsEvenly(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name string
		rate float64
		ask  []time.Duration // since the start
		want []int
	}{
		{"the first record is due at once", 1, []time.Duration{0}, []int{1}},
		{"a slow rate waits for whole records", 2, []time.Duration{0, 499 * ms, 500 * ms, 600 * ms, 1000 * ms}, []int{1, 0, 1, 0, 1}},
		{"a fast rate sends what a slice holds", 1e6, []time.Duration{0, 1 * ms, 2 * ms}, []int{1, 1000, 1000}},
		{"fractions of records are kept", 1500, []time.Duration{0, 1 * ms, 2 * ms, 3 * ms, 4 * ms}, []int{1, 1, 2, 1, 2}},
		{"a late caller gets no more than a burst", 1e6, []time.Duration{0, 1000 * ms, 1001 * ms}, []int{1, 5000, 1000}},
		{"a burst of a slow rate is one record", 10, []time.Duration{0, 5000 * ms, 5001 * ms}, []int{1, 1, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPacer(test.rate)
			for i, at := range test.ask {
				if due, _ := p.take(at); due != test.want[i] {
					t.Errorf("at %s: %d records due, want %d", at, due, test.want[i])
				}
			}
		})
	}
}

func TestPacerWaitsUntilTheNextRecord(t *testing.T) {
	tests := []struct {
		name string
		rate float64
		want time.Duration
	}{
		{"one a second", 1, time.Second},
		{"a hundred a second", 100, 10 * time.Millisecond},
		{"never less than a slice", 1e6, time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPacer(test.rate)
			if _, wait := p.take(0); wait != test.want {
				t.Errorf("wait %s, want %s", wait, test.want)
			}
		})
	}
}

func TestPacerKeepsTheRateOverTime(t *testing.T) {
	for _, rate := range []float64{1, 333, 10_000, 1e6} {
		p := newPacer(rate)
		sent := 0
		elapsed := time.Duration(0)
		for elapsed < 100*time.Second {
			due, wait := p.take(elapsed)
			sent += due
			elapsed += wait
		}
		if want := rate * 100; float64(sent) < want*0.999 || float64(sent) > want*1.001+1 {
			t.Errorf("rate %g: %d records in 100 s, want %g", rate, sent, want)
		}
	}
}
