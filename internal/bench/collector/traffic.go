//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/replay"
)

// protocols are the names of what is measured, in the order of the report.
var protocols = []string{"sflow", "netflow9", "ipfix"}

// traffic is what is sent again and again.
type traffic struct {
	protocol string
	cycle    [][]byte // datagrams; templates come before what needs them
	records  int      // in a cycle
	packets  int      // sum of the counters of packets of the records in a cycle
}

// perDatagram is the mean number of records of a datagram.
func (t traffic) perDatagram() float64 { return float64(t.records) / float64(len(t.cycle)) }

// capture is a datagram of a real exporter, and what is known to be in it.
type capture struct {
	template string // path below the directory of captures; "" where none is needed
	data     string
	records  int
	packets  int
}

// captures have one data datagram each.
var captures = map[string]capture{
	// Expanded flow samples of a Juniper-like router: raw header, extended switch,
	// router and gateway data.
	"sflow": {data: "goflow2/extracted/sflow_test.TestExpandedSFlowDecode.data.bin", records: 5, packets: 5},
	// A Cisco ASR 9000 with 23 fields a record.
	"netflow9": {
		template: "goflow2/extracted/netflow_test.TestDecodeNetFlowV9.template.bin",
		data:     "goflow2/extracted/netflow_test.TestDecodeNetFlowV9.data.bin", records: 21, packets: 23,
	},
	// OpenBSD's pflow.
	"ipfix": {
		template: "logstash-codec-netflow/spec/codecs/ipfix_test_openbsd_pflow_tpl.dat",
		data:     "logstash-codec-netflow/spec/codecs/ipfix_test_openbsd_pflow_data.dat", records: 26, packets: 209,
	},
}

// templateEvery is after how many data datagrams templates are sent again.
const templateEvery = 250

// load returns the datagrams of a protocol: of the captures in directory, or generated
// ones where directory is empty.
func load(ctx context.Context, protocol, directory string) (traffic, error) {
	c, known := captures[protocol]
	if !known {
		return traffic{}, fmt.Errorf("protocol %q: must be one of %v", protocol, protocols)
	}
	if directory == "" {
		return synthesize(ctx, protocol)
	}
	t := traffic{protocol: protocol}
	if c.template != "" {
		templates, err := read(filepath.Join(directory, c.template))
		if err != nil {
			return traffic{}, err
		}
		t.cycle = append(t.cycle, templates...)
	}
	data, err := read(filepath.Join(directory, c.data))
	if err != nil {
		return traffic{}, err
	}
	for range templateEvery {
		t.cycle = append(t.cycle, data[0])
	}
	t.records, t.packets = templateEvery*c.records, templateEvery*c.packets
	return t, nil
}

func read(path string) ([][]byte, error) {
	var datagrams [][]byte
	for d, err := range replay.Datagrams(path) {
		if err != nil {
			return nil, fmt.Errorf("read a datagram to replay: %w", err)
		}
		datagrams = append(datagrams, d.Payload)
	}
	if len(datagrams) == 0 {
		return nil, fmt.Errorf("read a datagram to replay: there is none in %s", path)
	}
	return datagrams, nil
}

// synthesize has a synthetic exporter send to a socket of ours.
func synthesize(ctx context.Context, protocol string) (traffic, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return traffic{}, fmt.Errorf("receive what the synthetic exporter sends: %w", err)
	}
	defer conn.Close()
	t := traffic{protocol: protocol}
	received := make(chan error, 1)
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				received <- err
				return
			}
			t.cycle = append(t.cycle, append([]byte(nil), buffer[:n]...))
		}
	}()
	sent, err := generate.Run(ctx, generate.Options{
		Protocol: generate.Protocol(protocol), To: conn.LocalAddr().String(),
		Flows: 5000, Rate: 20_000, Exporters: 1, Seed: 1, SamplingRates: []uint32{1000},
	})
	if err != nil {
		return traffic{}, fmt.Errorf("generate %s: %w", protocol, err)
	}
	// What was sent is in the socket's buffer already: loopback does not delay.
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if err := <-received; !errors.Is(err, os.ErrDeadlineExceeded) {
		return traffic{}, fmt.Errorf("receive what the synthetic exporter sends: %w", err)
	}
	if len(t.cycle) != int(sent.Datagrams) {
		return traffic{}, fmt.Errorf("the synthetic exporter sent %d datagrams of %s and %d arrived", sent.Datagrams, protocol, len(t.cycle))
	}
	for _, e := range sent.Exporters {
		t.records += int(e.Records)
		t.packets += int(e.Packets)
	}
	return t, nil
}
