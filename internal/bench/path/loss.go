//go:build linux

package main

import (
	"context"

	"github.com/leoluk/NetMeta/internal/bench/process"
)

// loss is how much went missing at one stage, for one reason.
type loss struct {
	stage  string
	unit   string
	reason string // "" where there is only one
	count  int
}

// stages are the counters of what is lost, in the order in which flows pass.
var stages = []struct{ stage, unit, metric, reason string }{
	{"kernel", "datagrams", "netmeta_listen_kernel_drops_total", "listener"},
	{"allow-list", "datagrams", "netmeta_collect_refused_datagrams_total", ""},
	{"decoder", "datagrams, sets or records", "netmeta_decode_errors_total", "reason"},
	{"templates", "sets", "netmeta_exporter_held_sets_total", "outcome"},
	{"queue", "flows", "netmeta_queue_flows_dropped_total", "reason"},
}

// released is what becomes of a set that waited for its template and is not lost.
const released = "released"

// losses are those that the collector and ClickHouse have counted.
func (s *site) losses(ctx context.Context) (all []loss, err error) {
	for _, at := range stages {
		counts, err := process.MetricBy(s.metrics, at.metric, at.reason)
		if err != nil {
			return nil, err
		}
		for _, c := range counts {
			if c.Count > 0 && c.Value != released {
				all = append(all, loss{at.stage, at.unit, c.Value, c.Count})
			}
		}
	}
	refused, err := s.count(ctx, "SELECT count() FROM flows_errors")
	if err == nil && refused > 0 {
		all = append(all, loss{"ClickHouse", "messages", "", refused})
	}
	return all, err
}
