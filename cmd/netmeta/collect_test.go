package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/pb"
)

// launchCollector runs netmeta collect on free ports.
func launchCollector(t *testing.T, args ...string) process {
	t.Helper()
	const any = "127.0.0.1:0"
	return launch(t, append([]string{"collect", "--sflow", any, "--netflow", any, "--netflow-legacy", any, "--metrics", any}, args...)...)
}

// sendTo plays sFlow exporters towards the collector.
func sendTo(t *testing.T, p process, flows uint64) generate.Report {
	t.Helper()
	report, err := generate.Run(t.Context(), generate.Options{
		Protocol: generate.SFlow, To: p.find(t, `listener=sflow address=(\S+)`), Flows: flows, Rate: 20_000,
		Exporters: 2, Seed: 1, SamplingRates: []uint32{100},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// stored returns the sum of bytes of so many flows in the topic.
func stored(t *testing.T, brokers []string, flows uint64) (sum uint64) {
	t.Helper()
	n := uint64(0)
	consume(t, brokers, func() bool { return n < flows }, func(_ *kgo.Record, m *pb.FlowMessage) {
		n++
		sum += m.Bytes
	})
	return sum
}

// consume reads the flows in the topic from its start on, with a client of another make
// than the one that writes them, for as long as more says that there are more.
func consume(t *testing.T, brokers []string, more func() bool, visit func(*kgo.Record, *pb.FlowMessage)) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(flow.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := 0; more(); {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		fetched := client.PollFetches(ctx)
		cancel()
		if err := fetched.Err(); err != nil {
			t.Fatalf("read the topic after %d flows: %v", n, err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			for in := bytes.NewReader(r.Value); in.Len() > 0; n++ {
				var m pb.FlowMessage
				if err := protodelim.UnmarshalFrom(in, &m); err != nil {
					t.Fatal(err)
				}
				visit(r, &m)
			}
		})
	}
}

func TestCollectWritesEverythingToKafkaBeforeItEnds(t *testing.T) {
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	p := launchCollector(t, "--kafka", strings.Join(k.ListenAddrs(), ","))
	report := sendTo(t, p, 5000)
	response, err := http.Get(p.find(t, `serving url=(\S+)`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), `netmeta_listen_datagrams_total{listener="sflow"}`) {
		t.Errorf("metrics: %v\n%s", err, body)
	}
	p.signal(t)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	want := report.Exporters[0].Bytes + report.Exporters[1].Bytes
	if sum := stored(t, k.ListenAddrs(), 5000); sum != want {
		t.Errorf("the topic's flows add up to %d bytes, %d were sent", sum, want)
	}
}

// The topic of the collector's own counters is not there where brokers are older than it.
func TestCollectNeedsNoTopicForItsOwnCounters(t *testing.T) {
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, flow.Topic, flow.CountersTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	p := launchCollector(t, "--kafka", strings.Join(k.ListenAddrs(), ","))
	sendTo(t, p, 1000)
	p.find(t, `topic.*topic=pipeline-counters`)
	p.signal(t)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	stored(t, k.ListenAddrs(), 1000)
}

func TestCollectAppendsEverythingToAFileBeforeItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	p := launchCollector(t, "--output", path)
	report := sendTo(t, p, 5000)
	p.signal(t)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flows, sum := uint64(0), uint64(0)
	for in := bytes.NewReader(content); in.Len() > 0; flows++ {
		var m pb.FlowMessage
		if err := protodelim.UnmarshalFrom(in, &m); err != nil {
			t.Fatal(err)
		}
		sum += m.Bytes
	}
	if want := report.Exporters[0].Bytes + report.Exporters[1].Bytes; flows != 5000 || sum != want {
		t.Errorf("the file has %d flows of %d bytes, 5000 of %d were sent", flows, sum, want)
	}
}

func TestCollectWithoutKafkaSaysWhichBrokersAndHowManyFlowsWereLost(t *testing.T) {
	p := launchCollector(t, "--kafka", "127.0.0.1:1,127.0.0.1:2", "--flush-timeout", "100ms")
	p.find(t, `Kafka cannot be reached.*brokers=127.0.0.1:1,127.0.0.1:2`)
	sendTo(t, p, 1000)
	p.signal(t)
	if code := p.wait(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	p.find(t, `netmeta: write the last flows to Kafka: .*1000 accepted flows were not delivered`)
}

func TestFurtherSignalEndsCollectAtOnce(t *testing.T) {
	p := launchCollector(t, "--kafka", "127.0.0.1:1", "--flush-timeout", "1h")
	sendTo(t, p, 10)
	p.signal(t)
	p.find(t, `stopping, writing what was received to Kafka.*timeout=1h`)
	// The signal handler is taken away at the same time as that is logged: a signal in
	// between counts as the first.
	for ended, end := false, time.Now().Add(15*time.Second); !ended && time.Now().Before(end); {
		p.Cmd.Process.Signal(syscall.SIGTERM) // fails once it has ended
		select {
		case <-p.Done:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if code := p.wait(t); code != -1 {
		t.Errorf("exit code %d, want an end by the signal", code)
	}
}

func TestCollectRefusesWhatItCannotDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	off := "--sflow= --netflow= --netflow-legacy= --metrics= "
	for _, test := range []struct{ name, args, want string }{
		{"no listener", off, "every listener is switched off"},
		{"taken port", off + "--sflow " + listenUDP(t, "127.0.0.1:0"), "listen for sflow on udp 127.0.0.1:"},
		{"taken metrics port", off + "--sflow 127.0.0.1:0 --metrics " + taken.Addr().String(), "--metrics: serve metrics on " + taken.Addr().String()},
		{"no broker", off + "--kafka=", "no brokers given"},
		{"buffer below a message", off + "--kafka-buffer 1000", "buffer of 1000 bytes"},
		{"no room for a spool", off + "--spool-size 0", "--spool-size: 0 is too little: at least 16 MiB"},
		{"spool size without sense", off + "--spool-size much", `--spool-size: "much" is no size`},
		{"pipeline counters in the topic of flows", off + "--pipeline-topic flow-messages", "needs one of its own"},
		{"flows and counters in one topic", off + "--counters-topic flow-messages", "both \"flow-messages\""},
		{"negative number of sockets", off + "--sockets=-1", "--sockets: -1"},
		{"buffer of no bytes", off + "--socket-buffer 0", "--socket-buffer: 0"},
		{"negative wait for templates", off + "--template-wait=-1s", "--template-wait: -1s"},
		{"negative wait for Kafka", off + "--flush-timeout=-1s", "--flush-timeout: -1s"},
		{"two destinations", "--kafka 127.0.0.1:1 --output flows", "none of the others can be"},
		{"file that cannot be made", off + "--output /dev/null/flows", "open the file to write flows to: open /dev/null/flows"},
		{"argument", "sflow", "unknown command"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := execute(t, append([]string{"collect"}, strings.Fields(test.args)...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
