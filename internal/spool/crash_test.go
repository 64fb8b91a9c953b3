package spool

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// moments copies the spool's directory at many moments of every write, as a kill
// would leave it then, with what has to be in it.
type moments struct {
	t      testing.TB
	dir    string
	copies []moment

	// What the next copy has to hold: letters of batches, and those of a batch that is
	// just being appended or marked, which may be there or not.
	must, may string
	notes     map[string]string // of batches, by their letters
	noting    string            // the letters of the batch that is getting a note
	before    string            // the note that it had
}

type moment struct {
	dir, must, may string
	notes          map[string]string
	noting         string
	before         string // the note that it had
}

func (m *moments) open(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	return &watchedFile{f, m}, err
}

type watchedFile struct {
	*os.File
	moments *moments
}

func (f *watchedFile) WriteAt(b []byte, at int64) (int, error) {
	for _, n := range []int{0, 1, len(b) / 2, len(b) - 1} {
		if _, err := f.File.WriteAt(b[:n], at); err != nil {
			return 0, err
		}
		f.moments.copy()
	}
	return f.File.WriteAt(b, at)
}

func (m *moments) copy() {
	m.t.Helper()
	dir := filepath.Join(m.t.TempDir())
	for _, path := range files(m.t, m.dir) {
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(path)), content, 0o600)
		}
		if err != nil {
			m.t.Fatal(err)
		}
	}
	m.copies = append(m.copies, moment{dir, m.must, m.may, maps.Clone(m.notes), m.noting, m.before})
}

// do runs an operation during which these letters may be there or not, and after which
// they are or are not.
func (m *moments) do(letters string, after bool, operation func()) {
	m.must, m.may = without(m.must, letters), letters
	operation()
	m.may = ""
	if after {
		m.must += letters
	}
}

func without(s, letters string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return -1
		}
		return r
	}, s)
}

func TestAKillAtAnyMomentLosesAndDoublesNothing(t *testing.T) {
	m := &moments{t: t, dir: t.TempDir(), notes: map[string]string{}}
	s, _ := open(t, Config{Dir: m.dir, Segment: 700, open: m.open})
	random := rand.New(rand.NewPCG(1, 1))
	letter, taken := 'A', []*Batch(nil)
	for range 150 {
		switch choice := random.IntN(6); {
		case choice < 2:
			batch := string([]rune{letter, letter + 1, letter + 2, letter + 3})
			letter += 4
			m.do(batch, true, func() { s.Append([]byte(batch), 4) })
		case s.Stats().Batches == len(taken) && len(taken) == 0:
		case choice == 2 && s.Stats().Batches > len(taken):
			taken = append(taken, next(t, s))
		case len(taken) == 0:
		default:
			b := taken[0]
			content := data(t, s, b)
			switch {
			case choice == 3:
				m.noting, m.before = content, m.notes[content]
				m.notes[content] = fmt.Sprint("note ", random.Int())
				s.Assign(b, []byte(m.notes[content]))
				m.noting = ""
				continue
			case choice == 4 && len([]rune(content)) > 1:
				r := []rune(content)
				s.Replace(b, Part{[]byte(string(r[:1])), 1}, Part{[]byte(string(r[1:])), len(r) - 1})
			default:
				m.do(content, false, func() { s.Done(b) })
			}
			taken = taken[1:]
		}
	}
	s.Close()
	t.Logf("%d moments", len(m.copies))
	for i, at := range m.copies {
		if err := at.check(t); err != nil {
			t.Fatalf("moment %d of %d: %v", i, len(m.copies), err)
		}
	}
}

// check opens the copy and compares it with what has to be in it, letter by letter.
func (m *moment) check(t *testing.T) error {
	s, begun := open(t, Config{Dir: m.dir})
	defer s.Close()
	found := ""
	for _, b := range begun {
		content := data(t, s, b)
		note := string(b.Note())
		if note != m.notes[content] && !(content == m.noting && note == m.before) {
			return fmt.Errorf("note %q on %q, want %q", note, content, m.notes[content])
		}
		found += content
		s.Done(b)
	}
	unmarked, damaged := drain(t, s)
	for _, content := range unmarked {
		if m.notes[content] != "" && content != m.noting {
			return fmt.Errorf("no note on %q, want %q", content, m.notes[content])
		}
		found += content
	}
	if damaged > 0 {
		return fmt.Errorf("%d batches are damaged", damaged)
	}
	for _, r := range m.must + m.may {
		n := strings.Count(found, string(r))
		if n > 1 || n == 0 && strings.ContainsRune(m.must, r) {
			return fmt.Errorf("flow %q is there %d times, in %q", r, n, found)
		}
	}
	if extra := without(found, m.must+m.may); extra != "" {
		return fmt.Errorf("flows %q are there again", extra)
	}
	return nil
}

func TestATornTailIsCutOff(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir, Segment: 1 << 20})
	batches := numbered(3)
	add(t, s, batches...)
	s.Close()
	path := files(t, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entry := headerBytes + len(batches[0])
	for size := range len(whole) {
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, filepath.Base(path)), whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, Config{Dir: torn})
		got, damaged := drain(t, s)
		want(t, got, batches[:size/entry]...)
		if damaged > 0 {
			t.Errorf("cut at %d: %d batches are damaged", size, damaged)
		}
		s.Close()
	}
}

