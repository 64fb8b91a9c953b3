package queue

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Reasons for which flows are dropped.
const (
	dropBufferFull = "buffer_full"   // the spool or, without one, Kafka took less than arrived, for longer than the memory of --kafka-buffer lasts
	dropSpoolFull  = "spool_full"    // Kafka was away for longer than --spool-size lasts
	dropDamaged    = "spool_damaged" // the spool could not be read back
	dropTooLarge   = "too_large"     // a single flow exceeds the topic's max.message.bytes
	dropRefused    = "refused"       // the broker called the batch invalid again and again
	dropEncode     = "encode"        // the compressor failed
	dropClosed     = "closed"        // received after, or not delivered before, the end of the process
)

// accepted + recovered = acknowledged + dropped + what waits, in flows. Every series belongs
// to one topic, as a process may have a queue to each of several.
var (
	flowsAccepted = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_accepted_total",
		Help: "Flows handed to the queue, counted when their message is full or has lingered: those acknowledged, dropped and waiting together.",
	}, []string{"topic"})
	flowsSpooled = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_spooled_total",
		Help: "Flows written to the spool, where they outlive the process. Where it falls behind the accepted ones, flows are in memory only: look at netmeta_queue_spool_errors_total.",
	}, []string{"topic"})
	flowsRecovered = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_recovered_total",
		Help: "Flows that an earlier process had left in the spool when this one started.",
	}, []string{"topic"})
	flowsAcknowledged = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_acknowledged_total",
		Help: "Flows that all in-sync replicas have stored.",
	}, []string{"topic"})
	flowsDropped = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_dropped_total",
		Help: "Flows that will not be delivered, by reason.",
	}, []string{"topic", "reason"})
	flowsDoubtful = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_doubtful_total",
		Help: "Flows sent again under a new identity after an attempt without answer: each is stored once or twice.",
	}, []string{"topic"})
	batchesAcknowledged = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_batches_total",
		Help: "Record batches acknowledged.",
	}, []string{"topic"})
	bytesAcknowledged = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_bytes_total",
		Help: "Bytes of acknowledged record batches, compressed.",
	}, []string{"topic"})
	retries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_retries_total",
		Help: "Attempts to store a batch that did not succeed, by reason.",
	}, []string{"topic", "reason"})
	bufferedBytes = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_buffered_bytes",
		Help: "Bytes of encoded flows in memory that wait for Kafka, those in flight included.",
	}, []string{"topic"})
	readyGauge = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_ready",
		Help: "1 while Kafka answers, has the topic, and some partition of it takes flows.",
	}, []string{"topic"})
	spoolBytes = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_spool_bytes",
		Help: "Bytes of record batches on disk that wait for Kafka. It grows while Kafka is away or slow; flows are dropped when it comes to the configured limit.",
	}, []string{"topic"})
	spoolBatches = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_spool_batches",
		Help: "Record batches on disk that wait for Kafka, those in flight included.",
	}, []string{"topic"})
	spoolFlows = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_spool_flows",
		Help: "Flows on disk that wait for Kafka, those in flight included.",
	}, []string{"topic"})
	spoolOldest = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_spool_oldest_seconds",
		Help: "For how long the batch has been in the spool that has waited longest for Kafka; 0 when none waits.",
	}, []string{"topic"})
	spoolErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_spool_errors_total",
		Help: "Operations on files of the spool that failed. While it grows, flows wait in memory and are lost with the process: look at the disk, and at the log for what failed.",
	}, []string{"topic"})
	lastError = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_queue_last_error_timestamp_seconds",
		Help: "When Kafka last failed to answer, to know the topic or to store a batch.",
	}, []string{"topic"})
)

// meters are the metrics of one topic.
type meters struct {
	accepted, recovered, spooled, acknowledged, doubtful prometheus.Counter // flows
	batches, bytes, spoolErrors                          prometheus.Counter
	dropped, retries                                     *prometheus.CounterVec // by reason
	buffered, ready, lastError                           prometheus.Gauge
	spoolBytes, spoolBatches, spoolFlows, spoolOldest    prometheus.Gauge
}

func newMeters(topic string) *meters {
	of := prometheus.Labels{"topic": topic}
	return &meters{
		accepted:     flowsAccepted.With(of),
		recovered:    flowsRecovered.With(of),
		spooled:      flowsSpooled.With(of),
		acknowledged: flowsAcknowledged.With(of),
		doubtful:     flowsDoubtful.With(of),
		batches:      batchesAcknowledged.With(of),
		bytes:        bytesAcknowledged.With(of),
		dropped:      flowsDropped.MustCurryWith(of),
		retries:      retries.MustCurryWith(of),
		buffered:     bufferedBytes.With(of),
		spoolBytes:   spoolBytes.With(of),
		spoolBatches: spoolBatches.With(of),
		spoolFlows:   spoolFlows.With(of),
		spoolOldest:  spoolOldest.With(of),
		spoolErrors:  spoolErrors.With(of),
		ready:        readyGauge.With(of),
		lastError:    lastError.With(of),
	}
}

func (m *meters) drop(reason string, flows int) {
	m.dropped.WithLabelValues(reason).Add(float64(flows))
}
