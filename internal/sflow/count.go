package sflow

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/metrics"
)

var (
	samples = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_sflow_samples_total",
		Help: "sFlow samples received, by kind. Flows come from flow and expanded_flow alone, interface counters from counter and expanded_counter.",
	}, []string{"kind"})
	interfaceCounters = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_sflow_interface_counters_total",
		Help: "Blocks of generic interface counters in counter samples that were handed on. 0 while counter samples arrive: the agents send other counters only.",
	})
	lostSamples = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_sflow_samples_lost_total",
		Help: "Flow samples missing in the numbering of their data sources: lost on the way, or dropped here. Agents that number all sources together count here, too.",
	})

	records      = metrics.Records.WithLabelValues(metrics.SFlow)
	unknownRates = metrics.UnknownRates.WithLabelValues(metrics.SFlow)

	// What each of these costs: the datagram, the datagram, the rest of the datagram,
	// the sample, the sample, the rest of the sample's records, the record.
	badVersion      = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "version")
	badHeader       = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "datagram_header")
	samplesMissing  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "samples_missing")
	badSampleHeader = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "sample_header")
	badRecordCount  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "record_count")
	recordsMissing  = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "records_missing")
	badRecord       = metrics.DecodeErrors.WithLabelValues(metrics.SFlow, "record")
)

// kind is a value of the label of samples.
type kind int

const (
	kindFlow kind = iota
	kindExpandedFlow
	kindCounter
	kindExpandedCounter
	kindDiscardedPacket
	kindOther
	kinds
)

var samplesOf = [kinds]prometheus.Counter{
	kindFlow:            samples.WithLabelValues("flow"),
	kindExpandedFlow:    samples.WithLabelValues("expanded_flow"),
	kindCounter:         samples.WithLabelValues("counter"),
	kindExpandedCounter: samples.WithLabelValues("expanded_counter"),
	kindDiscardedPacket: samples.WithLabelValues("discarded_packet"),
	kindOther:           samples.WithLabelValues("other"),
}

// tally counts what is in one datagram. Sockets share the counters of the metrics, so
// they are touched once for a datagram and not for every sample.
type tally struct {
	samples           [kinds]int
	records, unrated  int
	interfaceCounters int
	lost, unsampled   uint64 // samples; packets
}

// publish adds the tally to the metrics.
func (t *tally) publish() {
	for kind, n := range t.samples {
		add(samplesOf[kind], n)
	}
	add(records, t.records)
	add(unknownRates, t.unrated)
	add(interfaceCounters, t.interfaceCounters)
	add(lostSamples, int(t.lost))
}

func add(counter prometheus.Counter, n int) {
	if n > 0 {
		counter.Add(float64(n))
	}
}
