package nflog

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/pb"
)

var (
	at   = time.Unix(1_700_000_000, 0)
	host = flow.Record{SamplerAddress: netip.MustParseAddr("192.0.2.77")}
)

func packetMessage(t testing.TB, b []byte) netlink.Message {
	t.Helper()
	m, _, ok, err := netlink.Next(b)
	if !ok || err != nil || m.Type != TypePacket {
		t.Fatalf("no message of nflog: %+v, %v", m, err)
	}
	return m
}

func TestMessagesOfTheKernelAreReadWhole(t *testing.T) {
	common := flow.Record{
		Type: pb.FlowMessage_NFLOG, SamplerAddress: host.SamplerAddress, Packets: 1, Etype: 0x0800,
		TimeReceived: 1_700_000_000, TimeFlowStart: 1_700_000_000, TimeFlowEnd: 1_700_000_000, SamplingRate: 1,
	}
	forwarded, output := common, common
	forwarded.SamplingRateSource = pb.FlowMessage_RATE_PACKET
	forwarded.SrcAddr, forwarded.DstAddr, forwarded.SrcPort, forwarded.DstPort = netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("203.0.113.2"), 40000, 80
	forwarded.Proto, forwarded.TCPFlags, forwarded.IPTTL, forwarded.FragmentID, forwarded.Bytes = 6, 2, 63, 0x555f, 60
	forwarded.InIf, forwarded.OutIf = 2, 3
	forwarded.SrcMac, forwarded.DstMac = 0x721550b00229, 0xce4d992511ac
	output.SamplingRateSource = pb.FlowMessage_RATE_UNKNOWN
	output.SrcAddr, output.DstAddr, output.SrcPort, output.DstPort = netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2"), 40002, 53
	output.Proto, output.IPTTL, output.FragmentID, output.Bytes, output.SequenceNum = 17, 64, 0x8b38, 58, 7
	output.OutIf, output.FlowDirection, output.HasFlowDirection = 3, 1, true
	output.ApplicationID, output.ApplicationName = 6<<24, "somebody"
	for name, want := range map[string]flow.Record{"forwarded": forwarded, "output": output} {
		var got flow.Record
		d := NewDecoder(Config{UserName: func(uint32) string { return "somebody" }}, host, func(r *flow.Record) { got = *r })
		if _, err := d.Decode(packetMessage(t, golden.Bytes(t, name)), at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheRateIsThatOfTheFlagThenOfThePrefix(t *testing.T) {
	for _, c := range []struct {
		configured uint64
		message    string
		want       Rate
	}{
		{50, "forwarded", Rate{50, pb.FlowMessage_RATE_CONFIGURED}},
		{0, "forwarded", Rate{1, pb.FlowMessage_RATE_PACKET}},
		{0, "output", Rate{1, pb.FlowMessage_RATE_UNKNOWN}},
	} {
		var got Rate
		config := Config{Rate: Rate{c.configured, pb.FlowMessage_RATE_CONFIGURED}}
		d := NewDecoder(config, host, func(r *flow.Record) { got = Rate{r.SamplingRate, r.SamplingRateSource} })
		if _, err := d.Decode(packetMessage(t, golden.Bytes(t, c.message)), at); err != nil || got != c.want {
			t.Errorf("%+v: got %+v, error %v", c, got, err)
		}
	}
	for prefix, want := range map[string]uint64{"netmeta:1000": 1000, "netmeta:1000 ": 1000, "netmeta:": 0, "netmeta:-1": 0, "netmeta:x": 0, "drop": 0, "": 0} {
		if got := ParsePrefix([]byte(prefix)); got != want {
			t.Errorf("prefix %q: rate %d, want %d", prefix, got, want)
		}
	}
}

// The numbers of a group wrap, and the first says nothing.
func TestGapsInTheNumberingAreMissingPackets(t *testing.T) {
	b := golden.Bytes(t, "forwarded")
	number := len(b) - 64 - 4 // in front of the payload
	d := NewDecoder(Config{}, host, func(*flow.Record) {})
	for _, c := range []struct{ sequence, missing uint32 }{{100, 0}, {101, 0}, {105, 3}, {1<<32 - 1, 1<<32 - 1 - 106}, {0, 0}, {2, 1}} {
		binary.BigEndian.PutUint32(b[number:], c.sequence)
		if missing, err := d.Decode(packetMessage(t, b), at); err != nil || missing != c.missing {
			t.Errorf("number %d: %d missing, want %d; error %v", c.sequence, missing, c.missing, err)
		}
	}
}

func TestBrokenMessagesAreErrors(t *testing.T) {
	d := NewDecoder(Config{}, host, func(*flow.Record) {})
	whole := packetMessage(t, golden.Bytes(t, "forwarded"))
	for want, body := range map[error][]byte{
		ErrShort:     whole.Body[:3],
		ErrAttribute: whole.Body[:len(whole.Body)-1],
		ErrPayload:   whole.Body[:len(whole.Body)-64],
	} {
		if _, err := d.Decode(netlink.Message{Type: TypePacket, Body: body}, at); err != want {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b[16:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		emitted := 0
		d := NewDecoder(Config{}, host, func(r *flow.Record) {
			emitted++
			if r.SamplingRate == 0 || r.Bytes == 0 {
				t.Fatalf("a record without rate or bytes: %+v", r)
			}
		})
		if _, err := d.Decode(netlink.Message{Type: TypePacket, Body: body}, at); (err == nil) != (emitted == 1) {
			t.Fatalf("%d records, error %v", emitted, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, message := range golden.All(b) {
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(Config{}, host, func(*flow.Record) {})
			m := packetMessage(b, message)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(m, at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
