package scamper

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
)

// objects returns those of the file that a real scamper wrote.
func objects(t testing.TB) (all [][]byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/measurements.hex")
	if err != nil {
		t.Fatal(err)
	}
	rest, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	for len(rest) > 0 {
		n, err := splitWarts(rest)
		if n == 0 || err != nil {
			t.Fatal(n, err)
		}
		all, rest = append(all, rest[:n]), rest[n:]
	}
	return all
}

func BenchmarkWarts(b *testing.B) {
	w, all, bytes := newWarts(""), objects(b), 0
	var trace flow.Trace
	message := make([]byte, 0, flow.MaxTraceSize)
	for _, object := range all {
		w.learn(object)
		bytes += len(object)
	}
	all = all[2:] // behind list and cycle
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, object := range all {
			trace.Reset()
			if reason, _ := w.decode(object, &trace); reason == importer.Sent {
				message = trace.AppendDelimited(message[:0])
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/trace")
}

func TestDecodingWartsAllocatesNothing(t *testing.T) {
	w := newWarts("")
	var trace flow.Trace
	message := make([]byte, 0, flow.MaxTraceSize)
	all := objects(t)
	decodeAll := func() {
		for _, object := range all[2:] {
			trace.Reset()
			w.decode(object, &trace)
			message = trace.AppendDelimited(message[:0])
		}
	}
	w.learn(all[0])
	w.learn(all[1])
	decodeAll()
	if n := testing.AllocsPerRun(10, decodeAll); n != 0 {
		t.Errorf("%v allocations for %d objects", n, len(all)-2)
	}
}
