package scamper

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
)

// Whatever a file has: no panic, every byte belongs to one record, and a trace is no longer
// than a message may be.
func FuzzDecode(f *testing.F) {
	var file []byte
	for _, object := range objects(f) {
		f.Add(object)
		file = append(file, object...)
	}
	f.Add(file)
	f.Add([]byte(`{"type":"trace","dst":"192.0.2.1","start":{"sec":1700000000},"hops":[{"addr":"192.0.2.1","rtt":1.5}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &decoder{}
		for rest := data; len(rest) > 0; {
			n, err := d.Split(rest, true)
			if err != nil || n == 0 {
				return
			}
			if n > len(rest) {
				t.Fatalf("a record of %d bytes out of %d", n, len(rest))
			}
			record := rest[:n]
			rest = rest[n:]
			d.trace.Reset()
			var reason importer.Reason
			if d.warts != nil {
				reason, _ = d.warts.decode(record, &d.trace)
			} else if line, ok := d.Line(record); ok == importer.Sent {
				reason, _ = d.decodeLine(line, &d.trace)
			}
			if size := len(d.trace.AppendDelimited(nil)); size > flow.MaxTraceSize {
				t.Fatalf("%d bytes", size)
			}
			if reason == importer.Sent && len(d.trace.HopAddress) != len(d.trace.HopTTL) {
				t.Fatal("hops of several lengths")
			}
		}
	})
}
