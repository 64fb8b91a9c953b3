package conntrack

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

var (
	at   = time.Unix(1_795_776_000, 0)
	host = flow.Record{SamplerAddress: netip.MustParseAddr("192.0.2.77")}
)

func connection(t testing.TB, name string) *Connection {
	t.Helper()
	m, _, ok, err := netlink.Next(golden.Bytes(t, name))
	if !ok || err != nil {
		t.Fatal(err)
	}
	c := &Connection{}
	if err := c.Decode(m); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

func TestMessagesOfTheKernelAreReadWhole(t *testing.T) {
	tuple := func(from, to string, protocol uint8) Tuple {
		a, b := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
		return Tuple{Source: a.Addr(), Destination: b.Addr(), SourcePort: a.Port(), DestinationPort: b.Port(), Protocol: protocol}
	}
	tcp := Connection{
		ID:    0x71e2a5c4,
		Tuple: [2]Tuple{tuple("198.51.100.2:40000", "198.51.100.1:8080", 6), tuple("203.0.113.2:80", "203.0.113.1:40000", 6)},
	}
	udp := Connection{
		ID:    0xabe6ebca,
		Tuple: [2]Tuple{tuple("[2001:db8:1::2]:40001", "[2001:db8:2::2]:443", 17), tuple("[2001:db8:2::2]:443", "[2001:db8:1::2]:40001", 17)},
	}
	begun, ended, ended6 := tcp, tcp, udp
	begun.TCPState = 1 // SYN_SENT
	ended.TCPState, ended.Counted = tcpTimeWait, true
	ended.Counters = [2]Counters{{6, 370}, {4, 416}}
	ended.Start, ended.Stop = 0x18ebe0896e9a8199, 0x18ebe089f1adac35
	ended6.Counted, ended6.Counters = true, [2]Counters{{1, 348}, {}}
	ended6.Start, ended6.Stop = 0x18ebe089989a260d, 0x18ebe089f1ae73c3
	for name, want := range map[string]Connection{"new": begun, "destroy": ended, "new6": udp, "destroy6": ended6} {
		if diff := cmp.Diff(&want, connection(t, name), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBrokenMessagesAreErrors(t *testing.T) {
	m, _, _, _ := netlink.Next(golden.Bytes(t, "destroy"))
	const original, both = 4 + 52, 4 + 2*52
	for n := range m.Body {
		var c Connection
		err := c.Decode(netlink.Message{Type: TypeDelete, Body: m.Body[:n]})
		if n < both && err == nil || n == original && err != ErrTuple || n < netlink.FamilySize && err != ErrShort {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

// reported is what a record says, in short.
func reported(r *flow.Record) string {
	return fmt.Sprintf("event %d, %d packets %d bytes, direction %d, %d s", r.FirewallEvent, r.Packets, r.Bytes, r.BiFlowDirection, r.TimeFlowEnd-r.TimeFlowStart)
}

func newTracker(said *[]string) *Tracker {
	tracker := NewTracker(host, func(r *flow.Record) { *said = append(*said, reported(r)) })
	tracker.Starts, tracker.Active = true, time.Minute
	return tracker
}

func after(d time.Duration) time.Time { return at.Add(d) }

// counted is a connection without the kernel's times.
func counted(t *testing.T, packets uint64) *Connection {
	c := connection(t, "destroy")
	c.Start, c.Stop = 0, 0
	c.Counters = [2]Counters{{packets, 100 * packets}, {}}
	return c
}

func TestNothingIsReportedTwice(t *testing.T) {
	var said []string
	tracker := newTracker(&said)
	tracker.Begin(counted(t, 0), at)
	tracker.NextRound()
	tracker.Update(counted(t, 5), after(30*time.Second)) // too early
	tracker.NextRound()
	tracker.Update(counted(t, 10), after(60*time.Second))
	tracker.NextRound()
	tracker.Update(counted(t, 10), after(120*time.Second)) // nothing new
	tracker.End(counted(t, 13), after(150*time.Second))
	tracker.End(counted(t, 13), after(151*time.Second)) // another connection by now
	want := []string{
		"event 1, 0 packets 0 bytes, direction 1, 0 s",
		"event 5, 10 packets 1000 bytes, direction 1, 60 s",
		"event 2, 3 packets 300 bytes, direction 1, 150 s",
		"event 2, 13 packets 1300 bytes, direction 1, 0 s",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

func TestTheEndIsReportedAlsoWhereNothingIsNew(t *testing.T) {
	var said []string
	tracker := newTracker(&said)
	tracker.Starts = false
	tracker.Begin(counted(t, 0), at)
	tracker.Update(counted(t, 5), after(60*time.Second))
	tracker.End(counted(t, 5), after(61*time.Second))
	want := []string{
		"event 5, 5 packets 500 bytes, direction 1, 60 s",
		"event 2, 0 packets 0 bytes, direction 1, 61 s",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasBeforeTheAgentIsNotReported(t *testing.T) {
	var said []string
	tracker := newTracker(&said)
	tracker.NextRound()
	tracker.Baseline(counted(t, 1000), at)
	tracker.End(counted(t, 1001), after(time.Second))
	// This one began between asking for events and reading the table.
	tracker.Baseline(counted(t, 3), at)
	tracker.Begin(counted(t, 0), at)
	tracker.End(counted(t, 4), after(time.Second))
	want := []string{
		"event 2, 1 packets 100 bytes, direction 1, 0 s",
		"event 1, 0 packets 0 bytes, direction 1, 0 s",
		"event 2, 4 packets 400 bytes, direction 1, 1 s",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

func TestTheNextProcessGoesOnWhereThisOneWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	var said []string
	first := newTracker(&said)
	first.Begin(counted(t, 0), at)
	first.Update(counted(t, 10), after(time.Minute))
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	said = nil
	second := newTracker(&said)
	if ok, err := second.Load(path); !ok || err != nil {
		t.Fatal(ok, err)
	}
	second.End(counted(t, 12), after(2*time.Minute))
	if diff := cmp.Diff([]string{"event 2, 2 packets 200 bytes, direction 1, 120 s"}, said); diff != "" {
		t.Error(diff)
	}
}

func TestConnectionsWhoseEndWasMissedAreForgottenAfterTwoRounds(t *testing.T) {
	tracker := newTracker(new([]string))
	tracker.Begin(counted(t, 0), at)
	for round, want := range []int{0, 1, 0} {
		tracker.NextRound()
		if missed := tracker.Sweep(); missed != want {
			t.Errorf("round %d: %d missed, want %d", round, missed, want)
		}
	}
}

func TestCountersThatWereSetBackAreTakenAsTheyAre(t *testing.T) {
	if got := (Counters{3, 300}).since(Counters{10, 1000}); got != (Counters{3, 300}) {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range golden.All(f) {
		f.Add(b[16:])
	}
	tracker := NewTracker(host, func(*flow.Record) {})
	tracker.Starts, tracker.Active = true, time.Second
	f.Fuzz(func(t *testing.T, body []byte) {
		var c Connection
		if err := c.Decode(netlink.Message{Type: TypeNew, Body: body}); err != nil {
			return
		}
		tracker.NextRound()
		tracker.Begin(&c, at)
		tracker.Update(&c, at.Add(time.Minute))
		tracker.End(&c, at.Add(time.Minute))
		if tracker.Tracked() != 0 {
			t.Fatal("a connection that has ended is remembered")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	m, _, _, _ := netlink.Next(golden.Bytes(b, "destroy"))
	var c Connection
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Decode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConnection(b *testing.B) {
	begun, ended := connection(b, "new"), connection(b, "destroy")
	tracker := NewTracker(host, func(*flow.Record) {})
	tracker.Starts = true
	b.ReportAllocs()
	for b.Loop() {
		tracker.Begin(begun, at)
		tracker.End(ended, at)
	}
}
