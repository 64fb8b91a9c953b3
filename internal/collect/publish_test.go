package collect

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// kept is a Writer that keeps what is written.
type kept struct{ encoded []byte }

func (k *kept) Append(m flow.Message) { k.encoded = m.AppendDelimited(k.encoded) }
func (k *kept) Hold()                 {}
func (k *kept) Release()              {}

// take returns what has been written since, one line for each counter.
func (k *kept) take(t *testing.T) (lines []string) {
	t.Helper()
	r := bytes.NewReader(k.encoded)
	for r.Len() > 0 {
		var c pb.PipelineCounter
		if err := protodelim.UnmarshalFrom(r, &c); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(c.Instance, " ", c.Metric, " ", c.Labels, " ", c.Value, " +", c.Increase))
	}
	k.encoded = nil
	slices.Sort(lines)
	return lines
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCountersArePublishedWithTheirIncreases(t *testing.T) {
	registry := prometheus.NewRegistry()
	total := prometheus.NewCounter(prometheus.CounterOpts{Name: "netmeta_total"})
	ready := prometheus.NewGauge(prometheus.GaugeOpts{Name: "netmeta_ready"})
	single := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "netmeta_single_total"}, []string{"exporter"})
	registry.MustRegister(total, ready, single,
		prometheus.NewCounter(prometheus.CounterOpts{Name: "go_total"}),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "netmeta_seconds"}))
	p, to := newPublisher(registry, "a"), &kept{}
	now := time.Now()

	total.Add(5)
	ready.Set(1)
	single.WithLabelValues("192.0.2.1").Add(7)
	single.WithLabelValues("192.0.2.2").Add(0)
	p.publish(now, to)
	check(t, to.take(t), "a netmeta_ready map[] 1 +0", "a netmeta_single_total map[exporter:192.0.2.1] 7 +7", "a netmeta_single_total map[exporter:192.0.2.2] 0 +0", "a netmeta_total map[] 5 +5")

	total.Add(2)
	single.WithLabelValues("192.0.2.1").Inc()
	p.publish(now.Add(publishInterval), to)
	check(t, to.take(t), "a netmeta_ready map[] 1 +0", "a netmeta_single_total map[exporter:192.0.2.1] 8 +1", "a netmeta_total map[] 7 +2")

	single.DeleteLabelValues("192.0.2.1") // forgotten, and heard of again
	p.publish(now.Add(2*publishInterval), to)
	to.take(t)
	single.WithLabelValues("192.0.2.1").Add(3)
	p.publish(now.Add(3*publishInterval), to)
	check(t, to.take(t), "a netmeta_ready map[] 1 +0", "a netmeta_single_total map[exporter:192.0.2.1] 3 +3", "a netmeta_total map[] 7 +0")
}

func TestIncreasesAreNotCountedTwiceByAProcessThatCollectsAgain(t *testing.T) {
	registry := prometheus.NewRegistry()
	total := prometheus.NewCounter(prometheus.CounterOpts{Name: "netmeta_total"})
	single := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "netmeta_single_total"}, []string{"exporter"})
	registry.MustRegister(total, single)
	first, to := newPublisher(registry, "a"), &kept{}
	total.Add(5)
	single.WithLabelValues("192.0.2.1").Add(7)
	first.publish(time.Now(), to)
	to.take(t)

	total.Add(2)
	single.Reset()
	single.WithLabelValues("192.0.2.1").Add(3) // of a new table
	second := newPublisher(registry, "a")
	second.goOn(first)
	second.publish(time.Now(), to)
	check(t, to.take(t), "a netmeta_single_total map[exporter:192.0.2.1] 3 +3", "a netmeta_total map[] 7 +2")
	if !second.started.Equal(first.started) {
		t.Errorf("the counters are said to have begun at %v, and did at %v", second.started, first.started)
	}
}

func TestWhatCanBeGatheredIsPublishedThoughSomethingFails(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "netmeta_total"}))
	failing := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, _ := registry.Gather()
		return families, errors.New("a collector failed")
	})
	to := &kept{}
	newPublisher(failing, "a").publish(time.Now(), to)
	check(t, to.take(t), "a netmeta_total map[] 0 +0")
}

func TestPublisherHasTheNameOfTheHostUnlessItIsGivenOne(t *testing.T) {
	if p := newPublisher(nil, ""); p.instance == "" {
		t.Error("it has no name")
	}
}
