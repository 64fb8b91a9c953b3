package netflow

import (
	"encoding/binary"
	"iter"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/golden"
)

// split takes a sequence of datagrams apart, each of which has its length in front.
func split(sequence []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(sequence) > 2 {
			size := min(int(binary.BigEndian.Uint16(sequence)), len(sequence)-2)
			if !yield(sequence[2 : 2+size]) {
				return
			}
			sequence = sequence[2+size:]
		}
	}
}

func sequence(datagrams ...[]byte) (b []byte) {
	for _, datagram := range datagrams {
		b = join(b, u16(uint16(len(datagram))), datagram)
	}
	return b
}

// addSequences seeds with what has gone wrong in decoders: templates and data in any
// order, again and in other shapes, withdrawals, options, both directions.
func addSequences(f *testing.F) {
	seeds := golden.All(f)
	for _, first := range seeds {
		for _, second := range seeds {
			f.Add(sequence(first, second))
		}
	}
	narrow, wide := bytesTemplate(256), template(256, field{8, 4}, field{2, 8}, field{95, 4}, field{96, variable}, field{315, variable})
	data := ipfix10(set(256, u32(100), u64(200), u32(7), u8(3), []byte("dns"), u8(0)))
	f.Add(sequence(data, ipfix10(set(2, narrow)), data, ipfix10(set(2, wide)), data))
	f.Add(sequence(data, ipfix10(set(2, u16(256), u16(0))), ipfix10(set(2, wide)), data))
	f.Add(sequence(v9(set(256, u32(100))), v9(set(1, optionsTemplateV9(256, []field{{2, 4}}, []field{{34, 4}}))), v9(set(0, narrow))))
	f.Add(sequence(ipfix10(set(2, template(256, field{1, 3}, field{1, 9}, field{70, 3}, field{485, variable}, field{351, 8}), narrow))))
}

// FuzzDecode decodes the datagrams of one exporter one after the other.
func FuzzDecode(f *testing.F) {
	addSequences(f)
	f.Fuzz(func(t *testing.T, datagrams []byte) {
		c := newCollector(exporter.Config{})
		sent := 0 // bytes, all of which may have waited for the next template
		for datagram := range split(datagrams) {
			sent += len(datagram)
			c.records = c.records[:0]
			c.decode(datagram)
			// Both directions of a biflow are one record of the datagram.
			if len(c.records) > 2*(freeRecords+sent/minRecordBytes) {
				t.Fatalf("%d records in %d bytes", len(c.records), sent)
			}
			for _, r := range c.records {
				if r.SamplingRate == 0 || r.TimeFlowStart > r.TimeFlowEnd || r.SamplerAddress != source.Addr() {
					t.Fatalf("record breaks a promise: %+v", r)
				}
			}
		}
	})
}

// FuzzAgreement compares what goflow2 makes of the same datagrams, up to the first
// that one of the two cannot read, because then they know different templates.
func FuzzAgreement(f *testing.F) {
	addSequences(f)
	f.Fuzz(func(t *testing.T, datagrams []byte) {
		a := newAgreement()
		for datagram := range split(datagrams) {
			if !a.on(t, datagram) {
				return
			}
		}
	})
}
