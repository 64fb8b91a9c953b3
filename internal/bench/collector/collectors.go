//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
)

// socketBuffer is the receive buffer that every collector that has an option for it
// is given.
const socketBuffer = 4 << 20

// place is where one run of a collector listens and writes.
type place struct {
	port    int // UDP, for datagrams
	metrics int // TCP, where the collector serves metrics
	dir     string
	kafka   string // HOST:PORT of a broker, for a collector that needs one
}

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
		count: counter("netmeta_output_messages_written_total"),
	}
}

func netmetaToKafka(program string) collector {
	return collector{
		name:       "netmeta-kafka",
		needsKafka: true,
		command: func(protocol string, at place) ([]string, error) {
			return netmeta(program, protocol, at, "--kafka", at.kafka), nil
		},
		count: counter("netmeta_queue_flows_acknowledged_total"),
	}
}

// goflow2 writes protobuf to /dev/null too.
func goflow2(program string) collector {
	return collector{
		name: "goflow2",
		command: func(protocol string, at place) ([]string, error) {
			scheme := "netflow"
			if protocol == "sflow" {
				scheme = "sflow"
			}
			return []string{program, "-addr", local(at.metrics), "-format", "bin", "-transport", "file",
				"-transport.file", os.DevNull, "-listen", scheme + "://" + local(at.port) + "?workers=2"}, nil
		},
		count: func(t traffic, at place) (int, error) {
			if t.protocol == "sflow" {
				return readMetric(at.metrics, "goflow2_flow_process_sf_samples_total", "")
			}
			return readMetric(at.metrics, "goflow2_flow_process_nf_flowset_records_total", `type="DataFlowSet"`)
		},
	}
}

// nfdump is the collectors of the nfdump package, which write files of their own format.
func nfdump() collector {
	return collector{
		name: "nfdump",
		command: func(protocol string, at place) ([]string, error) {
			program := "nfcapd"
			if protocol == "sflow" {
				program = "sfcapd"
			}
			return []string{program, "-b", "127.0.0.1", "-p", strconv.Itoa(at.port), "-w", at.dir,
				"-B", strconv.Itoa(socketBuffer), "-t", "3600"}, nil
		},
		afterStop: true,
		count: func(_ traffic, at place) (int, error) {
			files, err := filepath.Glob(filepath.Join(at.dir, "nfcapd.*"))
			if err != nil {
				return 0, err
			}
			sum := 0
			for _, path := range files {
				out, err := exec.Command("nfdump", "-I", "-r", path).Output()
				if err != nil {
					return 0, fmt.Errorf("count the records that nfdump has stored in %s: %w", path, err)
				}
				n, err := parseStored(string(out))
				if err != nil {
					return 0, fmt.Errorf("count the records that nfdump has stored in %s: %w", path, err)
				}
				sum += n
			}
			return sum, nil
		},
	}
}

// parseStored returns the number of flows in the summary that nfdump -I prints.
func parseStored(summary string) (int, error) {
	for line := range strings.Lines(summary) {
		if flows, found := strings.CutPrefix(line, "Flows: "); found {
			return strconv.Atoi(strings.TrimSpace(flows))
		}
	}
	return 0, fmt.Errorf("no line with the flows in %q", summary)
}

const (
	pmacctBuffer = 64 << 10 // bytes in which the core process hands over records
	pmacctRecord = 64       // bytes of a record there, at least
)

// pmacct keeps flows in memory, summed by eleven keys. As few different ones are sent,
// that is the best case for it.
func pmacct() collector {
	return collector{
		name: "pmacct",
		command: func(protocol string, at place) ([]string, error) {
			program := "nfacctd"
			if protocol == "sflow" {
				program = "sfacctd"
			}
			path := filepath.Join(at.dir, "pmacct.conf")
			return []string{program, "-f", path}, os.WriteFile(path, []byte(pmacctConfig(program, at)), 0o644)
		},
		count: func(t traffic, at place) (int, error) {
			out, err := exec.Command("pmacct", "-s", "-O", "json", "-p", filepath.Join(at.dir, "pmacct.pipe")).Output()
			if err != nil {
				return 0, fmt.Errorf("count the records that pmacct holds: %w", err)
			}
			packets, err := parsePackets(strings.NewReader(string(out)))
			return int(float64(packets) * float64(t.records) / float64(t.packets)), err
		},
		slack: pmacctBuffer / pmacctRecord,
	}
}

func pmacctConfig(program string, at place) string {
	return fmt.Sprintf(`daemonize: false
plugins: memory[all]
aggregate[all]: src_host, dst_host, src_port, dst_port, proto, tos, in_iface, out_iface, src_as, dst_as, tcpflags
imt_path[all]: %s
plugin_pipe_size: %d
plugin_buffer_size: %d
%[4]s_ip: 127.0.0.1
%[4]s_port: %[5]d
%[4]s_pipe_size: %[6]d
`, filepath.Join(at.dir, "pmacct.pipe"), 64<<20, pmacctBuffer, program, at.port, socketBuffer)
}

// parsePackets sums the packets of what pmacct prints: an object a line.
func parsePackets(in io.Reader) (sum int, err error) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var entry struct{ Packets int }
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			return sum, fmt.Errorf("read what pmacct holds: %w", err)
		}
		sum += entry.Packets
	}
	return sum, lines.Err()
}

// counter returns a collector.count that reads a metric.
func counter(name string) func(traffic, place) (int, error) {
	return func(_ traffic, at place) (int, error) { return readMetric(at.metrics, name, "") }
}

// readMetric sums a metric that is served on a port, over all series with the label.
func readMetric(port int, name, label string) (int, error) {
	response, err := http.Get("http://" + local(port) + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read the collector's metrics: %w", err)
	}
	defer response.Body.Close()
	return sumMetric(response.Body, name, label)
}

// sumMetric reads Prometheus's text format.
func sumMetric(in io.Reader, name, label string) (int, error) {
	sum, lines := 0.0, bufio.NewScanner(in)
	for lines.Scan() {
		series, found := strings.CutPrefix(lines.Text(), name)
		if !found || !strings.HasPrefix(series, "{") && !strings.HasPrefix(series, " ") || !strings.Contains(series, label) {
			continue
		}
		value, err := strconv.ParseFloat(series[strings.LastIndexByte(series, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s: %w", name, err)
		}
		sum += value
	}
	return int(sum), lines.Err()
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
		Address: local(0), DataDir: filepath.Join(dir, "kafka"), Topics: []broker.Topic{{Name: flow.Topic, Partitions: 1}},
	})
	if err != nil {
		end()
		return at, nil, fmt.Errorf("start a broker: %w", err)
	}
	at.kafka = kafka.Address()
	return at, func() { kafka.Close(); os.RemoveAll(dir) }, nil
}
