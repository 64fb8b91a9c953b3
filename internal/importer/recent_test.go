package importer

import (
	"context"
	"fmt"
	"testing"

	"github.com/leoluk/NetMeta/internal/queue"
)

func TestTheNewestDeliveriesAreKnownAndMemoryForThemIsBounded(t *testing.T) {
	const most = 100
	r := newRecent(most)
	for n := range 10 * most {
		r.add(NewDeliveryID(fmt.Sprint(n)))
		for back := range min(n+1, most) {
			if !r.has(NewDeliveryID(fmt.Sprint(n - back))) {
				t.Fatalf("after %d deliveries, the one %d before is not known", n, back)
			}
		}
		if known := len(r.all()); known > 2*most {
			t.Fatalf("%d are remembered", known)
		}
	}
	if r.has(NewDeliveryID("1")) {
		t.Error("an old one is known")
	}
}

// notes is a Sink that keeps what is noted.
type notes struct{ all []Note }

func (s *notes) Resume(context.Context) ([]Note, error) { return s.all, nil }
func (s *notes) Send(_ context.Context, n Note, _ []queue.Content) error {
	s.all = append(s.all, n)
	return nil
}
func (s *notes) Compact(n Note) error { s.all = []Note{n}; return nil }
func (s *notes) Close() error         { return nil }

func TestAReceiverKeepsItsStateSmallAndKnowsDeliveriesAfterARestart(t *testing.T) {
	sink := &notes{}
	const most, deliveries = 50, 500
	take := func(r *Receiver, n int) bool {
		again, err := r.Take(t.Context(), Delivery{ID: NewDeliveryID(fmt.Sprint(n))})
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	for start := 0; start < deliveries; start += 70 {
		r, err := Receive(t.Context(), Config{Sink: sink, Remember: most})
		if err != nil {
			t.Fatal(err)
		}
		for n := start; n < min(start+70, deliveries); n++ {
			if take(r, n) {
				t.Fatalf("delivery %d had come before", n)
			}
			if !take(r, max(0, n-most+1)) {
				t.Fatalf("delivery %d is not known %d later", n-most+1, most-1)
			}
		}
		if report := r.Close(t.Context()); report.Deliveries != min(70, deliveries-start) || report.Repeated != report.Deliveries {
			t.Errorf("the report is %+v", report)
		}
		if kept := newKnown(sink.all).sum(); len(kept.Deliveries) > 3*most {
			t.Fatalf("%d ids are kept", len(kept.Deliveries))
		}
	}
}
