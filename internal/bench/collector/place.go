//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
)

// place is where one run of a collector listens and writes.
type place struct {
	port    int // UDP, for datagrams
	metrics int // TCP, where the collector serves metrics
	dir     string
	kafka   string // HOST:PORT of a broker, for a collector that needs one
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// newPlace finds free ports, and starts a broker where the collector needs one. end
// takes everything away again.
func newPlace(ctx context.Context, c collector) (at place, end func(), err error) {
	dir, err := os.MkdirTemp("", "netmeta-bench-")
	if err != nil {
		return at, nil, fmt.Errorf("make a directory for a collector: %w", err)
	}
	end = func() { os.RemoveAll(dir) }
	at.dir = dir
	udp, err := net.ListenPacket("udp4", local(0))
	if err != nil {
		end()
		return at, nil, fmt.Errorf("find a free port: %w", err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp4", local(0))
	if err != nil {
		end()
		return at, nil, fmt.Errorf("find a free port: %w", err)
	}
	defer tcp.Close()
	at.port, at.metrics = udp.LocalAddr().(*net.UDPAddr).Port, tcp.Addr().(*net.TCPAddr).Port
	if !c.needsKafka {
		return at, end, nil
	}
	kafka, err := broker.Start(ctx, broker.Options{
		Address: local(0), DataDir: filepath.Join(dir, "kafka"), Topics: []broker.Topic{{Name: flow.Topic, Partitions: 1}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}},
	})
	if err != nil {
		end()
		return at, nil, fmt.Errorf("start a broker: %w", err)
	}
	at.kafka = kafka.Address()
	return at, func() { kafka.Close(); os.RemoveAll(dir) }, nil
}
