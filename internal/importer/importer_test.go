package importer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb/validate"
)

// bench is a broker, a directory of logs, and a state that outlives runs.
type bench struct {
	*testing.T
	brokers     []string
	logs, state string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return &bench{t, b.ListenAddrs(), t.TempDir(), t.TempDir()}
}

// lines returns lines of a log whose flows have so many bytes, from first to last.
func lines(first, last int) string {
	var text strings.Builder
	for n := first; n <= last; n++ {
		fmt.Fprintf(&text, "2 123456789010 eni-1 192.0.2.1 192.0.2.2 443 50000 6 1 %d 1700000000 1700000060 ACCEPT OK\n", n)
	}
	return text.String()
}

func (b *bench) path(name string) string { return filepath.Join(b.logs, name) }

// write writes a file that nobody has written to for a while.
func (b *bench) write(name, content string) {
	b.Helper()
	if err := os.WriteFile(b.path(name), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
	b.settle(name)
}

func (b *bench) settle(name string) {
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(b.path(name), old, old); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) add(name, content string) {
	b.Helper()
	f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(content)
	}
	if err != nil {
		b.Fatal(err)
	}
	_ = f.Close()
}

func (b *bench) rename(from, to string) {
	b.Helper()
	if err := os.Rename(b.path(from), b.path(to)); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) config(files ...string) importer.Config {
	b.Helper()
	format, err := awsvpc.Format(awsvpc.Options{})
	if err != nil {
		b.Fatal(err)
	}
	sink, err := importer.OpenKafka(queue.Config{Brokers: b.brokers, Topic: importer.Topic}, b.state)
	if err != nil {
		b.Fatal(err)
	}
	for i, name := range files {
		files[i] = b.path(name)
	}
	return importer.Config{Format: format, Files: files, Sink: sink, Poll: 10 * time.Millisecond, ChunkBytes: 128 << 10}
}

// run imports files once.
func (b *bench) run(files ...string) (*importer.Report, error) {
	b.Helper()
	cfg := b.config(files...)
	defer cfg.Sink.Close()
	return importer.Run(b.Context(), cfg)
}

func (b *bench) imports(wantSent uint64, files ...string) *importer.Report {
	b.Helper()
	report, err := b.run(files...)
	if err != nil {
		b.Fatal(err)
	}
	if report.Sent != wantSent {
		b.Errorf("%d flows were sent, want %d: %+v", report.Sent, wantSent, report)
	}
	return report
}

