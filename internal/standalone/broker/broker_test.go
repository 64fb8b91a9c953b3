package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func start(t testing.TB, dir string, change func(*Options)) (*Broker, error) {
	t.Helper()
	options := Options{Address: "127.0.0.1:0", DataDir: dir, Topics: []Topic{{Name: "flow-messages", Partitions: 2}}}
	if change != nil {
		change(&options)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := Start(ctx, options)
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

func client(t testing.TB, b *Broker, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(options, kgo.SeedBrokers(b.Address()), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func produce(t testing.TB, b *Broker, partition int32, values ...string) {
	t.Helper()
	c := client(t, b, kgo.ProducerBatchCompression(kgo.NoCompression()))
	for _, value := range values {
		// One batch for each value, so that a test can damage the last one alone.
		r := &kgo.Record{Topic: "flow-messages", Partition: partition, Value: []byte(value)}
		if err := c.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// consume reads n records of partition 0 from the start.
func consume(t *testing.T, b *Broker, n int) []string {
	t.Helper()
	c := client(t, b, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"flow-messages": {0: kgo.NewOffset().AtStart()}}))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %q: %v", values, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestRestartContinues(t *testing.T) {
	dir := t.TempDir()
	first, err := start(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	produce(t, first, 0, "a", "b")
	first.Close()
	second, err := start(t, dir, func(o *Options) { o.Address = first.Address(); o.Topics[0].Partitions = 4 })
	if err != nil {
		t.Fatal(err)
	}
	if second.Address() != first.Address() {
		t.Errorf("the address became %s, was %s", second.Address(), first.Address())
	}
	produce(t, second, 0, "c")
	produce(t, second, 3, "in a partition that was added")
	if got := consume(t, second, 3); strings.Join(got, "") != "abc" {
		t.Errorf("got %q, want a, b, c", got)
	}
}

func TestHalfWrittenBatchIsCutOff(t *testing.T) {
	for _, cut := range []int64{1, 30} {
		t.Run(fmt.Sprintf("%d bytes are missing", cut), func(t *testing.T) {
			dir := t.TempDir()
			b, err := start(t, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			produce(t, b, 0, "a", "b", "c")
			b.Close()
			segments, err := filepath.Glob(filepath.Join(dir, "partitions", "flow-messages-0", "*.dat"))
			if err != nil || len(segments) != 1 {
				t.Fatalf("segments %q, %v, want one", segments, err)
			}
			info, err := os.Stat(segments[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(segments[0], info.Size()-cut); err != nil {
				t.Fatal(err)
			}
			if b, err = start(t, dir, nil); err != nil {
				t.Fatal(err)
			}
			produce(t, b, 0, "d")
			if got := consume(t, b, 3); strings.Join(got, "") != "abd" {
				t.Errorf("got %q, want a, b, d", got)
			}
		})
	}
}

func TestStartFailures(t *testing.T) {
	used := t.TempDir()
	running, err := start(t, used, nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	b, err := start(t, damaged, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if err := os.WriteFile(filepath.Join(damaged, "topics.json"), []byte(`{"version":1,"top`), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		promise string
		change  func(*Options)
		want    []string
		is      error
	}{
		{"taken port", func(o *Options) { o.Address = running.Address() }, []string{running.Address(), "the port is taken"}, syscall.EADDRINUSE},
		{"directory in use", func(o *Options) { o.DataDir = used }, []string{used, "another process uses it"}, syscall.EWOULDBLOCK},
		{"unwritable directory", func(o *Options) { o.DataDir = filepath.Join(file, "data") }, []string{file}, syscall.ENOTDIR},
		{"half-written list of topics", func(o *Options) { o.DataDir = damaged }, []string{damaged, "topics.json", "move the directory away"}, nil},
		{"address that clients cannot be told", func(o *Options) { o.Address = "0.0.0.0:9092" }, []string{"0.0.0.0:9092", "name one address"}, nil},
		{"address without a port", func(o *Options) { o.Address = "127.0.0.1" }, []string{"want host:port"}, nil},
		{"port out of range", func(o *Options) { o.Address = "127.0.0.1:99999" }, []string{"99999"}, nil},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := start(t, t.TempDir(), c.change)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %v", err, c.is)
			}
		})
	}
}

func TestRetentionIsSetOnTheTopic(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		time      time.Duration
		bytes     int64
		ms, bytez string
	}{{time.Hour, 1 << 20, "3600000", "1048576"}, {0, 0, "-1", "-1"}} {
		b, err := start(t, dir, func(o *Options) { o.Topics[0].RetentionTime, o.Topics[0].RetentionBytes = c.time, c.bytes })
		if err != nil {
			t.Fatal(err)
		}
		request := kmsg.NewPtrDescribeConfigsRequest()
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "flow-messages"
		request.Resources = append(request.Resources, resource)
		response, err := request.RequestWith(context.Background(), client(t, b))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, config := range response.Resources[0].Configs {
			if config.Value != nil {
				got[config.Name] = *config.Value
			}
		}
		if got["retention.ms"] != c.ms || got["retention.bytes"] != c.bytez {
			t.Errorf("retention.ms %s, retention.bytes %s, want %s, %s", got["retention.ms"], got["retention.bytes"], c.ms, c.bytez)
		}
		b.Close()
	}
}

func TestMessageOfTenMegabytesIsTaken(t *testing.T) {
	b, err := start(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, b, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(maxBatchBytes))
	large := strings.Repeat("x", 10<<20)
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "flow-messages", Value: []byte(large)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := consume(t, b, 1); len(got) != 1 || got[0] != large {
		t.Errorf("got %d messages, not the one that was sent", len(got))
	}
}

func TestOldRecordsAreDropped(t *testing.T) {
	b, err := start(t, t.TempDir(), func(o *Options) { o.Topics[0].RetentionBytes = 1000 })
	if err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 600)
	produce(t, b, 0, "first "+large, "second "+large, "third "+large)
	b.cluster.ApplyRetention()
	if got := consume(t, b, 1); !strings.HasPrefix(got[0], "third") {
		t.Errorf("the oldest record is now %.10q, want the third", got[0])
	}
}

func TestConsumersOfAnEarlierRunHoldNobodyUp(t *testing.T) {
	options := Options{Address: "127.0.0.1:0", DataDir: t.TempDir(), Topics: []Topic{{Name: "flows", Partitions: 1}, {Name: "counters", Partitions: 1}}}
	b, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	sessions := filepath.Join(options.DataDir, "session_state.json")
	if err := os.WriteFile(sessions, []byte(`{"shutdownAt":"`+time.Now().Format(time.RFC3339)+`","classicGroups":{"clickhouse":{"state":"Stable","members":[{"memberID":"ghost"}]}}}`), 0o640); err != nil {
		t.Fatal(err)
	}
	if b, err = Start(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := os.Stat(sessions); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was known of earlier clients is still there: %v", err)
	}
}
