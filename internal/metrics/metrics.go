// Package metrics holds the counters that several stages share, so that one
// query answers for all protocols. A counter that only one package increments
// is declared in that package, at the top of the file that counts. It also serves
// all of them, and whether the process is well, over HTTP.
package metrics

//go:generate go run ../metricsgen ../.. ../../doc/metrics.md

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Values of the label protocol.
const (
	SFlow    = "sflow"
	NetFlow5 = "netflow5"
	NetFlow9 = "netflow9"
	IPFIX    = "ipfix"

	// Of netmeta agent, where they are values of the label source, too.
	NFLOG     = "nflog"
	Conntrack = "conntrack"
	Mirror    = "mirror"
)

var (
	// DecodeErrors counts what a decoder could not read, one for each datagram, set,
	// sample or record that was given up. Reasons are constants of the decoders, never
	// anything that came from the network.
	DecodeErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_decode_errors_total",
		Help: "Datagrams, sets, samples and records that could not be decoded, by protocol and reason.",
	}, []string{"protocol", "reason"})

	// Records counts the flow records that decoders handed on. What was received of a
	// protocol is Records and DecodeErrors together.
	Records = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_records_total",
		Help: "Flow records decoded and handed on, by protocol.",
	}, []string{"protocol"})

	// UnknownRates counts those of Records whose sampling rate had to be assumed.
	UnknownRates = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_unknown_rate_records_total",
		Help: "Flow records whose sampling rate neither the exporter nor the configuration gives, by protocol; 1 was assumed.",
	}, []string{"protocol"})

	// AgentDrops counts what the kernel says that it could not hand to netmeta agent.
	AgentDrops = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_agent_kernel_drops_total",
		Help: "Sampled packets (nflog, mirror) that the kernel dropped because the agent did not read fast enough, by source: the gaps in the numbering of nflog, the kernel's own count of mirror. Raise --socket-buffer, or sample one in more packets.",
	}, []string{"source"})

	// AgentOverruns counts how often the kernel says that it dropped something.
	AgentOverruns = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_agent_overruns_total",
		Help: "Times that a netlink socket of the agent was full and the kernel dropped messages, by source. How many those were is known for nflog, in netmeta_agent_kernel_drops_total; of conntrack, connections whose end was missed are in netmeta_agent_conntrack_missed_ends_total. Raise --socket-buffer.",
	}, []string{"source"})
)

// Add adds n to a counter that goroutines share, unless it is 0: tallies of a datagram
// mostly are.
func Add(counter prometheus.Counter, n int) {
	if n > 0 {
		counter.Add(float64(n))
	}
}
