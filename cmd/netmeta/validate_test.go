package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/validation"
	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/publish"
)

// flowsFile writes flows to a file: two in order, one with two mistakes.
func flowsFile(t *testing.T, tail string) string {
	t.Helper()
	var value strings.Builder
	for i := range 3 {
		m := &pb.FlowMessage{TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, SamplerAddress: []byte{192, 0, 2, 1}, Bytes: 100, Packets: 1}
		if i == 1 {
			m.SrcAddr, m.SamplingRate = []byte("198.51.100.1"), 0
		}
		if _, err := protodelim.MarshalTo(&value, m); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "flows.bin")
	if err := os.WriteFile(path, []byte(value.String()+tail), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValidateReportsEachKindOfProblemOnceWithItsPlace(t *testing.T) {
	path := flowsFile(t, "{")
	stdout, _, err := execute(t, "validate", "--output", "json", path)
	if !errors.Is(err, errProblems) {
		t.Fatalf("got %v, want the error that ends with status 1", err)
	}
	var report validation.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range report.Findings {
		found = append(found, string(f.Severity)+" "+f.Field+" "+strings.TrimPrefix(f.First, path))
	}
	want := "doubtful SamplingRate , flow 2|wrong SrcAddr , flow 2|lost  , flow 4"
	if got := strings.Join(found, "|"); report.Flows != 3 || !equalSets(got, want) {
		t.Errorf("%d flows, found %s, want 3 and %s", report.Flows, got, want)
	}
	table, _, _ := execute(t, "validate", path)
	if lost, doubtful := strings.Index(table, "lost"), strings.Index(table, "doubtful"); lost < 0 || doubtful < lost {
		t.Errorf("the worst is not first in\n%s", table)
	}
}

func equalSets(a, b string) bool {
	seen := map[string]int{}
	for _, s := range strings.Split(a, "|") {
		seen[s]++
	}
	for _, s := range strings.Split(b, "|") {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestValidateReadsStandardInputAndEndsAtTheLimit(t *testing.T) {
	data, err := os.ReadFile(flowsFile(t, "broken"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := newCommand()
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetIn(strings.NewReader(string(data)))
	cmd.SetArgs([]string{"validate", "--flows", "1", "-"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "1 flows") || !strings.Contains(out.String(), "Nothing is wrong") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestValidateReadsTheNewestMessagesOfATopicAndChangesNothing(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "flow-messages"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	p, err := publish.Open(publish.Config{Brokers: broker.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := p.Send(t.Context(), &pb.FlowMessage{TimeReceived: uint64(time.Now().Unix()), SamplingRate: 1, Bytes: 1, Packets: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	kafka := strings.Join(broker.ListenAddrs(), ",")
	for _, args := range [][]string{{"--last", "1000"}, {"--follow", "--last", "1000", "--flows", "50"}} {
		stdout, _, err := execute(t, append([]string{"validate", "--kafka", kafka}, args...)...)
		if err != nil || !strings.Contains(stdout, "50 flows") || !strings.Contains(stdout, "SamplerAddress") {
			t.Errorf("%v: %v\n%s", args, err, stdout)
		}
	}
	if _, _, err := execute(t, "validate", "--kafka", kafka, "--topic", "nothing"); err == nil || !strings.Contains(err.Error(), `read topic "nothing"`) {
		t.Errorf("a topic that does not exist: %v", err)
	}
}

func TestValidateSaysWhatItNeeds(t *testing.T) {
	for want, args := range map[string][]string{
		"nothing to read":      {},
		"read one of the two":  {"--kafka", "127.0.0.1:1", "file"},
		"--follow needs":       {"--follow", "file"},
		"--last 0":             {"--kafka", "127.0.0.1:1", "--last", "0"},
		"open a file of flows": {filepath.Join(t.TempDir(), "missing")},
	} {
		if _, _, err := execute(t, append([]string{"validate"}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}
