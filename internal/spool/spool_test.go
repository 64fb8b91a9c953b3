package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestBatchesComeInOrderAndGoToTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir})
	batches := numbered(50)
	add(t, s, batches...)
	for _, b := range batches[:20] {
		first := next(t, s)
		if got := data(t, s, first); got != b {
			t.Fatalf("got %.10q, want %.10q", got, b)
		}
		s.Done(first)
	}
	s.Close()

	s, begun := open(t, Config{Dir: dir})
	if stats := s.Stats(); len(begun) != 0 || stats.Batches != 30 || stats.Flows != 30 || stats.Oldest.IsZero() {
		t.Errorf("recovered %+v and %d begun; want 30 batches, none begun", stats, len(begun))
	}
	got, _ := drain(t, s)
	want(t, got, batches[20:]...)
	s.Close()
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files left of an empty spool: %v", left)
	}
}

func TestSegmentsAreRemovedAsTheirBatchesAreDone(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir})
	stuck := numbered(1)
	add(t, s, stuck...)
	held := next(t, s)
	for range 20 { // one that is stuck keeps its own segment only
		add(t, s, numbered(10)...)
		drain(t, s)
	}
	if n := len(files(t, dir)); n > 3 {
		t.Errorf("%d files for one batch that waits", n)
	}
	if got := data(t, s, held); got != stuck[0] {
		t.Errorf("the batch that waits is %.10q", got)
	}
}

func TestAReturnedBatchIsTheNext(t *testing.T) {
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t, Config{Dir: dir})
			for _, b := range []string{"a", "b", "c"} {
				s.Append([]byte(b), 1)
			}
			a, b := next(t, s), next(t, s)
			s.Return(b)
			s.Return(a)
			got, _ := drain(t, s)
			want(t, got, "a", "b", "c")
		})
	}
}

func TestNotesOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir})
	add(t, s, "a", "b", "c")
	a, b := next(t, s), next(t, s)
	s.Assign(a, []byte("first"))
	s.Assign(a, []byte(strings.Repeat("n", MaxNote)))
	s.Assign(b, []byte("other"))
	s.Done(b)
	s.Close()

	s, begun := open(t, Config{Dir: dir})
	if len(begun) != 1 || string(begun[0].Note()) != strings.Repeat("n", MaxNote) || data(t, s, begun[0]) != "a" {
		t.Fatalf("begun: %d batches %+v; want a with its last note", len(begun), begun)
	}
	got, _ := drain(t, s)
	want(t, got, "c")
}

func TestReplacePutsThePartsInPlaceOfTheBatch(t *testing.T) {
	for name, dir := range map[string]string{"on disk": t.TempDir(), "in memory": ""} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t, Config{Dir: dir})
			s.Append([]byte("ab"), 2)
			s.Append([]byte("c"), 1)
			s.Replace(next(t, s), Part{[]byte("a"), 1}, Part{[]byte("b"), 1})
			if stats := s.Stats(); stats.Flows+stats.MemoryFlows != 3 {
				t.Errorf("%+v, want 3 flows", stats)
			}
			got, _ := drain(t, s)
			want(t, got, "a", "b", "c")
		})
	}
}

// A segment must not go between the writing of parts and their being counted.
func TestPartsOutliveWhatOthersAppendMeanwhile(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir(), Segment: 1}) // every append begins a new file
	for range 300 {
		add(t, s, "whole")
		b := next(t, s)
		var appending sync.WaitGroup
		appending.Go(func() { s.Append([]byte("other"), 1) })
		s.Replace(b, Part{[]byte("first"), 1}, Part{[]byte("second"), 1})
		appending.Wait()
		if got, damaged := drain(t, s); len(got) != 3 || damaged != 0 {
			t.Fatalf("%q can be read and %d batches cannot, want all of first, second and other", got, damaged)
		}
	}
}

