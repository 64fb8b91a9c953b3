// Package importertest runs decoders of package importer in tests.
package importertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/queue"
)

// Decode returns what a file with this content becomes: flows as objects, addresses as
// text, and the report. Nobody has written to the file for an hour.
func Decode(t testing.TB, format importer.Format, content string) ([]Flow, *importer.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report, err := importer.Run(t.Context(), importer.Config{Format: format, Files: []string{path}, Sink: importer.DryRun(&out)})
	if err != nil {
		t.Fatal(err)
	}
	var flows []Flow
	for line := range strings.Lines(out.String()) {
		numbers := json.NewDecoder(strings.NewReader(line))
		numbers.UseNumber()
		flow := Flow{}
		if err := numbers.Decode(&flow); err != nil {
			t.Fatal(err)
		}
		flows = append(flows, flow)
	}
	return flows, report
}

// Flow is a FlowMessage by the names of its fields.
type Flow map[string]any

// Want fails unless the flow has fields, written NAME=VALUE with spaces between. No value
// means that the field is not there.
func (f Flow) Want(t testing.TB, fields string) {
	t.Helper()
	for pair := range strings.FieldsSeq(fields) {
		name, value, _ := strings.Cut(pair, "=")
		got := f[name]
		if got == nil {
			got = ""
		}
		if fmt.Sprint(got) != value {
			t.Errorf("%s is %v, want %s", name, got, value)
		}
	}
}

// Reasons returns how many records were not sent, by reason.
func Reasons(r *importer.Report) map[importer.Reason]uint64 {
	counts := map[importer.Reason]uint64{}
	for reason, s := range r.Skipped {
		counts[reason] = s.Records
	}
	return counts
}

// Run imports a file with this content into nowhere, for benchmarks.
func Run(b testing.TB, format importer.Format, content string) *importer.Report {
	b.Helper()
	report, err := Import(b, format, "file", content)
	if err != nil {
		b.Fatal(err)
	}
	return report
}

// Import imports a file with this name and content into nowhere.
func Import(t testing.TB, format importer.Format, name, content string) (*importer.Report, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return importer.Run(t.Context(), importer.Config{Format: format, Files: []string{path}, Sink: Nowhere{}})
}

// Nowhere is a Sink that has everything at once.
type Nowhere struct{}

// Resume implements importer.Sink.
func (Nowhere) Resume(context.Context) ([]importer.Note, error) { return nil, nil }

// Send implements importer.Sink.
func (Nowhere) Send(context.Context, importer.Note, []queue.Content) error { return nil }

// Compact implements importer.Sink.
func (Nowhere) Compact(importer.Note) error { return nil }

// Close implements importer.Sink.
func (Nowhere) Close() error { return nil }
