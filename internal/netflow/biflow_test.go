package netflow

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
)

// reverse is the specifier of an element of the reverse direction.
func reverse(id, length uint16) []byte { return enterpriseField(id, length, reverseEnterprise) }

func plain(id, length uint16) []byte { return specifiers([]field{{id, length}}) }

func TestReverseDirection(t *testing.T) {
	for name, test := range map[string]struct {
		fields [][]byte // behind those of the addresses and octetDeltaCount
		values []byte
		want   []flow.Record // of which counters, rate, VLAN, TTL, type of service and biflowDirection are compared
	}{
		"without an answer there is no second record": {[][]byte{reverse(1, 4), reverse(2, 4)}, zeros(8),
			[]flow.Record{{Bytes: 100, SamplingRate: 1}}},
		"total counters count": {[][]byte{reverse(85, 8), reverse(86, 8)}, join(u64(700), u64(7)),
			[]flow.Record{{Bytes: 100, SamplingRate: 1}, {Bytes: 700, Packets: 7, SamplingRate: 1}}},
		"counters before those of the forward direction": {[][]byte{reverse(1, 4), plain(2, 4)}, join(u32(700), u32(1)),
			[]flow.Record{{Bytes: 100, Packets: 1, SamplingRate: 1}, {Bytes: 700, SamplingRate: 1}}},
		"the record's rate holds for both": {[][]byte{reverse(1, 4), plain(34, 4)}, join(u32(700), u32(512)),
			[]flow.Record{{Bytes: 100, SamplingRate: 512}, {Bytes: 700, SamplingRate: 512}}},
		"what depends on packets is not taken over": {[][]byte{reverse(1, 4), plain(192, 1)}, join(u32(700), u8(64)),
			[]flow.Record{{Bytes: 100, IPTTL: 64, SamplingRate: 1}, {Bytes: 700, SamplingRate: 1}}},
		"DSCP is that of its direction": {[][]byte{reverse(1, 4), plain(195, 1), reverse(195, 1)}, join(u32(700), u8(46), u8(10)),
			[]flow.Record{{Bytes: 100, IPTos: 0xb8, SamplingRate: 1}, {Bytes: 700, IPTos: 0x28, SamplingRate: 1}}},
		"VLANs are exchanged": {[][]byte{reverse(1, 4), plain(58, 2), plain(59, 2)}, join(u32(700), u16(10), u16(20)),
			[]flow.Record{{Bytes: 100, SrcVlan: 10, DstVlan: 20, VlanID: 10, SamplingRate: 1}, {Bytes: 700, SrcVlan: 20, DstVlan: 10, VlanID: 20, SamplingRate: 1}}},
		"its own VLAN wins": {[][]byte{reverse(1, 4), reverse(58, 2), plain(58, 2)}, join(u32(700), u16(30), u16(10)),
			[]flow.Record{{Bytes: 100, SrcVlan: 10, VlanID: 10, SamplingRate: 1}, {Bytes: 700, SrcVlan: 30, DstVlan: 10, VlanID: 30, SamplingRate: 1}}},
		"a perimeter is on one side only": {[][]byte{reverse(1, 4), plain(239, 1)}, join(u32(700), u8(3)),
			[]flow.Record{{Bytes: 100, BiFlowDirection: 3, SamplingRate: 1}, {Bytes: 700, SamplingRate: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			fields := slices.Concat([][]byte{plain(8, 4), plain(12, 4), plain(1, 4)}, test.fields)
			got := decodeAll(t, ipfix10(set(2, u16(256), u16(uint16(len(fields))), join(fields...)),
				set(256, addr("198.51.100.7"), addr("203.0.113.9"), u32(100), test.values)))
			for i := range got {
				r := got[i]
				got[i] = flow.Record{Bytes: r.Bytes, Packets: r.Packets, SamplingRate: r.SamplingRate, IPTTL: r.IPTTL, IPTos: r.IPTos,
					SrcVlan: r.SrcVlan, DstVlan: r.DstVlan, VlanID: r.VlanID, BiFlowDirection: r.BiFlowDirection}
			}
			equal(t, test.want, got)
		})
	}
}

func TestReverseDirectionEndsWithItsRecord(t *testing.T) {
	before := testutil.ToFloat64(reverseRecords)
	records := decodeAll(t,
		ipfix10(set(2, u16(256), u16(2), reverse(1, 4), plain(8, 4), bytesTemplate(257)),
			set(256, u32(700), addr("198.51.100.7")), set(257, u32(100))))
	equal(t, []uint64{0, 700, 100}, bytesOf(records))
	equal(t, netip.MustParseAddr("198.51.100.7"), records[1].DstAddr)
	equal(t, 1.0, testutil.ToFloat64(reverseRecords)-before)
}
