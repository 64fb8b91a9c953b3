package netflow

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/replay"
)

// payloads returns the datagrams of a capture.
func payloads(t *testing.T, path string) (list [][]byte) {
	t.Helper()
	for datagram, err := range replay.Datagrams(path) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, datagram.Payload)
	}
	return list
}

// decodeCaptures returns the records of each capture by its path, decoded after
// everything that its exporter sent in any capture, so that no template is missing that
// is there.
func decodeCaptures(t *testing.T) map[string][]flow.Record {
	t.Helper()
	devices := make(map[string][]string)
	for _, c := range capturetest.Of(t, "nf", "ipfix") {
		devices[c.Device()] = append(devices[c.Device()], c.Path)
	}
	decoded := make(map[string][]flow.Record)
	for _, paths := range devices {
		var records []flow.Record
		decoder := NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) { records = append(records, *r) }, nil)
		for range 2 {
			for _, path := range paths {
				records = nil
				for _, datagram := range payloads(t, path) {
					// Some captures lack a template or are broken on purpose.
					_ = decoder.Decode(datagram, source, received)
				}
				decoded[path] = slices.Clone(records)
			}
		}
	}
	return decoded
}

// Of these captures, a decoder that knows fewer counters, or lets the last one win,
// reports records without bytes.
func TestCapturesKeepTheCountersOfEveryKindOfExporter(t *testing.T) {
	decoded := decodeCaptures(t)
	for _, test := range []struct {
		file    string
		counted int // records with bytes
	}{
		{"netflow9_test_cisco_asa_1_data.dat", 14},                            // octetTotalCount
		{"netflow9_test_cisco_asa_2_data.dat", 15},                            // initiatorOctets and responderOctets
		{"ipfix_test_yaf_data45841.dat", 1},                                   // octetTotalCount
		{"ipfix_test_yaf_data45873.dat", 1},                                   // octetTotalCount
		{"netflow9_test_fortigate_fortios_521_data257.dat", 1},                // postOctetDeltaCount is 0
		{"netflow9_test_0length_fields_tpl_data.dat", 5},                      // postOctetDeltaCount is 0; the other direction had no traffic
		{"netflow9_test_iptnetflow_reduced_size_encoding_tpldata260.dat", 12}, // counters of 4 bytes
		{"ipfix_test_procera_data52935.dat", 8},                               // octets by direction, in fields of the vendor
	} {
		var counted, total int
		for path, records := range decoded {
			if filepath.Base(path) != test.file {
				continue
			}
			for _, r := range records {
				total++
				if r.Bytes > 0 {
					counted++
				}
			}
		}
		if counted < test.counted {
			t.Errorf("%s: %d of %d records have bytes, want %d", test.file, counted, total, test.counted)
		}
	}
}