// has fails unless Kafka has flows 1 to n, each once.
func (b *bench) has(n int) {
	b.Helper()
	seen := map[uint64]int{}
	tail := queue.Tail{Brokers: b.brokers, Topic: importer.Topic, Last: 1 << 30}
	err := tail.Read(b.Context(), func(m queue.Message) bool {
		for r := validate.NewReader(bytes.NewReader(m.Value)); ; {
			f, err := r.Next()
			if err == io.EOF {
				return true
			}
			if err != nil {
				b.Fatal(err)
			}
			seen[f.Bytes]++
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i <= n; i++ {
		if times := seen[uint64(i)]; times != 1 {
			b.Fatalf("flow %d of %d is in Kafka %d times", i, n, times)
		}
	}
	if len(seen) != n {
		b.Errorf("%d different flows are in Kafka, want %d", len(seen), n)
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestEachRecordIsSentOnceHoweverOftenFilesAreImported(t *testing.T) {
	b := newBench(t)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.write("a.log", lines(1, 20_000))
	b.write("b.log.gz", zipped(lines(20_001, 30_000)))
	b.write("c.log.zst", string(z.EncodeAll([]byte(lines(30_001, 30_100)), nil)))
	b.imports(30_100, "")
	if report := b.imports(0, ""); report.Unchanged != 3 || report.Files != 0 {
		t.Errorf("again: %+v", report)
	}
	b.add("a.log", lines(30_101, 30_200))
	b.write("d.log", lines(30_201, 30_201))
	b.imports(101, "*.log")
	b.has(30_201)
}

func TestFilesThatWereRenamedCopiedOrCompressedAreKnownAgain(t *testing.T) {
	b := newBench(t)
	first, second, short := lines(1, 500), lines(501, 1000), lines(1001, 1003)
	b.write("access.log", first)
	b.write("short.log", short)
	b.imports(503, "")
	b.rename("access.log", "access.log.1")
	b.add("access.log.1", lines(1004, 1100)) // after the last run, before its rotation
	b.settle("access.log.1")
	b.write("access.log", second)
	b.imports(597, "")
	b.write("access.log.2.gz", zipped(first+lines(1004, 1100)))
	b.write("short.copy", short)
	b.write("access.log.1.copy", first+lines(1004, 1100)+lines(1101, 1101)) // and one more
	b.imports(1, "")
	b.has(1101)
}

func TestLastLineWithoutEndWaitsForItWhileSomebodyMayWrite(t *testing.T) {
	b := newBench(t)
	text := lines(1, 2)
	b.add("live.log", text[:len(text)-20])
	if report := b.imports(1, ""); report.Unfinished != 1 {
		t.Errorf("the half line is not told: %+v", report)
	}
	b.add("live.log", text[len(text)-20:]+strings.TrimSpace(lines(3, 3)))
	b.imports(1, "")
	b.settle("live.log") // nobody has written to it for an hour
	b.imports(1, "")
	b.has(3)
}

func TestCompressedFileThatIsCutOffIsNamedAndGoesOnWhenItIsComplete(t *testing.T) {
	b := newBench(t)
	whole := zipped(lines(1, 30_000))
	b.write("a.gz", whole[:len(whole)/2])
	b.write("b.log", lines(30_001, 30_100))
	report, err := b.run("")
	if err == nil || !strings.Contains(err.Error(), "a.gz") || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("the error is %v", err)
	}
	if report.Sent < 1000 || report.Sent > 29_000 {
		t.Errorf("%d flows are sent, want those of a part of one file and all of the other", report.Sent)
	}
	b.write("a.gz", whole)
	b.imports(30_100-report.Sent, "")
	b.has(30_100)
}

func TestWhatIsNotThereIsAnErrorThatSaysSo(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"missing.log", "*.nothing"} {
		if _, err := b.run(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// following runs an import with Follow until its stop is called.
func (b *bench) following(files ...string) (stop func() *importer.Report) {
	b.Helper()
	return b.followingWith(b.config(files...))
}

func (b *bench) followingWith(cfg importer.Config) (stop func() *importer.Report) {
	b.Helper()
	cfg.Follow = true
	ctx, cancel := context.WithCancel(b.Context())
	var report *importer.Report
	var err error
	var running sync.WaitGroup
	running.Go(func() { report, err = importer.Run(ctx, cfg) })
	return func() *importer.Report {
		b.Helper()
		cancel()
		running.Wait()
		_ = cfg.Sink.Close()
		if err != nil {
			b.Error(err)
		}
		return report
	}
}

// reaches waits until Kafka has n flows.
func (b *bench) reaches(n int) {
	b.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := 0
		tail := queue.Tail{Brokers: b.brokers, Topic: importer.Topic, Last: 1 << 30}
		_ = tail.Read(b.Context(), func(m queue.Message) bool {
			for r := validate.NewReader(bytes.NewReader(m.Value)); ; got++ {
				if _, err := r.Next(); err != nil {
					return true
				}
			}
		})
		if got >= n {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("Kafka has %d flows, want %d", got, n)
		}
	}
}

func TestFollowingReadsOnAcrossRotationTruncationAndNewFiles(t *testing.T) {
	b := newBench(t)
	stop := b.following("*.log") // there is none yet
	b.add("access.log", lines(1, 100))
	b.reaches(100)
	half := lines(101, 101)
	b.add("access.log", half[:30])
	b.add("access.log", half[30:]+lines(102, 200))
	b.reaches(200)

	// Renamed, while the server still writes to it for a while.
	b.rename("access.log", "access.old")
	b.add("access.log", lines(201, 300))
	b.add("access.old", lines(301, 310))
	b.reaches(310)

	// Copied and truncated.
	if err := os.Truncate(b.path("access.log"), 0); err != nil {
		t.Fatal(err)
	}
	b.add("access.log", lines(311, 320))
	b.reaches(320)

	b.add("other.log", lines(321, 400))
	b.reaches(400)
	if report := stop(); report.Truncated != 1 {
		t.Errorf("%d truncations are told, want 1", report.Truncated)
	}

	// Another run goes on behind what Kafka has.
	b.add("access.log", lines(401, 450))
	again := b.following("*.log")
	b.reaches(450)
	again()
	b.has(450)
}
