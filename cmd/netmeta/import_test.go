package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/objects/objectstest"
	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb/validate"
)

// vpcLog writes a flow log whose flows have so many bytes, from first to last.
func vpcLog(t *testing.T, path string, first, last int) {
	t.Helper()
	if err := os.WriteFile(path, []byte(vpcText(first, last)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func vpcText(first, last int) string {
	var text strings.Builder
	for n := first; n <= last; n++ {
		fmt.Fprintf(&text, "2 123456789010 eni-1 192.0.2.1 192.0.2.%d 443 %d 6 1 %d 1700000000 1700000060 ACCEPT OK\n", n%256, n%60000, n)
	}
	return text.String()
}

// vpcParquet writes as Parquet what vpcText writes.
func vpcParquet(t *testing.T) func(first, last int) string {
	type record struct {
		SrcAddr string `parquet:"srcaddr,dict"`
		Bytes   int64  `parquet:"bytes"`
		End     int64  `parquet:"end"`
	}
	return func(first, last int) string {
		rows := make([]record, 0, last-first+1)
		for n := first; n <= last; n++ {
			rows = append(rows, record{"192.0.2.1", int64(n), 1700000060})
		}
		var b bytes.Buffer
		if err := parquet.Write(&b, rows, parquet.MaxRowsPerRowGroup(30_000), parquet.PageBufferSize(64<<10)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

// sentOnce fails unless Kafka has flows 1 to n, each once.
func sentOnce(t *testing.T, brokers []string, n int) {
	t.Helper()
	times := make([]int, n+1)
	tail := queue.Tail{Brokers: brokers, Topic: importer.Topic, Last: 1 << 30}
	err := tail.Read(t.Context(), func(m queue.Message) bool {
		for r := validate.NewReader(bytes.NewReader(m.Value)); ; {
			f, err := r.Next()
			if err == io.EOF {
				return true
			}
			if err != nil || f.Bytes == 0 || f.Bytes > uint64(n) {
				t.Fatal(f, err)
			}
			times[f.Bytes]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, k := range times[1:] {
		if k != 1 {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d flows are in Kafka not once", wrong, n)
	}
}

func TestImportKilledTenTimesSendsEveryRecordOnce(t *testing.T) {
	const files, each = 8, 100_000
	for name, prepare := range map[string]func(t *testing.T) []string{
		"files": func(t *testing.T) []string {
			logs := t.TempDir()
			for i := range files {
				vpcLog(t, filepath.Join(logs, fmt.Sprint(i, ".log")), i*each+1, (i+1)*each)
			}
			return []string{logs}
		},
		"objects": func(t *testing.T) []string {
			server := objectstest.New(t)
			for i := range files {
				write := vpcText
				if i%2 == 1 {
					write = vpcParquet(t)
				}
				server.Put(fmt.Sprint("flows/", i), write(i*each+1, (i+1)*each))
			}
			server.Fail(objectstest.Cut(2 << 20)) // and the network breaks in each
			return []string{"--s3-endpoint", server.URL, "s3://" + objectstest.Bucket + "/flows/"}
		},
	} {
		t.Run(name, func(t *testing.T) { killedTenTimes(t, files*each, prepare(t)) })
	}
}

func killedTenTimes(t *testing.T, records int, source []string) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	broker.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		time.Sleep(5 * time.Millisecond) // as brokers take that write to a disk
		return nil, nil, false
	})
	state := t.TempDir()
	args := append([]string{"import", "aws-vpc", "--kafka", broker.ListenAddrs()[0], "--state", state}, source...)
	positions, pending := filepath.Join(state, "aws-vpc", "positions"), filepath.Join(state, "aws-vpc", "pending")
	moments := rand.New(rand.NewPCG(9, 9))
	killedWithin := 0
	for range 10 {
		before := sizeOf(positions)
		child := proctest.Start(t, args...)
		// Once it has come further, it is killed at any moment of the next entry.
		for end := time.Now().Add(time.Minute); (sizeOf(positions) <= before || sizeOf(pending) == 0) && time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		}
		time.Sleep(time.Duration(moments.IntN(10_000)) * time.Microsecond)
		child.Kill()
		if sizeOf(pending) > 0 {
			killedWithin++
		}
	}
	code, written := run(t, append(args, "--output", "json")...)
	if code != 0 {
		t.Fatalf("the last run ends with %d: %s", code, written)
	}
	if killedWithin == 0 {
		t.Error("no kill came while an entry was under way: the test shows nothing")
	}
	t.Logf("%d of 10 kills came while an entry was under way", killedWithin)
	sentOnce(t, broker.ListenAddrs(), records)
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func TestImportSaysWhatItSentAndWhatNot(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	path := filepath.Join(t.TempDir(), "flows.log")
	vpcLog(t, path, 1, 10)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(file, "2 - eni-1 - - - - - - - 1700000000 1700000060 - NODATA")
	fmt.Fprintln(file, "\x1b]0;owned\a what is this")
	_ = file.Close()
	args := []string{"import", "aws-vpc", "--state", t.TempDir(), "--kafka", broker.ListenAddrs()[0], path}

	dry, report, err := execute(t, append(args, "--dry-run")...)
	if err != nil || strings.Count(dry, "\n") != 10 || !strings.Contains(report, "10 records sent as flows") {
		t.Errorf("dry run: %v, %d lines\n%s", err, strings.Count(dry, "\n"), report)
	}
	for _, want := range []string{"10 records sent as flows, from 1 file\n", "1 file unchanged"} {
		out, _, err := execute(t, args...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v, want %q in\n%s", err, want, out)
		}
		if strings.Contains(want, "10 records") && (!strings.Contains(out, "nodata") || !strings.Contains(out, "bad_value") || strings.Contains(out, "\x1b")) {
			t.Errorf("reasons are missing, or a terminal is in danger:\n%q", out)
		}
	}
	out, _, err := execute(t, append(args, "--output", "json")...)
	var read importer.Report
	if err != nil || json.Unmarshal([]byte(out), &read) != nil || read.Unchanged != 1 {
		t.Errorf("json: %v\n%s", err, out)
	}
	sentOnce(t, broker.ListenAddrs(), 10)
}

func TestImportSaysWhatIsWrongWithItsFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"requires at least 1 arg":     {},
		"has no field that flow logs": {"--format", "nonsense", "x"},
		"no IPv4 or IPv6 address":     {"--exporter", "router", "x"},
		"names no bucket":             {"s3://"},
		"no URL like https://":        {"--s3-endpoint", "ftp://x", "s3://logs/"},
		"--s3-endpoint is for s3://":  {"--s3-endpoint", "http://x", "gs://logs/"},
		"--list-every: it is above 0": {"--list-every", "0s", "s3://logs/"},
		"leave out --follow":          {"--dry-run", "--follow", "x"},
		"no such file or directory":   {"--state", t.TempDir(), filepath.Join(t.TempDir(), "missing")},
	} {
		if _, _, err := execute(t, append([]string{"import", "aws-vpc"}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}

// measurements is looked for before the engine of other tests changes the working directory.
var measurements, errMeasurements = filepath.Abs("../../internal/importer/scamper/testdata/measurements.json")

func TestImportScamperShowsTracesBeforeItSendsThem(t *testing.T) {
	if errMeasurements != nil {
		t.Fatal(errMeasurements)
	}
	dry, report, err := execute(t, "import", "scamper", "--dry-run", "--monitor", "ams1", measurements)
	if err != nil || strings.Count(dry, "\n") != 28 || !strings.Contains(dry, `"HopAddress":["10.88.0.2","10.88.1.2","10.88.2.2","10.88.3.2"]`) {
		t.Errorf("dry run: %v\n%.300s", err, dry)
	}
	if !strings.Contains(report, "28 measurements sent as traces, from 1 file\n") || !strings.Contains(report, "other_type") {
		t.Errorf("the report is\n%s", report)
	}
}
