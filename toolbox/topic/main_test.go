package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/pb"
)

func TestTopicShowsWhatIsInKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "flow-messages", "pipeline-counters"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	kafka := strings.Join(cluster.ListenAddrs(), ",")
	var two bytes.Buffer
	for _, m := range []*pb.FlowMessage{
		{Bytes: 1500, SrcAddr: []byte{192, 0, 2, 1}, Type: pb.FlowMessage_SFLOW_5},
		{Bytes: 64, SrcAddr: []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
	} {
		if _, err := protodelim.MarshalTo(&two, m); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("flow-messages"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, value := range [][]byte{two.Bytes(), []byte("\xffnot a flow")} {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}

	var out bytes.Buffer
	if err := run(t.Context(), []string{"list", "--kafka", kafka}, &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, "flow-messages 0 0 2") {
		t.Errorf("topics are\n%s", out.String())
	}

	out.Reset()
	if err := run(t.Context(), []string{"--kafka", kafka, "read", "flow-messages", "--from", "beginning", "--count", "2"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("read were\n%s\nwant two flows and a message that is none", out.String())
	}
	for i, want := range []map[string]any{
		{"Bytes": 1500.0, "SrcAddr": "192.0.2.1", "Type": "SFLOW_5"},
		{"Bytes": 64.0, "SrcAddr": "2001:db8::1"},
		{"offset": 1.0, "message": "ff6e6f74206120666c6f77"},
	} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s of %s is %v, want %v", name, lines[i], got[name], value)
			}
		}
	}
}

func TestTopicRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {"write", "a"}, {"read"}, {"list", "--nonsense"}, {"read", "a", "--from", "yesterday"}} {
		if err := run(t.Context(), args, nil); err == nil {
			t.Errorf("topic %v is taken", args)
		}
	}
}
