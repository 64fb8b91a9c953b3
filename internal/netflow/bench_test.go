package netflow

import (
	"slices"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

// The benchmarks decode datagrams as full as an Ethernet frame allows, and report
// records per second.
func BenchmarkDecode(b *testing.B) {
	v5 := golden.Bytes(b, "v5")
	record := v5[headerSizeV5 : headerSizeV5+recordSizeV5]
	v5 = v5[:headerSizeV5]
	for range 30 {
		v5 = join(v5, record)
	}
	copy(v5[2:], u16(30))

	fields := []field{{8, 4}, {12, 4}, {15, 4}, {10, 4}, {14, 4}, {2, 4}, {1, 4}, {7, 2}, {11, 2},
		{6, 1}, {4, 1}, {5, 1}, {16, 4}, {17, 4}, {9, 1}, {13, 1}, {61, 1}, {48, 1}}
	v9Fields := slices.Concat(fields, []field{{22, 4}, {21, 4}})
	ipfixFields := slices.Concat(fields, []field{{152, 8}, {153, 8}})
	text := slices.Concat(fields, []field{{82, variable}})

	for _, test := range []struct {
		name           string
		template, data []byte
	}{
		{"v5", nil, v5},
		{"v9", v9(set(0, template(256, v9Fields...))), v9(set(256, repeat(55, 25)))},
		{"ipfix", ipfix10(set(2, template(256, ipfixFields...))), ipfix10(set(256, repeat(63, 22)))},
		{"ipfix variable length", ipfix10(set(2, template(256, text...))), ipfix10(set(256, repeat(48, 29)))},
	} {
		b.Run(test.name, func(b *testing.B) {
			records := 0
			d := NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) { records++ })
			if test.template != nil {
				if err := d.Decode(test.template, source, received); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Decode(test.data, source, received); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// repeat returns count records of size zero bytes.
func repeat(size, count int) []byte { return zeros(size * count) }
