package netlink

import (
	"bytes"
	"errors"
	"syscall"
	"testing"
)

// two messages of one datagram, as Request writes them.
func two() []byte {
	first := NewRequest(0x0400, Family(2, 5)).Add(10, 'a', 'b', 0).Add(12, Uint32(7)...).finish(1)
	return append(first, NewRequest(typeDone, nil).finish(2)...)
}

func TestMessagesAndAttributesAreReadInTheirOrder(t *testing.T) {
	m, rest, ok, err := Next(two())
	if !ok || err != nil || m.Type != 0x0400 || m.Sequence != 1 || !bytes.Equal(m.Body[:FamilySize], []byte{2, 0, 0, 5}) {
		t.Fatalf("%+v %v %v", m, ok, err)
	}
	a := Attributes(m.Body[FamilySize:])
	for _, want := range []struct {
		kind  uint16
		value string
	}{{10, "ab\x00"}, {12, "\x00\x00\x00\x07"}} {
		kind, value, next, ok := a.Next()
		if !ok || kind != want.kind || string(value) != want.value {
			t.Errorf("attribute %d %q, want %d %q", kind, value, want.kind, want.value)
		}
		a = next
	}
	if _, _, a, ok = a.Next(); ok || a.Broken() {
		t.Error("there is more behind the last attribute")
	}
	if m, rest, ok, err = Next(rest); !ok || err != nil || !m.Done() {
		t.Errorf("%+v %v %v", m, ok, err)
	}
	if _, _, ok, err = Next(rest); ok || err != nil {
		t.Errorf("more than two messages: %v", err)
	}
}

func TestWhatIsCutOffIsAnError(t *testing.T) {
	b := two()[:36]
	for n := 1; n < len(b); n++ {
		if _, _, ok, err := Next(b[:n]); ok || !errors.Is(err, ErrTruncated) {
			t.Errorf("%d bytes: %v %v", n, ok, err)
		}
	}
	if _, _, rest, ok := Attributes([]byte{9, 0, 1, 0, 1, 2, 3}).Next(); ok || !rest.Broken() {
		t.Error("an attribute longer than its message is read")
	}
}

func TestAnAnswerHasTheKernelsError(t *testing.T) {
	for body, want := range map[string]error{"\x00\x00\x00\x00": nil, "\xff\xff\xff\xff": syscall.EPERM} {
		if yes, err := (Message{Type: typeError, Body: []byte(body)}).Acknowledges(); !yes || err != want {
			t.Errorf("%v %v, want %v", yes, err, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add(two())
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			m, rest, ok, _ := Next(b)
			if !ok {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("it does not get on")
			}
			for a := Attributes(m.Body); ; {
				_, _, next, ok := a.Next()
				if !ok {
					break
				}
				a = next
			}
			b = rest
		}
	})
}

func BenchmarkNext(b *testing.B) {
	datagram := two()
	b.ReportAllocs()
	for b.Loop() {
		for rest, ok := datagram, true; ok; {
			_, rest, ok, _ = Next(rest)
		}
	}
}
