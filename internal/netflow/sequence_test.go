package netflow

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/golden"
)

// lost returns how many datagrams or records are missing in the sequence numbers.
func (c *collector) lost(t *testing.T) (sum float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(exporter.NewCollector(c.table))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "netmeta_exporter_lost_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			sum += metric.GetCounter().GetValue()
		}
	}
	return sum
}

// numbered returns a datagram with another sequence number, which stands at offset.
func numbered(datagram []byte, offset int, sequence uint32) []byte {
	datagram = join(datagram)
	copy(datagram[offset:], u32(sequence))
	return datagram
}

func TestWhatIsMissingInSequenceNumbersIsLost(t *testing.T) {
	v5 := func(sequence uint32) []byte { return numbered(golden.Bytes(t, "v5"), 16, sequence) } // two flows
	nine := func(sequence uint32, sets ...[]byte) []byte { return numbered(v9(sets...), 12, sequence) }
	ten := func(sequence uint32, sets ...[]byte) []byte { return numbered(ipfix10(sets...), 8, sequence) }
	templates := set(2, bytesTemplate(256))
	options := join(set(3, optionsTemplateIPFIX(300, []field{scopeSystemIPFIX}, []field{{34, 4}})), set(300, u32(0), u32(512)))
	for name, test := range map[string]struct {
		datagrams [][]byte
		want      float64
	}{
		"v5 counts flows":                                {[][]byte{v5(10), v5(12), v5(14)}, 0},
		"v5 flows that are missing":                      {[][]byte{v5(10), v5(42)}, 30},
		"v9 counts datagrams":                            {[][]byte{nine(1, set(0, bytesTemplate(256))), nine(2, set(256, u32(1), u32(2))), nine(3)}, 0},
		"v9 datagrams that are missing":                  {[][]byte{nine(1), nine(5)}, 3},
		"IPFIX counts records":                           {[][]byte{ten(0, templates), ten(0, set(256, u32(1), u32(2))), ten(2, set(256, u32(3))), ten(3)}, 0},
		"IPFIX records that are missing":                 {[][]byte{ten(0, templates), ten(0, set(256, u32(1))), ten(9, set(256, u32(3)))}, 8},
		"IPFIX counts options too":                       {[][]byte{ten(0, templates, options), ten(1, set(256, u32(1))), ten(2)}, 0},
		"IPFIX with a set that waits is no gap":          {[][]byte{ten(0, set(256, u32(1), u32(2))), ten(2, set(300, u32(1))), ten(3)}, 0},
		"IPFIX after a set that waited counts on":        {[][]byte{ten(0, set(256, u32(1), u32(2))), ten(2, templates), ten(2, set(256, u32(1))), ten(5)}, 2},
		"IPFIX that could not be read as a whole is not": {[][]byte{ten(0, templates), ten(0, set(256, u32(1)), set(4)), ten(7)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			for _, datagram := range test.datagrams {
				_ = c.Decode(datagram, source, received)
			}
			if got := c.lost(t); got != test.want {
				t.Errorf("%v lost, want %v", got, test.want)
			}
		})
	}
}