func TestADamagedByteCostsItsBatchOnly(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir, Segment: 1 << 20})
	batches := numbered(3)
	add(t, s, batches...)
	s.Close()
	path := files(t, dir)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entry := headerBytes + len(batches[0])
	for at := range whole {
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x55
		bad := t.TempDir()
		if err := os.WriteFile(filepath.Join(bad, filepath.Base(path)), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, begun := open(t, Config{Dir: bad})
		got, _ := drain(t, s)
		have := strings.Join(got, "")
		for i, b := range batches {
			if i != at/entry && !strings.Contains(have, b) {
				t.Errorf("a damaged byte at %d has cost batch %d", at, i)
			}
		}
		inNote := at%entry >= markOffset && at%entry < headerBytes
		if inNote && len(got)+len(begun) != 3 {
			t.Errorf("a damaged byte at %d, in the mark or note, has cost a batch", at)
		}
		s.Close()
	}
}

var errDisk = errors.New("no space left on device")

// failingFile fails while full is set, after having written half.
type failingFile struct {
	file
	full *bool
}

func (f failingFile) WriteAt(b []byte, at int64) (int, error) {
	if *f.full && len(b) > headerBytes {
		n, _ := f.file.WriteAt(b[:len(b)/2], at)
		return n, errDisk
	}
	return f.file.WriteAt(b, at)
}

func TestWhileTheDiskIsFullBatchesAreKeptInMemory(t *testing.T) {
	dir, full, failures, held := t.TempDir(), false, 0, 0
	s, _ := open(t, Config{
		Dir: dir, retry: 1, Failing: func(error) { failures++ }, Held: func(by int) { held += by },
		open: func(path string, flag int) (file, error) {
			f, err := os.OpenFile(path, flag, 0o600)
			return failingFile{f, &full}, err
		},
	})
	batches := numbered(12)
	add(t, s, batches[:4]...)
	first := next(t, s)
	full = true
	for _, b := range batches[4:8] {
		if s.Append([]byte(b), 1) {
			t.Errorf("%.5q is said to be in a file", b)
		}
	}
	s.Assign(first, []byte("note")) // needs no room
	s.Return(first)
	if stats := s.Stats(); failures != 4 || stats.MemoryFlows != 4 || stats.Flows != 4 || held != 4*len(batches[0]) {
		t.Errorf("%d failures, %d bytes held, %+v; want 4 batches in memory and 4 in files", failures, held, stats)
	}
	full = false
	add(t, s, batches[8:]...)
	got, _ := drain(t, s)
	want(t, got, batches...)
	if held != 0 {
		t.Errorf("%d bytes are said to be held by no batch", held)
	}
}

func TestWhatWaitsInMemoryIsRescuedWhenTheDiskTakesItAgain(t *testing.T) {
	dir, full, held := t.TempDir(), false, 0
	s, _ := open(t, Config{
		Dir: dir, retry: 1, Held: func(by int) { held += by },
		open: func(path string, flag int) (file, error) {
			f, err := os.OpenFile(path, flag, 0o600)
			return failingFile{f, &full}, err
		},
	})
	batches := numbered(12)
	add(t, s, batches[:4]...)
	full = true
	for _, b := range batches[4:8] {
		s.Append([]byte(b), 1)
	}
	if n := s.Rescue(); n != 0 {
		t.Errorf("%d flows are said to be on a disk that is full", n)
	}
	full = false
	add(t, s, batches[8:]...)
	if n := s.Rescue(); n != 4 {
		t.Errorf("%d flows were rescued, want 4", n)
	}
	if stats := s.Stats(); stats.MemoryFlows != 0 || stats.Flows != 12 || held != 0 {
		t.Errorf("%d bytes held, %+v; want all 12 batches in files", held, stats)
	}
	first := next(t, s)
	s.Return(first)
	var order []string
	for range batches {
		order = append(order, data(t, s, next(t, s)))
	}
	want(t, order, batches...)
	s.Close()

	s, _ = open(t, Config{Dir: dir})
	if got, damaged := drain(t, s); len(got) != len(batches) || damaged != 0 {
		t.Errorf("%d batches and %d damaged ones are there after a restart, want %d", len(got), damaged, len(batches))
	}
}

func FuzzRecovery(f *testing.F) {
	dir := f.TempDir()
	s, _ := open(f, Config{Dir: dir, Segment: 1 << 20})
	add(f, s, "first", "second", "third")
	s.Assign(next(f, s), []byte("note"))
	s.Replace(next(f, s), Part{[]byte("sec"), 1}, Part{[]byte("ond"), 1})
	s.Close()
	whole, err := os.ReadFile(files(f, dir)[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[7:])
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, begun := open(t, Config{Dir: dir})
		stats := s.Stats()
		if stats.Bytes > int64(len(content)) {
			t.Errorf("%d bytes of batches in a file of %d", stats.Bytes, len(content))
		}
		add(t, s, "new")
		for _, b := range begun {
			s.Return(b)
		}
		got, damaged := drain(t, s)
		if len(got)+damaged != stats.Batches+1 || got[len(got)-1] != "new" {
			t.Errorf("%d batches read and %d damaged, want %d and a new one: %q", len(got), damaged, stats.Batches, got)
		}
		s.Close()
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("%v is left although all is done", left)
		}
	})
}
