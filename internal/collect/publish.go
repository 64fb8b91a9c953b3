package collect

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

const (
	// publishInterval is how often PipelineCounters are written.
	publishInterval = 10 * time.Second
	// ownMetrics is the prefix of the metrics that are written. Those of the Go runtime
	// say nothing about flows.
	ownMetrics = "netmeta_"
	// exporterLabel is the label of metrics of which there may be thousands.
	exporterLabel = "exporter"
)

// publisher writes the program's own metrics as PipelineCounters, so that what was lost
// can be asked for in SQL.
type publisher struct {
	gatherer prometheus.Gatherer
	instance string
	started  time.Time
	written  map[string]float64 // the values that were written last, by metric and labels
	failing  bool
}

// Publish writes the process' own counters as those of instance, or of the host's name
// where that is empty, every 10 seconds until ctx ends, and then once more. It goes on where an earlier call has
// ended.
func Publish(ctx context.Context, instance string, to Writer) {
	p := newPublisher(prometheus.DefaultGatherer, instance)
	p.goOn(published.Load())
	p.run(ctx, to)
	published.Store(p)
}

func newPublisher(gatherer prometheus.Gatherer, instance string) *publisher {
	if instance == "" {
		// Without a name, counters of several collectors could not be told apart; there
		// is none only where the kernel has none.
		instance, _ = os.Hostname()
	}
	return &publisher{gatherer: gatherer, instance: instance, started: time.Now(), written: map[string]float64{}}
}

// published is the publisher of the collector that this process had before, if any: it
// may have stood by in between.
var published atomic.Pointer[publisher]

// goOn has p write on what another one has written of the same counters. Those of single
// exporters begin anew with each collector.
func (p *publisher) goOn(before *publisher) {
	if before == nil {
		return
	}
	p.started, p.written = before.started, maps.Clone(before.written)
	maps.DeleteFunc(p.written, func(series string, _ float64) bool { return strings.Contains(series, "\x00"+exporterLabel+"\x00") })
}

// run publishes until ctx ends, and then once more.
func (p *publisher) run(ctx context.Context, to Writer) {
	ticker := time.NewTicker(publishInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.publish(time.Now(), to)
			return
		case now := <-ticker.C:
			p.publish(now, to)
		}
	}
}

// publish writes counters and gauges: those of single exporters where they have changed,
// all others always, so that a missing row means a missing collector.
func (p *publisher) publish(now time.Time, to Writer) {
	families, err := p.gatherer.Gather()
	if err != nil && !p.failing { // what could be gathered is there all the same
		slog.Error("collect: some of the collector's own metrics are not written to Kafka", "error", err)
	}
	p.failing = err != nil
	seen := make(map[string]float64, len(p.written))
	for _, family := range families {
		name := family.GetName()
		if !strings.HasPrefix(name, ownMetrics) {
			continue
		}
		for _, metric := range family.GetMetric() {
			counter := p.counter(name, metric)
			if counter == nil {
				continue
			}
			key := series(counter)
			before, known := p.written[key]
			seen[key] = counter.Value
			if metric.Counter != nil {
				counter.Increase = counter.Value - before
			}
			if _, many := counter.Labels[exporterLabel]; many && known && counter.Value == before {
				continue
			}
			counter.Time = uint64(now.Unix())
			to.Append(flow.NewPipelineCounter(counter))
		}
	}
	p.written = seen
}

// counter returns what a metric shows, nil if it is neither a counter nor a gauge.
func (p *publisher) counter(name string, metric *dto.Metric) *pb.PipelineCounter {
	counter := &pb.PipelineCounter{Instance: p.instance, Started: uint64(p.started.Unix()), Metric: name, Labels: map[string]string{}}
	switch {
	case metric.Counter != nil:
		counter.Value = metric.Counter.GetValue()
	case metric.Gauge != nil:
		counter.Value = metric.Gauge.GetValue()
	default:
		return nil
	}
	for _, label := range metric.GetLabel() {
		counter.Labels[label.GetName()] = label.GetValue()
	}
	return counter
}

// series identifies a metric with its labels.
func series(counter *pb.PipelineCounter) string {
	var key strings.Builder
	key.WriteString(counter.Metric)
	for _, name := range slices.Sorted(maps.Keys(counter.Labels)) {
		key.WriteString("\x00" + name + "\x00" + counter.Labels[name])
	}
	return key.String()
}
