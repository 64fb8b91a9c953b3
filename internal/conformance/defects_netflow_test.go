package conformance

import (
	"slices"
	"testing"

	"github.com/leoluk/NetMeta/pb"
)

func TestGoflow2Defect04UnknownTemplateCostsItsOwnSetOnly(t *testing.T) {
	for protocol, datagram := range map[string][]byte{
		"NetFlow v9": netflow9(set(templates9, template(256, octets)), set(256, u32(1)), set(300, u32(2)), set(256, u32(3))),
		"IPFIX":      ipfix(set(templates10, template(256, octets)), set(256, u32(1)), set(300, u32(2)), set(256, u32(3))),
	} {
		if flows, _ := decode(datagram); !slices.Equal(bytesOf(flows), []uint64{1, 3}) {
			t.Errorf("%s: flows of %v bytes, want 1 and 3", protocol, bytesOf(flows))
		}
	}
}

func TestGoflow2Defect05SamplingRateHasAnyWidth(t *testing.T) {
	for width, rate := range map[uint16][]byte{1: u8(100), 2: u16(100), 4: u32(100), 8: u64(100)} {
		interval := element{34, width}
		options := set(optionTemplates9, u16(400), u16(4), u16(4), u16(1), u16(4), u16(interval.id), u16(interval.length))
		r := decodeOne(t,
			netflow9(options, set(400, u32(0), rate), set(templates9, template(256, octets))),
			netflow9(set(256, u32(1))))
		if r.SamplingRate != 100 || r.SamplingRateSource != pb.FlowMessage_RATE_OPTIONS {
			t.Errorf("width %d: rate %d from %v, want 100", width, r.SamplingRate, r.SamplingRateSource)
		}
	}
}

func TestGoflow2Defect06TemplateMayHaveFieldsOfVariableLengthOnly(t *testing.T) {
	const variable = 65_535
	records := join(u8(2), []byte("ab"), u8(1), u8(9), u8(0), u8(2), u16(300))
	flows, err := decode(ipfix(set(templates10, template(256, element{82, variable}, element{1, variable})), set(256, records)))
	if err != nil || !slices.Equal(bytesOf(flows), []uint64{9, 300}) {
		t.Errorf("flows of %v bytes, error %v; want 9 and 300", bytesOf(flows), err)
	}
}

func TestGoflow2Defect16TimesAreThoseOfTheFlow(t *testing.T) {
	now := uint64(received.Unix())
	milliseconds := func(ago uint64) []byte { return u64((now - ago) * 1000) }
	var wrapped uint32 = 1_000 // milliseconds after the uptime was 0 again
	uptimes := template(256, octets, element{22, 4}, element{21, 4})
	for _, test := range []struct {
		promise    string
		datagram   []byte
		start, end uint64 // seconds before the export
	}{
		{"v9 with milliseconds", netflow9(set(templates9, template(256, octets, element{152, 8}, element{153, 8})),
			set(256, u32(1), milliseconds(60), milliseconds(30))), 60, 30},
		{"v9 with uptimes", netflow9(set(templates9, uptimes), set(256, u32(1), u32(uptime-60_000), u32(uptime-30_000))), 60, 30},
		{"v9 after the uptime has wrapped", netflow9At(wrapped, set(templates9, uptimes), set(256, u32(1), u32(wrapped-60_000), u32(wrapped))), 60, 0},
		{"v5 that begins a little after its header", netflow5(1, record5(uptime+200, uptime+200)), 0, 0},
		{"v5 with uptimes", netflow5(1, record5(uptime-60_000, uptime-30_000)), 60, 30},
	} {
		t.Run(test.promise, func(t *testing.T) {
			r := decodeOne(t, test.datagram)
			if r.TimeFlowStart != now-test.start || r.TimeFlowEnd != now-test.end {
				t.Errorf("from %d to %d s before the export, want %d to %d", now-r.TimeFlowStart, now-r.TimeFlowEnd, test.start, test.end)
			}
		})
	}
}

func TestGoflow2Defect17ElementsOfEnterprisesAreNotTakenForIANAs(t *testing.T) {
	const enterprise = 1 << 15
	// The scope is the observation domain; behind it somebody's own element 34, whose
	// number IANA has given to the sampling interval, and IANA's.
	options := set(3, u16(400), u16(3), u16(1), u16(149), u16(4),
		u16(enterprise|34), u16(4), u32(9), u16(34), u16(4))
	r := decodeOne(t,
		ipfix(options, set(400, words(0, 7777, 100)), set(templates10, template(256, octets))),
		ipfix(set(256, u32(1))))
	if r.SamplingRate != 100 {
		t.Errorf("rate %d, want 100", r.SamplingRate)
	}
}

func TestGoflow2Defect18ReservedSetsAndPaddingCostNothingElse(t *testing.T) {
	known := []byte(nil)
	for protocol, datagram := range map[string][]byte{
		"reserved id in v9":        netflow9(set(templates9, template(256, octets)), set(4, u32(0)), set(256, u32(1))),
		"reserved id in IPFIX":     ipfix(set(templates10, template(256, octets)), set(255, u32(0)), set(256, u32(1))),
		"zeros behind the last":    join(netflow9(set(templates9, template(256, octets)), set(256, u32(1))), make([]byte, 64)),
		"padding inside of a set":  netflow9(set(templates9, template(256, octets)), set(256, u32(1), u16(0), u8(0))),
		"an empty set in between":  ipfix(set(templates10, template(256, octets)), set(300, known), set(256, u32(1))),
		"a set of options unknown": ipfix(set(templates10, template(256, octets)), set(3, u32(0)), set(256, u32(1))),
	} {
		if flows, _ := decode(datagram); !slices.Equal(bytesOf(flows), []uint64{1}) {
			t.Errorf("%s: flows of %v bytes, want 1", protocol, bytesOf(flows))
		}
	}
}

func TestGoflow2Defect23OutCountersDoNotReplaceInCounters(t *testing.T) {
	out := element{23, 4}
	for _, test := range []struct {
		promise  string
		elements []element
		values   []byte
	}{
		{"0 behind", []element{octets, out}, words(500, 0)},
		{"0 in front", []element{out, octets}, words(0, 500)},
		{"another number behind", []element{octets, out}, words(500, 400)},
		{"alone", []element{out}, words(500)},
		{"beside 0", []element{octets, out}, words(0, 500)},
	} {
		if r := decodeOne(t, netflow9(set(templates9, template(256, test.elements...)), set(256, test.values))); r.Bytes != 500 {
			t.Errorf("OUT_BYTES %s: %d bytes, want 500", test.promise, r.Bytes)
		}
	}
}
