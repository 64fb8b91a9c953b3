package mirror

import (
	"bytes"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/pb"
)

var (
	at   = time.Unix(1_700_000_000, 0)
	host = flow.Record{SamplerAddress: netip.MustParseAddr("192.0.2.77")}
)

func TestABlockIsReadFrameByFrame(t *testing.T) {
	var got []flow.Record
	d := NewDecoder(1000, host, func(r *flow.Record) { got = append(got, *r) })
	frames, err := d.Block(golden.Bytes(t, "block"), at)
	if err != nil || frames != 2 {
		t.Fatalf("%d frames, error %v, want 2", frames, err)
	}
	common := flow.Record{
		Type: pb.FlowMessage_MIRROR, SamplerAddress: host.SamplerAddress, Packets: 1, Proto: 17,
		TimeReceived: 1_700_000_000, TimeFlowStart: 1_700_000_000, TimeFlowEnd: 1_700_000_000,
		SamplingRate: 1000, SamplingRateSource: pb.FlowMessage_RATE_CONFIGURED,
	}
	sent, received := common, common
	sent.SrcAddr, sent.DstAddr, sent.SrcPort, sent.DstPort = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.9"), 1000, 53
	sent.Etype, sent.IPTTL, sent.FragmentID = 0x0800, 64, 1
	sent.SrcMac, sent.DstMac, sent.VlanID = 0x020000000001, 0x020000000002, 100
	sent.Bytes = 1500 + vlanTag
	sent.OutIf, sent.FlowDirection, sent.HasFlowDirection = 7, 1, true
	received.SrcAddr, received.DstAddr, received.SrcPort, received.DstPort = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), 5000, 443
	received.Etype, received.IPTTL, received.Bytes = 0x86dd, 64, 48
	received.InIf, received.HasFlowDirection = 9, true
	if diff := cmp.Diff([]flow.Record{sent, received}, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestABlockThatIsCutOffIsAnErrorAndKeepsTheFramesInFront(t *testing.T) {
	block := golden.Bytes(t, "block")
	d := NewDecoder(1, host, func(*flow.Record) {})
	for n := range len(block) - 12 { // but for what fills it up
		frames, err := d.Block(block[:n], at)
		if err == nil || frames > 1 {
			t.Fatalf("%d of %d bytes: %d frames, error %v", n, len(block), frames, err)
		}
	}
}

// run is what the kernel does with a filter.
func run(program []instruction, random uint32) uint32 {
	var a uint32
	for i := 0; ; i++ {
		switch p := program[i]; p.Code {
		case loadAbsolute:
			a = random
		case jumpIfAtLeast:
			if a >= p.K {
				i += int(p.JT)
			} else {
				i += int(p.JF)
			}
		case returnConst:
			return p.K
		}
	}
}

func TestTheFilterTakesOneInSoManyRandomNumbers(t *testing.T) {
	for _, rate := range []uint32{2, 3, 10, 1000, MaxRate} {
		program, border := filter(rate), uint32(0)
		for low, high := uint32(0), uint32(math.MaxUint32); low <= high; { // the first that is not taken
			middle := low + (high-low)/2
			if run(program, middle) > 0 {
				low, border = middle+1, middle+1
			} else {
				high = middle - 1
			}
		}
		if actual := (1 << 32) / float64(border); math.Abs(actual/float64(rate)-1) > 0.001 {
			t.Errorf("rate %d: one in %.2f is taken", rate, actual)
		}
	}
	if run(filter(1), math.MaxUint32) == 0 || run(filter(0), 0) != 0 {
		t.Error("with rate 1 each is taken, with 0 none")
	}
}

func FuzzBlock(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		emitted := 0
		before := bytes.Clone(b)
		d := NewDecoder(1, host, func(*flow.Record) { emitted++ })
		if frames, _ := d.Block(b, at); frames != emitted || !bytes.Equal(b, before) {
			t.Fatalf("%d frames, %d records; the block is changed: %v", frames, emitted, !bytes.Equal(b, before))
		}
	})
}

func BenchmarkBlock(b *testing.B) {
	block := golden.Bytes(b, "block")
	d := NewDecoder(1000, host, func(*flow.Record) {})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Block(block, at); err != nil {
			b.Fatal(err)
		}
	}
}
