package collect_test

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// kept is an output that keeps what it gets.
type kept struct {
	mu       sync.Mutex
	flows    []flow.Record
	counters []flow.Counters
}

func (k *kept) Append(m flow.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch m := m.(type) {
	case *flow.Record:
		k.flows = append(k.flows, *m)
	case *flow.Counters:
		k.counters = append(k.counters, *m)
	}
}

func (k *kept) Hold()    {}
func (k *kept) Release() {}

func (k *kept) lens() (flows, counters int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.flows), len(k.counters)
}

func (k *kept) outputs() collect.Outputs {
	writer := func() collect.Writer { return k }
	return collect.Outputs{Flows: writer, Counters: writer}
}

// running is a collector whose output is kept.
type running struct {
	*collect.Collector
	*kept
}

func run(t *testing.T, config collect.Config) running {
	t.Helper()
	config.SFlow, config.NetFlow, config.Sockets, config.SocketBuffer = anyPort, anyPort, 1, 1<<20
	k := &kept{}
	c, err := collect.Start(config, k.outputs())
	if err != nil {
		t.Fatal(err)
	}
	return running{c, k}
}

// send sends datagrams, which are written as hex, to the port of their protocol.
func (r running) send(t *testing.T, datagrams ...string) {
	t.Helper()
	for _, text := range datagrams {
		payload := unhex(t, text)
		to := r.Listeners()[1] // NetFlow
		if binary.BigEndian.Uint32(payload) == 5 {
			to = r.Listeners()[0]
		}
		conn, err := net.Dial("udp", to.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(payload); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

// receive returns what a collector makes of datagrams, when done holds.
func receive(t *testing.T, config collect.Config, datagrams []string, done func(*kept) bool) *kept {
	t.Helper()
	r := run(t, config)
	defer r.Stop()
	r.send(t, datagrams...)
	poll(t, "the collector to have handled what was sent", func() bool { return done(r.kept) })
	return r.kept
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	// IPFIX of domain 7: a template with octetDeltaCount and sourceIPv4Address.
	ipfixTemplate = `000a 0020 6553f100 00000000 00000007
		0002 0010 0100 0002 0001 0004 0008 0004`
	// A flow of 1000 bytes from 192.0.2.9 by that template.
	ipfixData = `000a 001c 6553f100 00000000 00000007
		0100 000c 000003e8 c0000209`
	// sFlow: a counter sample with the generic counters of interface 3.
	sflowCounters = `00000005 00000001 c0000201 00000000 00000001 00000001 00000001
		00000002 0000006c 00000001 00000003 00000001
		00000001 00000058 00000003 00000006 00000000 3b9aca00 00000001 00000003
		00000000 000003e8 00000001 00000002 00000003 00000004 00000005 00000006
		00000000 000007d0 00000007 00000008 00000009 0000000a 0000000b 00000000`
)

// flows returns whether there are n flows.
func flows(n int) func(*kept) bool {
	return func(k *kept) bool { got, _ := k.lens(); return got == n }
}

func TestTemplatesSurviveARestart(t *testing.T) {
	config := collect.Config{StateFile: filepath.Join(t.TempDir(), "exporters.json")}
	r := run(t, config)
	r.send(t, ipfixTemplate)
	// Only exporters that were heard of repeatedly, in different seconds, are remembered.
	started := time.Now().Unix()
	poll(t, "two seconds to pass", func() bool {
		r.send(t, ipfixData)
		return time.Now().Unix() > started+1
	})
	r.Stop()
	again := receive(t, config, []string{ipfixData}, flows(1))
	if r := again.flows[0]; r.Bytes != 1000 || r.SrcAddr != netip.MustParseAddr("192.0.2.9") {
		t.Errorf("after the restart the flow was read as %d bytes from %v", r.Bytes, r.SrcAddr)
	}
}

func TestFlowsThatCameBeforeTheirTemplateAreRead(t *testing.T) {
	k := receive(t, collect.Config{}, []string{ipfixData, ipfixData, ipfixTemplate}, flows(2))
	if k.flows[0].Bytes != 1000 || k.flows[1].Bytes != 1000 {
		t.Errorf("read as %d and %d bytes, want 1000", k.flows[0].Bytes, k.flows[1].Bytes)
	}
}

func TestDatagramsOfExportersThatAreNotAllowedAreOnlyCounted(t *testing.T) {
	refused := counted(t, "netmeta_collect_refused_datagrams_total")
	config := collect.Config{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	k := receive(t, config, []string{ipfixTemplate, ipfixData, sflowCounters}, func(*kept) bool { return refused() == 3 })
	if len(k.flows)+len(k.counters) != 0 {
		t.Errorf("%d flows and %d counters of an exporter that is not allowed", len(k.flows), len(k.counters))
	}
}

func TestInterfaceCountersGoToTheirOwnOutput(t *testing.T) {
	k := receive(t, collect.Config{}, []string{sflowCounters}, func(k *kept) bool { _, n := k.lens(); return n == 1 })
	if c := k.counters[0]; c.Interface != 3 || c.InOctets != 1000 || c.OutOctets != 2000 {
		t.Errorf("interface %d, %d bytes in, %d out; want 3, 1000, 2000", c.Interface, c.InOctets, c.OutOctets)
	}
}

func TestWhatIsConfiguredForAnExporterHolds(t *testing.T) {
	overrides, err := exporter.ReadOverrides(strings.NewReader(`{"127.0.0.0/8": {"samplingRate": 2000}}`))
	if err != nil {
		t.Fatal(err)
	}
	k := receive(t, collect.Config{Overrides: overrides}, []string{ipfixTemplate, ipfixData}, flows(1))
	if rate := k.flows[0].SamplingRate; rate != 2000 {
		t.Errorf("sampling rate %d, want the configured 2000", rate)
	}
}

func TestSocketsThatAreReadPassTheirCheck(t *testing.T) {
	c, err := collect.Start(collect.Config{SFlow: anyPort, NetFlow: anyPort, SocketBuffer: 1 << 20}, (&kept{}).outputs())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if n := len(c.Checks()); n != 2 {
		t.Errorf("%d checks for 2 listeners", n)
	}
	for _, check := range c.Checks() {
		if err := check.Probe(); err != nil || !check.Live {
			t.Errorf("%s: %v, live %v", check.Name, err, check.Live)
		}
	}
}
