package sflow_test

import (
	"testing"
	"unicode/utf8"

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
		const sampleSize = 40     // format, length and header of a flow sample
		const blockSize = 28 + 88 // the same of a counter sample and its block
		got, err := decodeAll(t, b)
		if len(got.flows)*sampleSize+len(got.counters)*blockSize > len(b) {
			t.Errorf("%d flows and %d blocks of counters out of %d bytes", len(got.flows), len(got.counters), len(b))
		}
		for i := range got.flows {
			checkPromises(t, &got.flows[i])
		}
		for i := range got.counters {
			checkCounters(t, &got.counters[i])
		}
		if err == nil {
			compareWithGoflow2(t, b, got)
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
	if r.FlowDirection == 1 && (r.OutIf == 0 || !r.HasFlowDirection) {
		t.Errorf("direction egress without output interface: %+v", r)
	}
	if len(r.ASPath) > flow.MaxASPath || len(r.Communities) > flow.MaxCommunities || r.PostNATSrcPort > 65535 || r.PostNATDstPort > 65535 {
		t.Errorf("out of range: %+v", r)
	}
	if r.HasEncap != r.SrcAddrEncap.IsValid() || r.HasEncap && r.TunnelType == pb.FlowMessage_TUNNEL_NONE {
		t.Errorf("inner packet and tunnel do not belong together: %+v", r)
	}
	if encoded := r.AppendDelimited(nil); len(encoded) > flow.MaxEncodedSize {
		t.Errorf("encoded to %d bytes", len(encoded))
	}
}

func checkCounters(t *testing.T, c *flow.Counters) {
	if !c.SamplerAddress.IsValid() || len(c.Name) > flow.MaxName || !utf8.ValidString(c.Name) {
		t.Errorf("counters %+v", c)
	}
}
