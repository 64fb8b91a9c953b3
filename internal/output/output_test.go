package output

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func closeFile(t *testing.T, f *File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// appendFlows appends flows of 1, 2 ... n bytes.
func appendFlows(w *Writer, n int) {
	for i := range n {
		w.Append(&flow.Record{Bytes: uint64(i + 1)})
	}
}

// read returns how many flows b holds and the sum of their bytes.
func read(t *testing.T, b []byte) (flows int, sum uint64) {
	t.Helper()
	for in := bytes.NewReader(b); in.Len() > 0; flows++ {
		var m pb.FlowMessage
		if err := protodelim.UnmarshalFrom(in, &m); err != nil {
			t.Fatalf("after %d flows: %v", flows, err)
		}
		sum += m.Bytes
	}
	return flows, sum
}

func readFile(t *testing.T, path string) (flows int, sum uint64) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, content)
}

// poll returns when the condition holds.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 20 s for %s", what)
		}
	}
}

// counted returns functions that tell how many messages were written and dropped since.
func counted() (written, dropped func() int) {
	failed := messagesDropped.WithLabelValues(dropWriteFailed)
	w, d := testutil.ToFloat64(messagesWritten), testutil.ToFloat64(failed)
	return func() int { return int(testutil.ToFloat64(messagesWritten) - w) }, func() int { return int(testutil.ToFloat64(failed) - d) }
}

// captureLog returns what is logged from now on.
func captureLog(t *testing.T) *bytes.Buffer {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &log
}

func TestFlowsOfSeveralGoroutinesAreWrittenWholeAndOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	f := open(t, path)
	const writers, each = 4, 20_000
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() { appendFlows(f.NewWriter(), each) })
	}
	wait.Wait()
	closeFile(t, f)
	if flows, sum := readFile(t, path); flows != writers*each || sum != writers*each*(each+1)/2 {
		t.Errorf("%d flows of %d bytes, want %d of %d", flows, sum, writers*each, writers*each*(each+1)/2)
	}
}

func TestFileIsContinuedByTheNextRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	for range 2 {
		f := open(t, path)
		appendFlows(f.NewWriter(), 10)
		closeFile(t, f)
	}
	if flows, _ := readFile(t, path); flows != 20 {
		t.Errorf("%d flows, want the 10 of either run", flows)
	}
}

func TestFewFlowsAreWrittenWithoutWaitingForMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	f := open(t, path)
	appendFlows(f.NewWriter(), 3)
	poll(t, "three flows to be written", func() bool {
		flows, _ := readFile(t, path)
		return flows == 3
	})
	closeFile(t, f)
}

func TestAppendAllocatesNothing(t *testing.T) {
	f := open(t, os.DevNull)
	w, r := f.NewWriter(), &flow.Record{Bytes: 1500}
	if n := testing.AllocsPerRun(10_000, func() { w.Append(r) }); n != 0 {
		t.Errorf("%v allocations for each flow", n)
	}
	closeFile(t, f)
}

func TestFlowsAfterCloseAreCounted(t *testing.T) {
	f := open(t, os.DevNull)
	early := f.NewWriter()
	closeFile(t, f)
	closed := messagesDropped.WithLabelValues(dropClosed)
	before := testutil.ToFloat64(closed)
	early.Append(&flow.Record{})
	f.NewWriter().Append(&flow.Record{})
	if n := testutil.ToFloat64(closed) - before; n != 2 {
		t.Errorf("%v of 2 flows after Close were counted", n)
	}
}

func TestFullDiskIsCountedAndLoggedOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	log := captureLog(t)
	written, dropped := counted()
	f := open(t, "/dev/full")
	const n = 10_000
	appendFlows(f.NewWriter(), n)
	err := f.Close()
	if err == nil || !strings.Contains(err.Error(), "write flows to /dev/full: 10000 messages could not be written") {
		t.Errorf("error %v, want one that says how much was lost", err)
	}
	if written() != 0 || dropped() != n {
		t.Errorf("%d flows counted as written and %d as dropped, want 0 and %d", written(), dropped(), n)
	}
	if strings.Count(log.String(), "no space left on device") != 1 {
		t.Errorf("want one line about the full disk:\n%s", log)
	}
}

