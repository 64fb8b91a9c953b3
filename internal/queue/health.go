package queue

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// wholeCluster is the number under which watch reports, where partitions use theirs.
const wholeCluster = -1

// health collects what works and what does not, and logs when that changes.
type health struct {
	log     *slog.Logger
	meters  *meters
	brokers string
	topic   string

	mu         sync.Mutex
	partitions int           // of the topic; 0 until it has been seen
	failing    map[int]error // by partition, or wholeCluster
	said       string        // what was logged last
	since      time.Time     // of when failing is not empty
}

func newHealth(cfg Config, m *meters) *health {
	return &health{
		log:     cfg.Logger,
		meters:  m,
		brokers: strings.Join(cfg.Brokers, ","),
		topic:   cfg.Topic,
		failing: map[int]error{},
	}
}

// found takes in how many partitions the topic has, or why that is not known.
func (h *health) found(partitions int, err error) {
	h.mu.Lock()
	if err == nil {
		h.partitions = partitions
	}
	h.mu.Unlock()
	h.report(wholeCluster, err)
}

// report takes in that a source works (err is nil) or why it does not.
func (h *health) report(source int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.meters.lastError.SetToCurrentTime()
		if len(h.failing) == 0 {
			h.since = time.Now()
		}
		h.failing[source] = err
	} else {
		delete(h.failing, source)
	}
	h.say()
	h.meters.ready.Set(0)
	if h.isReady() {
		h.meters.ready.Set(1)
	}
}

// say logs what is wrong if that is not what it said last.
func (h *health) say() {
	const fine = "fine"
	err := h.worst()
	if err == nil {
		switch h.said {
		case fine:
		case "":
			h.log.Info("queue: connected to Kafka", "brokers", h.brokers, "topic", h.topic)
		default:
			h.log.Info("queue: Kafka takes flows again", "brokers", h.brokers, "topic", h.topic, "after", time.Since(h.since).Round(time.Millisecond))
		}
		h.said = fine
		return
	}
	what, check := explain(err)
	if what == h.said {
		return
	}
	h.said = what
	h.log.Warn("queue: "+what+"; flows wait until it does", "brokers", h.brokers, "topic", h.topic, "error", err, "check", check)
}

// worst returns the error that says most: the cluster's, else that of the first
// partition. A choice by chance would be logged anew with every report.
func (h *health) worst() error {
	if len(h.failing) == 0 {
		return nil
	}
	return h.failing[slices.Min(slices.Collect(maps.Keys(h.failing)))]
}

// isReady tells whether some partition can be expected to take flows.
func (h *health) isReady() bool {
	return h.failing[wholeCluster] == nil && len(h.failing) < h.partitions
}

func (h *health) ready() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isReady()
}

func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.worst()
}
