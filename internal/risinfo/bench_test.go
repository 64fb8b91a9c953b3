package risinfo_test

import (
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/risinfo"
	"github.com/leoluk/NetMeta/internal/risinfo/mrttest"
)

// BenchmarkFullTable is what a full routing table costs from the file to the table in use, of
// a collector with five peers; mrt's benchmark has what each path costs on top.
func BenchmarkFullTable(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rib.gz")
	if err := writeTable(path, mrttest.Table(1, 1_000_000, 200_000), 5); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		s, err := risinfo.New(risinfo.Config{RIBs: []string{path}, Dir: b.TempDir(), Interval: time.Hour, MinPeers: 2})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := len(s.Routes().Rows); n != 1_200_000 {
			b.Fatalf("%d routes", n)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MiB/op")
}

func writeTable(path string, entries []mrttest.Entry, peers int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		return err
	}
	return errors.Join(mrttest.Write(zipped, entries, peers), zipped.Close(), file.Close())
}