func TestClosedPipeIsAnErrorLikeAnyOther(t *testing.T) {
	log := captureLog(t)
	_, dropped := counted()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	f := newFile("pipe", out, 0)
	appendFlows(f.NewWriter(), 10)
	if err := f.Close(); err == nil {
		t.Error("no error after flows were lost")
	}
	if dropped() != 10 || !strings.Contains(log.String(), syscall.EPIPE.Error()) {
		t.Errorf("%d of 10 flows counted as dropped; log:\n%s", dropped(), log)
	}
}

// disk is a destination with room for so many bytes.
type disk struct {
	bytes.Buffer
	room      int
	resizable bool
}

func (d *disk) Write(b []byte) (int, error) {
	n, err := d.Buffer.Write(b[:min(len(b), d.room-d.Len())])
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (d *disk) Truncate(size int64) error {
	if !d.resizable {
		return errors.New("cannot be truncated")
	}
	d.Buffer.Truncate(int(size))
	return nil
}

func (d *disk) Close() error { return nil }

func TestFileStaysReadableAfterADiskWasFull(t *testing.T) {
	for _, test := range []struct {
		name      string
		resizable bool
	}{
		{"the cut off flows are removed", true},
		{"a pipe ends where it was cut off", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := captureLog(t)
			written, dropped := counted()
			d := &disk{room: bufferSize + 1001, resizable: test.resizable}
			f := newFile("disk", d, 0)
			w := f.NewWriter()
			const n = 30_000
			appendFlows(w, n)
			whole := written()
			if whole == 0 || whole == n {
				t.Fatalf("%d of %d flows written, want the disk to become full in between", whole, n)
			}
			d.room = 1 << 30
			appendFlows(w, n)
			if err := f.Close(); err == nil {
				t.Error("no error after flows were lost")
			}
			if written()+dropped() != 2*n {
				t.Errorf("%d written and %d dropped, %d were appended", written(), dropped(), 2*n)
			}
			if !test.resizable {
				if written() != whole || !strings.Contains(log.String(), "nothing more is written") {
					t.Errorf("%d flows written, %d of them after the cut; log:\n%s", written(), written()-whole, log)
				}
				return
			}
			if flows, _ := read(t, d.Bytes()); flows != written() || flows <= whole {
				t.Errorf("%d flows can be read, %d were written, %d of them before the disk was full", flows, written(), whole)
			}
			if !strings.Contains(log.String(), "can be written again") {
				t.Errorf("the log does not say that it works again:\n%s", log)
			}
		})
	}
}

// What a shell has opened by >> holds more than this process has written.
func TestAFullDiskDoesNotCutWhatWasInAStreamBefore(t *testing.T) {
	captureLog(t)
	d := &disk{room: bufferSize + 1001, resizable: true}
	earlier := strings.Repeat("earlier ", 100)
	d.WriteString(earlier)
	f := newFile("standard output", stream{d}, 0)
	appendFlows(f.NewWriter(), 30_000)
	if err := f.Close(); err == nil {
		t.Error("no error after flows were lost")
	}
	if got := d.Len(); got < bufferSize || !strings.HasPrefix(d.String(), earlier) {
		t.Errorf("%d bytes are left, want those of before and the first buffer", got)
	}
}

func TestFileThatCannotBeOpenedIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "flows")
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}

func BenchmarkAppend(b *testing.B) {
	f, err := Open(os.DevNull)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w, r := f.NewWriter(), &flow.Record{Bytes: 1500, Packets: 1}
	b.ReportAllocs()
	for b.Loop() {
		w.Append(r)
	}
}
