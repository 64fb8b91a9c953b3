package exporter

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestStateIsSavedAtTheEndAndLoadedAtTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporters.jsonl")
	now := time.Now()
	table := NewTable(Config{})
	if err := table.LoadFile(path, now); err != nil {
		t.Errorf("that there is no file yet is an error: %v", err)
	}
	establish(table, spoofed(1), now).SetTemplate(9, 0, 256, octets(4))

	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Persist(ctx, table, path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %o, want 600", info.Mode().Perm())
	}
	after := NewTable(Config{})
	if err := after.LoadFile(path, now); err != nil {
		t.Fatal(err)
	}
	if after.Get(spoofed(1), now).Template(9, 0, 256) == nil {
		t.Error("the template has not survived")
	}
}

func TestSaveReplacesTheFileAsAWhole(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "exporters.jsonl")
	if err := os.WriteFile(path, []byte(strings.Repeat("old ", 10_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	table := NewTable(Config{})
	if err := table.SaveFile(path, saved); err != nil {
		t.Fatal(err)
	}
	if info, err := old.Stat(); err != nil || info.Size() != 40_000 {
		t.Errorf("the old file was written to: %v, %v", info.Size(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, want 600 (%v)", info.Mode(), err)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) != 1 {
		t.Errorf("files %v are left, want one (%v)", left, err)
	}
	if err := NewTable(Config{}).LoadFile(path, saved); err != nil {
		t.Error(err)
	}
}

func TestDamagedFileIsNamedAndDoesNotKeepFromSaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporters.jsonl")
	if err := os.WriteFile(path, []byte("{\"format\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := NewTable(Config{})
	err := table.LoadFile(path, saved)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got error %v, want one that names %s and the line", err, path)
	}
	if err := table.SaveFile(path, saved); err != nil {
		t.Error(err)
	}
}

func TestSaveThatFailsSaysWhereAndIsCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "exporters.jsonl")
	failed := testutil.ToFloat64(savesFailed)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Persist(ctx, NewTable(Config{}), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
	if testutil.ToFloat64(savesFailed) != failed+1 {
		t.Error("the failure is not counted")
	}
}

func TestWhenStateIsSaved(t *testing.T) {
	for _, test := range []struct {
		name    string
		after   time.Duration
		changed bool
		want    bool
	}{
		{"nothing new, soon", 10 * time.Second, false, false},
		{"nothing new, after a minute", time.Minute, false, true},
		{"something new, at once", 9 * time.Second, true, false},
		{"something new, a little later", 10 * time.Second, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := NewTable(Config{})
			p := persister{table: table, path: filepath.Join(t.TempDir(), "exporters.jsonl")}
			if err := p.save(saved); err != nil {
				t.Fatal(err)
			}
			if test.changed {
				table.Get(spoofed(1), saved).SetRate(9, 0, 0, 100)
			}
			if got := p.due(saved.Add(test.after)); got != test.want {
				t.Errorf("due is %v, want %v", got, test.want)
			}
		})
	}
}