func TestAFullSpoolDropsWhatIsConfiguredButNothingHandedOut(t *testing.T) {
	for _, newest := range []bool{false, true} {
		t.Run(fmt.Sprintf("newest %v", newest), func(t *testing.T) {
			dir, lost := t.TempDir(), 0
			s, _ := open(t, Config{Dir: dir, Limit: 1 << 20, Segment: 100_000, DropNewest: newest, Lost: func(flows int) { lost += flows }})
			big := strings.Repeat(".", 10_000)
			s.Append([]byte("first"), 1)
			s.Append([]byte("second"), 1)
			first := next(t, s)
			const n = 200
			for i := range n {
				s.Append([]byte(fmt.Sprint(i)+big), 1)
			}
			if size := onDisk(t, dir); size > 1<<20 || size < 800_000 {
				t.Errorf("%d bytes on disk, limit is %d", size, 1<<20)
			}
			if got := data(t, s, first); got != "first" {
				t.Errorf("the batch that was handed out is %.10q", got)
			}
			s.Done(first)
			stats := s.Stats()
			got, _ := drain(t, s)
			if len(got) != stats.Batches || lost != n+1-len(got) || lost == 0 {
				t.Errorf("%d batches are there, %d said to be, %d lost", len(got), stats.Batches, lost)
			}
			if got[0] != "second" {
				t.Errorf("the first is %.10q; its segment was in use", got[0])
			}
			if lastKept := got[len(got)-1] == fmt.Sprint(n-1)+big; lastKept == newest {
				t.Errorf("the last was kept: %v", lastKept)
			}
		})
	}
}

func TestTheNumberOfBatchesIsBoundedToo(t *testing.T) {
	lost := 0
	s, _ := open(t, Config{Dir: t.TempDir(), MaxBatches: 100, Lost: func(flows int) { lost += flows }})
	add(t, s, numbered(1000)...)
	if got, _ := drain(t, s); len(got) > 100 || len(got)+lost != 1000 {
		t.Errorf("%d batches kept of 1000, %d lost; want 100 at most", len(got), lost)
	}
}

func TestMemoryIsBoundedByTheCacheAndGivenBack(t *testing.T) {
	held, most := 0, 0
	s, _ := open(t, Config{Dir: t.TempDir(), Cache: 1000, Held: func(by int) { held += by; most = max(most, held) }})
	batches := numbered(100)
	add(t, s, batches...)
	got, _ := drain(t, s)
	want(t, got, batches...)
	if held != 0 || most == 0 || most > 1000 {
		t.Errorf("%d bytes in memory at most and %d at the end; want up to 1000, and 0", most, held)
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	s, _ := open(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	idle := make(chan struct{}, 10)
	s.cfg.Idle = func() { idle <- struct{}{} }
	ended := make(chan *Batch)
	go func() { ended <- s.Next(ctx) }()
	<-idle
	if !s.Idle() {
		t.Error("not idle while somebody waits")
	}
	cancel()
	if b := <-ended; b != nil {
		t.Errorf("got batch %+v from an empty spool", b)
	}
}

func TestADirectoryIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, Config{Dir: dir})
	_, _, err := Open(Config{Dir: dir, Limit: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), dir+" is in use by another process: end that one") {
		t.Errorf("Open() = %v; want an error that names the directory and says what to do", err)
	}
}

func TestOpenSaysWhyItCannot(t *testing.T) {
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"a file in the way": {Dir: filepath.Join(occupied, "spool"), Limit: 1 << 20},
		"no room at all":    {Dir: t.TempDir(), Limit: 1000},
	} {
		if _, _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), cfg.Dir) && !strings.Contains(err.Error(), occupied) {
			t.Errorf("%s: Open() = %v; want an error that names the directory", name, err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	batch := make([]byte, 300<<10) // 10,000 flows, compressed
	for name, dir := range map[string]string{"disk": b.TempDir(), "memory": ""} {
		b.Run(name, func(b *testing.B) {
			s, _ := open(b, Config{Dir: dir, Segment: defaultSegment, Cache: 1 << 20})
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for range b.N {
				s.Append(batch, 10_000)
				taken := next(b, s)
				s.Assign(taken, batch[:MaxNote])
				s.Done(taken)
			}
		})
	}
}
