package scamper_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/scamper"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
)

// As many hops as a trace may have, far more than any path: Kafka with default settings
// takes no more than 1 MiB at once.
func TestLongestTracesFitIntoKafka(t *testing.T) {
	const traces, hops = 60, flow.MaxHops
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, flow.TracesTopic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	var content strings.Builder
	for i := range traces {
		fmt.Fprintf(&content, `{"type":"trace","userid":%d,"dst":"2001:db8::1","start":{"sec":1700000000},"hops":[`, i)
		for hop := range hops {
			if hop > 0 {
				content.WriteByte(',')
			}
			fmt.Fprintf(&content, `{"addr":"2001:db8:%x::ffff:%x","probe_ttl":255,"probe_id":255,"rtt":%d,"reply_ttl":255,"icmp_type":255,"icmp_code":255,"icmpext":[{"mpls_labels":[{"mpls_label":1048575}]}]}`, hop, i, 4000000)
		}
		content.WriteString("]}\n")
	}
	text := content.String()
	text += strings.Replace(text[:strings.IndexByte(text, '\n')+1], `"hops":[`, `"hops":[{"addr":"2001:db8::2"},`, 1) // which is one too many
	path := filepath.Join(t.TempDir(), "long.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sink, err := importer.OpenKafka(queue.Config{Brokers: broker.ListenAddrs(), Topic: importer.Topic}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	report, err := importer.Run(t.Context(), importer.Config{Format: scamper.Format(scamper.Options{}), Files: []string{path}, Sink: sink})
	if err != nil || report.Sent != traces || report.Skipped[scamper.TooManyHops] == nil {
		t.Fatalf("%v, %d are sent, and left out are %v", err, report.Sent, report.Skipped)
	}
	found := map[uint32]bool{}
	tail := queue.Tail{Brokers: broker.ListenAddrs(), Topic: flow.TracesTopic, Last: 1 << 30}
	err = tail.Read(t.Context(), func(m queue.Message) bool {
		for in := strings.NewReader(string(m.Value)); in.Len() > 0; {
			var trace pb.Trace
			if err := (protodelim.UnmarshalOptions{MaxSize: -1}).UnmarshalFrom(in, &trace); err != nil {
				t.Fatal(err)
			}
			if found[trace.UserID] || len(trace.HopAddress) != hops || len(trace.MPLSLabel) != hops {
				t.Errorf("trace %d with %d hops and %d labels, or twice", trace.UserID, len(trace.HopAddress), len(trace.MPLSLabel))
			}
			found[trace.UserID] = true
		}
		return true
	})
	if err != nil || len(found) != traces {
		t.Errorf("%v, Kafka has %d traces, want %d", err, len(found), traces)
	}
}
