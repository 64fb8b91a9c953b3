package netflow

import (
	"bytes"
	"testing"

	oracle "github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

// essence is what two decoders must agree on, as long as a record says it once.
type essence struct {
	SrcAddr, DstAddr string
	Proto            uint32
	InIf, OutIf      uint32
	SrcAS, DstAS     uint32
	TCPFlags         uint32
	Octets, Packets  uint64
}

func essenceOf(v *values) essence {
	src, dst := v.src4, v.dst4
	if v.isIPv6() {
		src, dst = v.src6, v.dst6
	}
	return essence{
		SrcAddr: src.String(), DstAddr: dst.String(), Proto: v.record.Proto, InIf: v.inIf, OutIf: v.outIf,
		SrcAS: v.record.SrcAS, DstAS: v.record.DstAS, TCPFlags: v.record.TCPFlags, Octets: v.octets, Packets: v.packets,
	}
}

// oracleEssences lets goflow2 split a datagram into fields. It is not ok where
// goflow2 cannot read all of it.
func oracleEssences(datagram []byte, templates oracle.NetFlowTemplateSystem) (list []essence, ok bool) {
	var sets []any
	switch {
	case len(datagram) > 2 && datagram[1] == 9:
		var packet oracle.NFv9Packet
		if oracle.DecodeMessageNetFlow(bytes.NewBuffer(datagram[2:]), templates, &packet) != nil {
			return nil, false
		}
		sets = packet.FlowSets
	case len(datagram) > 2 && datagram[1] == 10:
		var packet oracle.IPFIXPacket
		if oracle.DecodeMessageIPFIX(bytes.NewBuffer(datagram[2:]), templates, &packet) != nil {
			return nil, false
		}
		sets = packet.FlowSets
	}
	for _, set := range sets {
		data, ok := set.(oracle.DataFlowSet)
		if !ok {
			continue
		}
		for _, record := range data.Records {
			var v values
			for _, f := range record.Values {
				value := f.Value.([]byte)
				if !f.PenProvided && len(value) > 0 && int(f.Type) < len(setters) && setters[f.Type] != nil {
					setters[f.Type](&v, value)
				}
			}
			list = append(list, essenceOf(&v))
		}
	}
	return list, true
}

// compareWithOracle fails unless goflow2 finds the same fields in every datagram that
// it can read as a whole, and returns how many records were compared. All datagrams
// are of one exporter.
func compareWithOracle(t *testing.T, list [][]byte) (compared int) {
	t.Helper()
	templates := oracle.CreateTemplateSystem()
	var got []essence
	var d *Decoder
	d = NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) {
		if r != &d.reverse.record { // goflow2 has one record for both directions
			got = append(got, essenceOf(&d.values))
		}
	})
	for range 2 { // so that the templates of all files come before the data of all files
		for _, datagram := range list {
			got = nil
			_ = d.Decode(datagram, source, received)
			want, ok := oracleEssences(datagram, templates)
			if !ok || len(want) == 0 {
				continue
			}
			compared += len(want)
			equal(t, want, got)
		}
	}
	return compared
}

func TestGoldenDatagramsHaveTheFieldsThatTheReferenceDecoderFinds(t *testing.T) {
	for _, name := range []string{"v9", "ipfix"} {
		if compareWithOracle(t, [][]byte{golden.Bytes(t, name)}) == 0 {
			t.Errorf("%s: no record was compared", name)
		}
	}
}

func TestCapturesHaveTheFieldsThatTheReferenceDecoderFinds(t *testing.T) {
	exporters := make(map[string][][]byte)
	for _, c := range capturetest.Of(t, "nf", "ipfix") {
		exporters[c.Device()] = append(exporters[c.Device()], payloads(t, c.Path)...)
	}
	compared := 0
	for name, list := range exporters {
		t.Run(name, func(t *testing.T) { compared += compareWithOracle(t, list) })
	}
	if compared < 1000 {
		t.Errorf("only %d records were compared", compared)
	}
}
