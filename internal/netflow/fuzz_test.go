package netflow

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/golden"
)

// FuzzDecode decodes two datagrams of one exporter, so that the second can use
// templates and rates of the first.
func FuzzDecode(f *testing.F) {
	seeds := golden.All(f)
	for _, first := range seeds {
		for _, second := range seeds {
			f.Add(first, second)
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c := newCollector(exporter.Config{})
		for _, datagram := range [][]byte{first, second} {
			c.records = c.records[:0]
			c.decode(datagram)
			// Both directions of a biflow are one record of the datagram.
			if len(c.records) > 2*(freeRecords+len(datagram)/minRecordBytes) {
				t.Fatalf("%d records in %d bytes", len(c.records), len(datagram))
			}
			for _, r := range c.records {
				if r.SamplingRate == 0 || r.TimeFlowStart > r.TimeFlowEnd || r.SamplerAddress != source.Addr() {
					t.Fatalf("record breaks a promise: %+v", r)
				}
			}
		}
	})
}
