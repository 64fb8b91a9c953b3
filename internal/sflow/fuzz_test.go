package sflow_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"

	goflow "github.com/netsampler/goflow2/v2/decoders/sflow"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/pb"
)

// FuzzDecode looks for datagrams that make the decoder panic, emit more than their
// bytes can hold, break a promise of FlowMessage, or disagree with goflow2 where
// that can read the whole datagram.
func FuzzDecode(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b)
	}
	f.Add(datagram(words(2, 0x20010db8, 0, 0, 10), sampleOf(ipv4Record, ethernet), sampleOf(ipv6Record)))
	f.Add(datagram(words(0), sampleOf(gateway(2, 2, 2, 64501, 64502, 1, 2, 1, 2)), sampleOf(unknownRecords)))
	f.Fuzz(func(t *testing.T, b []byte) {
		const sampleSize = 40 // format, length and header of a flow sample
		records, err := decode(t, b)
		if len(records) > len(b)/sampleSize {
			t.Errorf("%d records out of %d bytes", len(records), len(b))
		}
		for i := range records {
			checkPromises(t, &records[i])
		}
		if err == nil {
			compareWithGoflow2(t, b, records)
		}
	})
}

func checkPromises(t *testing.T, r *flow.Record) {
	if r.Type != pb.FlowMessage_SFLOW_5 || r.Packets != 1 || r.SamplingRate == 0 || !r.SamplerAddress.IsValid() ||
		r.SamplingRateSource == pb.FlowMessage_RATE_UNSPECIFIED {
		t.Errorf("incomplete: %+v", r)
	}
	if r.SamplerAddress.Is4In6() || r.SamplerAddress.IsUnspecified() {
		t.Errorf("sampler %v", r.SamplerAddress)
	}
	if r.SrcNet > 128 || r.DstNet > 128 || r.VlanID > 4095 || r.SrcVlan > 4095 || r.DstVlan > 4095 ||
		r.Etype > 0xffff || r.Proto > 255 || r.SrcPort > 65535 || r.DstPort > 65535 || r.IPTos > 255 || r.TCPFlags > 255 {
		t.Errorf("out of range: %+v", r)
	}
	if r.FlowDirection == 1 && r.OutIf == 0 {
		t.Errorf("direction egress without output interface: %+v", r)
	}
}

// compareWithGoflow2 decodes a datagram that is known to be harmless (its counts are
// covered by its bytes) with goflow2 and compares the framing: which flow samples
// there are, their rates, and the frame length of those with a raw header.
func compareWithGoflow2(t *testing.T, b []byte, records []flow.Record) {
	var p goflow.Packet
	if goflow.DecodeMessageVersion(bytes.NewBuffer(b), &p) != nil {
		return // it refuses what we skip
	}
	var want []flow.Record
	for _, s := range p.Samples {
		switch s := s.(type) {
		case goflow.FlowSample:
			want = append(want, reference(p, s.SamplingRate, s.Records))
		case goflow.ExpandedFlowSample:
			want = append(want, reference(p, s.SamplingRate, s.Records))
		}
	}
	if len(want) != len(records) {
		t.Fatalf("%d records, goflow2 has %d", len(records), len(want))
	}
	for i, w := range want {
		r := records[i]
		got := flow.Record{SequenceNum: r.SequenceNum, SamplerAddress: r.SamplerAddress, SamplingRate: r.SamplingRate,
			SrcVlan: r.SrcVlan, DstVlan: r.DstVlan, Bytes: w.Bytes}
		if w.Bytes != 0 {
			got.Bytes = r.Bytes
		}
		if !reflect.DeepEqual(got, w) {
			t.Errorf("record %d is\n%+v, goflow2 has\n%+v", i, got, w)
		}
	}
}

// reference is what goflow2's decoding says of a flow, as far as it is compared.
func reference(p goflow.Packet, rate uint32, records []goflow.FlowRecord) flow.Record {
	agent, _ := netip.AddrFromSlice(p.AgentIP)
	if agent = agent.Unmap(); agent.IsUnspecified() {
		agent = source.Addr().Unmap()
	}
	r := flow.Record{SequenceNum: p.SequenceNumber, SamplerAddress: agent, SamplingRate: uint64(max(rate, 1))}
	for _, record := range records {
		switch data := record.Data.(type) {
		case goflow.SampledHeader:
			r.Bytes = uint64(data.FrameLength)
		case goflow.ExtendedSwitch:
			r.SrcVlan, r.DstVlan = vlanOf(data.SrcVlan), vlanOf(data.DstVlan)
		}
	}
	return r
}

func vlanOf(v uint32) uint32 {
	if v > 4095 {
		return 0
	}
	return v
}
