package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/proctest"
)

func TestSettingsHoldAndChangeWithoutARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config_local.cue")
	write := func(device string, rate int) {
		text := fmt.Sprintf(`package k8s

			netmeta: config: {
				publicHostname: "flowmon.example.com"
				interfaceMap: [
					{device: "::100.0.0.1", idx: 858, description:  "TRANSIT-ABC"},
					{device: "::100.0.0.1", idx: 1126, description: "PEERING-YOLO-COLO"},
				]
				sampler: "::127.0.0.1": {device: %q, samplingRate: %d}
				networks: {"0.0.0.0/0": name: "four", "::/0": name: "six"}
			}`, device, rate)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first", 777)
	i := start(t, t.TempDir(), "--settings", file)
	send := func() {
		if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.NetFlow5, To: i.NetFlowLegacy, Flows: 300, Rate: 10_000, Exporters: 1, Seed: 7, SamplingRates: []uint32{10}}); err != nil {
			t.Fatal(err)
		}
	}
	i.waitFor(t, "TRANSIT-ABC\tPEERING-YOLO-COLO\t3", "SELECT interfaceName(parseAddress('100.0.0.1'), 858), interfaceName(parseAddress('100.0.0.1'), 1126), interfaceName(parseAddress('100.0.0.1'), 3)")
	send()
	i.waitFor(t, "first\t777\tconfigured\tfour", "SELECT DISTINCT SamplerName, SamplingRate, SamplingRateSource, SrcNetName FROM flows")
	write("second", 888)
	if err := i.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "second", "SELECT DISTINCT SamplerName FROM flows")
	send()
	i.waitFor(t, "[777,888]", "SELECT arraySort(groupUniqArray(SamplingRate)) FROM flows")
}

// The datagrams are those of internal/netflow/testdata, whose bytes are explained there.
func TestNamesOfInterfacesInOptionsDataReachQueries(t *testing.T) {
	t.Chdir("../../internal/netflow")
	i := start(t, t.TempDir())
	to, err := net.Dial("udp", i.NetFlow)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, name := range []string{"interfaces-ipfix", "v9", "interfaces-v9"} {
		if _, err := to.Write(golden.Bytes(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	i.waitFor(t, "3\tge-0/0/3 (peering)\t4\tlo0.0", "SELECT InputInterface, InIfName, OutputInterface, OutIfName FROM flows")
	i.waitFor(t, "1\tGi0/1\toptions\n2\tTe0/2 (transit Münster)\toptions\n3\tge-0/0/3 (peering)\toptions\n4\tlo0.0\toptions",
		"SELECT Interface, Name, Source FROM interface_names ORDER BY Interface")
	if names := i.metric(t, "netmeta_netflow_interface_names_total", ""); names != 4 {
		t.Errorf("%v names were counted, want 4", names)
	}
}

func TestSettingsWithAMistakeAreRefusedAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names.yaml")
	if err := os.WriteFile(file, []byte("interfaceMap:\n- {device: router1, idx: 1, description: a}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := proctest.Start(t, "--data-dir", t.TempDir(), "--settings", file)
	select {
	case <-p.Done:
	case <-time.After(time.Minute):
		t.Fatal("it runs")
	}
	if text := p.Log.String(); p.Err == nil || !strings.Contains(text, "--settings: "+file+`: interfaceMap.0.device: "router1" is no IP address`) {
		t.Errorf("%v: %s", p.Err, text)
	}
}
