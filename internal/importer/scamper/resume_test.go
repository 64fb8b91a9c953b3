package scamper_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/scamper"
	"github.com/leoluk/NetMeta/internal/queue"
)

func texts(value any) (all []string) {
	list, _ := value.([]any)
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

func gzipped(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// memory is a Sink that remembers, as a ledger does, over several runs.
type memory struct {
	notes []byte // as JSON
	shown bytes.Buffer
	sent  func(traces int) // so many in all; may be nil
}

func (m *memory) Resume(context.Context) (notes []importer.Note, err error) {
	for d := json.NewDecoder(bytes.NewReader(m.notes)); d.More() && err == nil; {
		var n importer.Note
		err = d.Decode(&n)
		notes = append(notes, n)
	}
	return notes, err
}

func (m *memory) Send(ctx context.Context, note importer.Note, contents []queue.Content) error {
	line, err := json.Marshal(note)
	if err != nil {
		return err
	}
	m.notes = append(m.notes, line...)
	for _, c := range contents {
		if c.Topic != flow.TracesTopic {
			return fmt.Errorf("a message for %s", c.Topic)
		}
	}
	err = importer.DryRun(&m.shown).Send(ctx, note, contents)
	if m.sent != nil {
		m.sent(bytes.Count(m.shown.Bytes(), []byte("\n")))
	}
	return err
}

func (*memory) Compact(importer.Note) error { return nil }

func (*memory) Close() error { return nil }

// imported imports a file with this content.
func imported(t testing.TB, to *memory, content []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := importer.Run(t.Context(), importer.Config{Format: scamper.Format(scamper.Options{}), Files: []string{path}, Sink: to})
	return err
}

// A file that grows, byte for byte, and is imported after each piece: what later objects
// refer to stands in what was read before.
func TestResumedInTheMiddleTracesAreThoseOfTheWholeFile(t *testing.T) {
	real, inJSON := measured(t)
	for name, content := range map[string]string{"warts": real, "JSON": inJSON, "old warts": string(oldFile())} {
		whole := new(memory)
		if err := imported(t, whole, []byte(content)); err != nil {
			t.Fatal(err)
		}
		inPieces, path := new(memory), filepath.Join(t.TempDir(), "file")
		step := max(1, len(content)/50)
		for end := step; end < len(content)+step; end += step {
			if err := os.WriteFile(path, []byte(content[:min(end, len(content))]), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := importer.Config{Format: scamper.Format(scamper.Options{}), Files: []string{path}, Sink: inPieces}
			if _, err := importer.Run(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
		if whole.shown.Len() == 0 || whole.shown.String() != inPieces.shown.String() {
			t.Errorf("%s: in pieces\n%s\nat once\n%s", name, inPieces.shown.String(), whole.shown.String())
		}
	}
}

// What --follow does: the decoder stays, and what is appended goes on with it; another
// process, and a compressed copy, go on behind it.
func TestFollowedFileGoesOnWhereItWas(t *testing.T) {
	content, path := oldFile(), filepath.Join(t.TempDir(), "file")
	to := new(memory)
	half := len(content) - 60
	if err := os.WriteFile(path, content[:half], 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	to.sent = func(traces int) {
		if traces == 2 {
			stop()
			return
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write(content[half:])
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}
	cfg := importer.Config{Format: scamper.Format(scamper.Options{}), Files: []string{path}, Sink: to, Follow: true, Poll: time.Millisecond}
	if _, err := importer.Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	to.sent = nil
	if err := os.WriteFile(path+".gz", []byte(gzipped(t, string(content))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".gz"} {
		cfg.Files, cfg.Follow = []string{file}, false
		if _, err := importer.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	if n := bytes.Count(to.shown.Bytes(), []byte("\n")); n != 2 {
		t.Errorf("%d traces, want each of 2 once:\n%s", n, to.shown.String())
	}
}
