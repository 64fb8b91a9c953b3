package console

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Counters of the collector that the console shows.
const (
	metricDatagrams     = "netmeta_listen_datagrams_total"
	metricKernelDrops   = "netmeta_listen_kernel_drops_total"
	metricReceiveErrors = "netmeta_listen_errors_total"
	metricReceivedBytes = "netmeta_listen_bytes_total"
	metricRefused       = "netmeta_collect_refused_datagrams_total"
	metricLost          = "netmeta_exporter_lost_total"
	metricLate          = "netmeta_exporter_late_total"
	metricHeldSets      = "netmeta_exporter_held_sets"
	metricHeldEnded     = "netmeta_exporter_held_sets_total"
	metricLimited       = "netmeta_exporter_limited_flows_total"
	metricRecords       = "netmeta_records_total"
	metricDecodeErrors  = "netmeta_decode_errors_total"
	metricAcknowledged  = "netmeta_queue_flows_acknowledged_total"
	metricDropped       = "netmeta_queue_flows_dropped_total"
	metricDoubtful      = "netmeta_queue_flows_doubtful_total"
	metricBuffered      = "netmeta_queue_buffered_bytes"
	metricQueueReady    = "netmeta_queue_ready"
)

// snapshot is what all stages said at one moment.
type snapshot struct {
	at       time.Time
	counters map[string]map[string]float64 // by metric, then by its label values, joined with a space

	stored    stored
	storedErr error
	lag       float64
	lagErr    error
	noLag     bool // nobody is asked for it
	readyErr  error
}

func (s *snapshot) knowsLag() bool { return s.lagErr == nil && !s.noLag }

// gatherCounters reads NetMeta's counters and gauges.
func gatherCounters(gatherer prometheus.Gatherer) (map[string]map[string]float64, error) {
	families, err := gatherer.Gather()
	counters := map[string]map[string]float64{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "netmeta_") {
			continue
		}
		byLabels := map[string]float64{}
		for _, metric := range family.GetMetric() {
			byLabels[labelValues(metric)] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
		counters[family.GetName()] = byLabels
	}
	return counters, err
}

func labelValues(metric *dto.Metric) string {
	var values []string
	for _, label := range metric.GetLabel() {
		values = append(values, label.GetValue())
	}
	return strings.Join(values, " ")
}

// sum returns the value of metric over all labels.
func (s *snapshot) sum(metric string) float64 {
	var total float64
	for _, value := range s.counters[metric] {
		total += value
	}
	return total
}

// reading takes one number from a snapshot; ok is false where it was not to be had.
type reading func(*snapshot) (value float64, ok bool)

func ofCounter(metric string) reading {
	return func(s *snapshot) (float64, bool) { return s.sum(metric), true }
}

// ofSeries reads metric at its label values, joined with a space.
func ofSeries(metric, labels string) reading {
	return func(s *snapshot) (float64, bool) { return s.counters[metric][labels], true }
}

// ofGaps is what is missing in the sequence numbers of exporters: what came late is not.
func ofGaps(s *snapshot) (float64, bool) { return max(0, s.sum(metricLost)-s.sum(metricLate)), true }

// Of the queues only the one with flows is part of the path that the console shows.
var ofAcknowledged = ofSeries(metricAcknowledged, flow.Topic)

func ofRows(s *snapshot) (float64, bool)        { return s.stored.rows, s.storedErr == nil }
func ofParseErrors(s *snapshot) (float64, bool) { return s.stored.errors, s.storedErr == nil }

// How far back rates look, and how far back a loss is news.
const (
	rateHorizon = 15 * time.Second
	newsHorizon = time.Minute
)

// history holds the snapshots of the last minute, oldest first: those of Watch, and
// those that browsers ask for.
type history struct {
	mu        sync.Mutex
	snapshots []*snapshot
}

// add appends s and returns the history as it is then.
func (h *history) add(s *snapshot) trend {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.snapshots = slices.DeleteFunc(h.snapshots, func(old *snapshot) bool {
		return s.at.Sub(old.at) > newsHorizon
	})
	h.snapshots = append(h.snapshots, s)
	return slices.Clone(h.snapshots)
}

// trend is a run of snapshots, oldest first, at least one.
type trend []*snapshot

func (t trend) now() *snapshot { return t[len(t)-1] }

// change returns by how much r grew within the horizon, and over how long; ok is
// false where there is nothing to compare with. Where it shrank (a restart, an end
// of retention), it did not grow.
func (t trend) change(r reading, horizon time.Duration) (growth float64, over time.Duration, ok bool) {
	value, ok := r(t.now())
	if !ok {
		return 0, 0, false
	}
	for _, before := range t[:len(t)-1] {
		over = t.now().at.Sub(before.at)
		earlier, ok := r(before)
		if ok && over <= horizon && over > 0 {
			return max(0, value-earlier), over, true
		}
	}
	return 0, 0, false
}

// rate returns r's growth per second, nil where it is not known.
func (t trend) rate(r reading) *float64 {
	growth, over, ok := t.change(r, rateHorizon)
	if !ok {
		return nil
	}
	perSecond := growth / over.Seconds()
	return &perSecond
}

// recent returns r's growth within the last minute, 0 where it is not known.
func (t trend) recent(r reading) float64 {
	growth, _, _ := t.change(r, newsHorizon)
	return growth
}
