package netflow

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"testing"

	oracle "github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

// essence is what two decoders must agree on.
type essence struct {
	SrcAddr, DstAddr netip.Addr
	Proto            uint32
	InIf, OutIf      uint32
	SrcAS, DstAS     uint32
	TCPFlags         uint32
	Bytes, Packets   uint64
}

func essenceOf(r *flow.Record) essence {
	return essence{r.SrcAddr, r.DstAddr, r.Proto, r.InIf, r.OutIf, r.SrcAS, r.DstAS, r.TCPFlags, r.Bytes, r.Packets}
}

// fieldsOf are the fields of one record by their element, as goflow2 split it.
type fieldsOf map[uint16][]byte

// number returns the first of some elements that is not 0.
func (f fieldsOf) number(ids ...uint16) uint64 {
	for _, id := range ids {
		if n := new(big.Int).SetBytes(f[id]); len(f[id]) <= 8 && n.Sign() != 0 {
			return n.Uint64()
		}
	}
	return 0
}

func (f fieldsOf) address(four, six uint16) netip.Addr {
	a, _ := netip.AddrFromSlice(slices.Concat(f[four], f[six]))
	return a
}

// essence is not ok where it takes more than one field to say what the flow is.
func (f fieldsOf) essence() (e essence, ok bool) {
	for _, id := range []uint16{231, 232, 298, 299, 312, 313, 315, 352} {
		if _, sent := f[id]; sent {
			return e, false
		}
	}
	if len(f[8])+len(f[12]) > 0 && len(f[27])+len(f[28]) > 0 {
		return e, false
	}
	return essence{
		f.address(8, 27), f.address(12, 28), uint32(f.number(4)), uint32(f.number(10, 252)), uint32(f.number(14, 253)),
		uint32(f.number(16)), uint32(f.number(17)), uint32(f.number(6)) & 0xfff, f.number(1, 23, 85), f.number(2, 24, 86),
	}, true
}

// screened keeps from goflow2 the templates that it would look for in a data set for
// ever, or fail on.
type screened struct{ oracle.NetFlowTemplateSystem }

var errUnfit = errors.New("no template for goflow2")

func (s screened) AddTemplate(version uint16, domain uint32, id uint16, template any) error {
	var fields []oracle.Field
	switch t := template.(type) {
	case oracle.TemplateRecord:
		fields = t.Fields
	case oracle.NFv9OptionsTemplateRecord:
		fields = slices.Concat(t.Scopes, t.Options)
	case oracle.IPFIXOptionsTemplateRecord:
		fields = slices.Concat(t.Scopes, t.Options)
	}
	if oracle.GetTemplateSize(version, fields) == 0 {
		return errUnfit
	}
	return s.NetFlowTemplateSystem.AddTemplate(version, domain, id, template)
}

// oracleRecords lets goflow2 split a datagram into fields. It is not ok where goflow2
// cannot read all of it.
func oracleRecords(datagram []byte, templates oracle.NetFlowTemplateSystem) (list []fieldsOf, ok bool) {
	var sets []any
	switch {
	case len(datagram) > 4 && datagram[0] == 0 && datagram[1] == 9:
		datagram = bytes.Clone(datagram)
		copy(datagram[2:], u16(math.MaxUint16)) // it would believe the count
		var packet oracle.NFv9Packet
		if oracle.DecodeMessageNetFlow(bytes.NewBuffer(datagram[2:]), templates, &packet) != nil {
			return nil, false
		}
		sets = packet.FlowSets
	case len(datagram) > 4 && datagram[0] == 0 && datagram[1] == 10:
		var packet oracle.IPFIXPacket
		if oracle.DecodeMessageIPFIX(bytes.NewBuffer(datagram[2:]), templates, &packet) != nil {
			return nil, false
		}
		sets = packet.FlowSets
	default:
		return nil, false
	}
	for _, set := range sets {
		data, ok := set.(oracle.DataFlowSet)
		if !ok {
			continue
		}
		for _, record := range data.Records {
			fields := fieldsOf{}
			for _, f := range record.Values {
				// Of those that are sent twice, the last that is not 0 counts.
				if value := f.Value.([]byte); !f.PenProvided && (fields[f.Type] == nil || !isZero(value)) {
					fields[f.Type] = value
				}
			}
			list = append(list, fields)
		}
	}
	return list, true
}

// agreement compares what goflow2 and the decoder find in the datagrams of one exporter.
type agreement struct {
	templates oracle.NetFlowTemplateSystem
	decoder   *Decoder
	got       []essence
	compared  int // records
}

func newAgreement() *agreement {
	a := &agreement{templates: screened{oracle.CreateTemplateSystem()}}
	a.decoder = NewDecoder(exporter.NewTable(noWaiting), func(r *flow.Record) {
		if r != &a.decoder.reverse.Record { // goflow2 has one record for both directions
			a.got = append(a.got, essenceOf(r))
		}
	}, nil)
	return a
}

// on fails unless both find the same in a datagram. It reports false where one of them
// cannot read all of it, and then compares nothing.
func (a *agreement) on(t *testing.T, datagram []byte) bool {
	a.got = nil
	err := a.decoder.Decode(datagram, source, received)
	want, ok := oracleRecords(datagram, a.templates)
	if !ok || err != nil {
		return false
	}
	if len(want) != len(a.got) {
		t.Fatalf("%d records, goflow2 has %d", len(a.got), len(want))
	}
	for i, fields := range want {
		if e, ok := fields.essence(); ok {
			a.compared++
			equal(t, e, a.got[i])
		}
	}
	return true
}

func TestGoldenDatagramsHaveTheFieldsThatTheReferenceDecoderFinds(t *testing.T) {
	for _, name := range []string{"v9", "ipfix"} {
		a := newAgreement()
		if !a.on(t, golden.Bytes(t, name)) || a.compared == 0 {
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
		t.Run(name, func(t *testing.T) {
			a := newAgreement()
			for range 2 { // so that the templates of all files come before the data of all files
				for _, datagram := range list {
					a.on(t, datagram)
				}
			}
			compared += a.compared
		})
	}
	if compared < 1000 {
		t.Errorf("only %d records were compared", compared)
	}
}
