//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/bench/process"
)

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
				return process.Metric(local(at.metrics), "goflow2_flow_process_sf_samples_total", "")
			}
			return process.Metric(local(at.metrics), "goflow2_flow_process_nf_flowset_records_total", `type="DataFlowSet"`)
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
