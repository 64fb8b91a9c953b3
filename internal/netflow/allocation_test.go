package netflow

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

func TestDecodingAllocatesNothing(t *testing.T) {
	frame := join(u16(0x0200), u32(2), u16(0x0200), u32(1), u16(0x0800), packetOf)
	biflow := set(2, u16(256), u16(2), specifiers([]field{{1, 4}}), enterpriseField(1, 4, reverseEnterprise))
	rates := set(300, u32(1), u32(100))
	for _, e := range append(exporters(t),
		busy{"names of applications", ipfix10(set(2, template(256, field{95, 4}, field{96, variable}))), ipfix10(set(256, u32(7), u8(3), []byte("dns")))},
		busy{"frames with a tunnel in them", ipfix10(set(2, template(256, field{315, variable}))), ipfix10(set(256, u8(uint8(len(frame))), frame))},
		busy{"both directions", ipfix10(biflow), ipfix10(set(256, u32(100), u32(50)))},
		busy{"rates in options data", ipfix10(set(3, optionsTemplateIPFIX(300, []field{{302, 4}}, []field{{305, 4}})), set(2, bytesTemplate(256))),
			ipfix10(rates, set(256, u32(100)))},
		busy{"names of interfaces", ipfix10(interfacesTemplate, set(2, bytesTemplate(256))),
			ipfix10(set(300, u32(7), u8(5), []byte("ge0/1"), u8(6), []byte("uplink")), set(256, u32(100)))},
	) {
		records := 0
		d := NewDecoder(exporter.NewTable(exporter.Config{}), func(*flow.Record) { records++ }, func(*flow.Counters) {})
		if e.template != nil {
			d.Decode(e.template, source, received)
		}
		decode := func() {
			if err := d.Decode(e.data, source, received); err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
		}
		if n := testing.AllocsPerRun(100, decode); n != 0 || records == 0 {
			t.Errorf("%s: %v allocations per datagram, %d records", e.name, n, records)
		}
	}
}
