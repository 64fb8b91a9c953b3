package netflow

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// FuzzDecode decodes two datagrams of one exporter, so that the second can use
// templates and rates of the first.
func FuzzDecode(f *testing.F) {
	names := []string{"v5.hex", "v9.hex", "ipfix.hex", "withdrawal-v9.hex", "withdrawal-ipfix.hex", "data-v9.hex", "data-ipfix.hex", "biflow.hex"}
	for _, first := range names {
		for _, second := range names {
			f.Add(readHex(f, first), readHex(f, second))
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
