package generate

import (
	"bytes"
	"net/netip"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// templated is what the headers of NetFlow v9 and IPFIX have in common.
type templated struct {
	source netip.Addr
	domain uint32
	kind   pb.FlowMessage_FlowType
	boot   int64 // Unix milliseconds, v9
}

func (o *oracle) readTemplated(source netip.Addr, version uint16, buffer *bytes.Buffer) {
	var v9 netflow.NFv9Packet
	var ipfix netflow.IPFIXPacket
	if err := netflow.DecodeMessageVersion(buffer, o.templates[source], &v9, &ipfix); err != nil {
		o.t.Fatal(err)
	}
	header := templated{source: source, domain: ipfix.ObservationDomainId, kind: pb.FlowMessage_IPFIX}
	sets := ipfix.FlowSets
	if version == 9 {
		header.domain, header.kind = v9.SourceId, pb.FlowMessage_NETFLOW_V9
		header.boot = int64(v9.UnixSeconds)*1000 - int64(v9.SystemUptime)
		sets = v9.FlowSets
	}
	for _, set := range sets {
		switch s := set.(type) {
		case netflow.DataFlowSet:
			for _, record := range s.Records {
				o.records = append(o.records, o.record(header, values(record.Values)))
			}
		case netflow.OptionsDataFlowSet:
			for _, record := range s.Records {
				o.learn(header, values(append(record.OptionsValues, record.ScopesValues...)))
			}
		case netflow.RawFlowSet:
			o.t.Fatalf("data of set %d before its template", s.Id)
		}
	}
}

// fields are the values of one record by number.
type fields map[uint16][]byte

func values(data []netflow.DataField) fields {
	f := make(fields)
	for _, d := range data {
		f[d.Type], _ = d.Value.([]byte)
	}
	return f
}

func (f fields) number(id uint16) uint64 {
	n := uint64(0)
	for _, b := range f[id] {
		n = n<<8 | uint64(b)
	}
	return n
}

// first returns the value of the first of ids that the record has.
func (f fields) first(ids ...uint16) uint64 {
	for _, id := range ids {
		if f[id] != nil {
			return f.number(id)
		}
	}
	return 0
}

func (f fields) address(ids ...uint16) netip.Addr {
	for _, id := range ids {
		if a, ok := netip.AddrFromSlice(f[id]); ok {
			return a
		}
	}
	return netip.Addr{}
}

func (o *oracle) learn(h templated, f fields) {
	rate := f.first(34, 50)
	if interval := f.number(305); interval != 0 {
		rate = (interval + f.number(306)) / interval
	}
	o.rates[samplerKey{h.source, h.domain, f.first(48, 302)}] = rate
}

func (o *oracle) record(h templated, f fields) flow.Record {
	sampler := samplerKey{h.source, h.domain, f.first(48, 302)}
	rate, known := o.rates[sampler]
	if !known {
		o.t.Fatalf("record of %+v before its sampling rate", sampler)
	}
	number := func(ids ...uint16) uint32 { return uint32(f.first(ids...)) }
	r := flow.Record{
		Type: h.kind, SamplerAddress: h.source, Etype: 0x0800,
		SamplingRate: rate, SamplingRateSource: pb.FlowMessage_RATE_OPTIONS,
		SrcAddr: f.address(8, 27), DstAddr: f.address(12, 28), NextHop: f.address(15, 62),
		InIf: number(10), OutIf: number(14),
		Packets: f.number(2), Bytes: f.number(1),
		SrcPort: number(7), DstPort: number(11),
		TCPFlags: number(6), Proto: number(4), IPTos: number(5), IPTTL: number(192),
		SrcAS: number(16), DstAS: number(17), NextHopAS: number(128),
		SrcNet: number(9, 29), DstNet: number(13, 30),
		IcmpType: number(32, 139) >> 8, IcmpCode: number(32, 139) & 0xff,
		IPv6FlowLabel: number(31), FlowDirection: number(61), HasFlowDirection: f[61] != nil, ObservationDomain: h.domain, ForwardingStatus: number(89),
		TimeFlowStart: f.number(152) / 1000, TimeFlowEnd: f.number(153) / 1000,
	}
	if r.SrcAddr.Is6() {
		r.Etype = 0x86dd
	}
	if h.kind == pb.FlowMessage_NETFLOW_V9 {
		r.TimeFlowStart = uint64(h.boot+int64(f.number(22))) / 1000
		r.TimeFlowEnd = uint64(h.boot+int64(f.number(21))) / 1000
	}
	return r
}
