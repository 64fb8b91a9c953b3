package queue

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Reasons for which flows are dropped.
const (
	dropBufferFull = "buffer_full" // Kafka took less than arrived, for as long as Config.Buffer lasts
	dropTooLarge   = "too_large"   // a single flow exceeds the topic's max.message.bytes
	dropRefused    = "refused"     // the broker called the batch invalid again and again
	dropClosed     = "closed"      // appended after, or not delivered before, the end of Close
)

// accepted = acknowledged + dropped + what is buffered, in flows.
var (
	flowsAccepted = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_accepted_total",
		Help: "Flows handed to the queue, counted when their message is full or has lingered: those acknowledged, dropped and buffered together.",
	})
	flowsAcknowledged = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_acknowledged_total",
		Help: "Flows that all in-sync replicas have stored.",
	})
	flowsDropped = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_dropped_total",
		Help: "Flows that will not be delivered, by reason.",
	}, []string{"reason"})
	flowsDoubtful = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_queue_flows_doubtful_total",
		Help: "Flows sent again under a new identity after an attempt without answer: each is stored once or twice.",
	})
	batchesAcknowledged = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_queue_batches_total",
		Help: "Record batches acknowledged.",
	})
	bytesAcknowledged = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_queue_bytes_total",
		Help: "Bytes of acknowledged record batches, compressed.",
	})
	retries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_queue_retries_total",
		Help: "Attempts to store a batch that did not succeed, by reason.",
	}, []string{"reason"})
	bufferedBytes = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_queue_buffered_bytes",
		Help: "Bytes of encoded flows that wait for Kafka, those in flight included.",
	})
	readyGauge = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_queue_ready",
		Help: "1 while Kafka answers and has the topic.",
	})
	lastError = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_queue_last_error_timestamp_seconds",
		Help: "When Kafka last failed to answer, to know the topic or to store a batch.",
	})
)
