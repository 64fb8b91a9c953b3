//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/bench/process"
	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
)

// socketBuffer is the receive buffer that every collector that has an option for it
// asks for: netmeta's default. What the kernel grants is up to net.core.rmem_max, and
// to what the collector does to get more.
const socketBuffer = collect.DefaultSocketBuffer

// collector is a program to measure.
type collector struct {
	name       string
	needsKafka bool
	command    func(protocol string, at place) ([]string, error)
	// count returns how many records the collector says to have processed since it was
	// started; of traffic t. Where afterStop is set it is called when the program has
	// ended.
	count     func(t traffic, at place) (int, error)
	afterStop bool
	// slack is how many records may be on their way inside the collector for as long as
	// nothing more arrives, where they are neither lost nor counted.
	slack int
}

func collectorNames() []string {
	return []string{"netmeta", "netmeta-kafka", "nfdump", "pmacct", "goflow2"}
}

// choose returns the collectors that o names.
func choose(o options) ([]collector, error) {
	all := map[string]collector{
		"netmeta":       netmetaToFile(o.netmeta),
		"netmeta-kafka": netmetaToKafka(o.netmeta),
		"nfdump":        nfdump(),
		"pmacct":        pmacct(),
		"goflow2":       goflow2(o.goflow2),
	}
	var chosen []collector
	for _, name := range strings.Split(o.collectors, ",") {
		c, known := all[name]
		if !known {
			return nil, fmt.Errorf("collector %q: must be one of %v", name, collectorNames())
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}

func netmeta(program, protocol string, at place, destination ...string) []string {
	listeners := map[string]string{"sflow": "", "netflow": "", "netflow-legacy": ""}
	if protocol == "sflow" {
		listeners["sflow"] = local(at.port)
	} else {
		listeners["netflow"] = local(at.port)
	}
	command := []string{program, "collect", "--metrics", local(at.metrics), "--socket-buffer", strconv.Itoa(socketBuffer)}
	for flag, address := range listeners {
		command = append(command, "--"+flag, address)
	}
	return append(command, destination...)
}

func netmetaToFile(program string) collector {
	return collector{
		name: "netmeta",
		command: func(protocol string, at place) ([]string, error) {
			return netmeta(program, protocol, at, "--output", os.DevNull), nil
		},
		count: counter("netmeta_output_messages_written_total", ""),
	}
}

func netmetaToKafka(program string) collector {
	return collector{
		name:       "netmeta-kafka",
		needsKafka: true,
		command: func(protocol string, at place) ([]string, error) {
			return netmeta(program, protocol, at, "--kafka", at.kafka), nil
		},
		count: counter("netmeta_queue_flows_acknowledged_total", `topic="`+flow.Topic+`"`),
	}
}

// counter returns a collector.count that reads a metric.
func counter(name, label string) func(traffic, place) (int, error) {
	return func(_ traffic, at place) (int, error) { return process.Metric(local(at.metrics), name, label) }
}
