package queue

import (
	"bytes"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestHalvesTogetherHoldEveryFlow(t *testing.T) {
	of := func(flows ...uint64) *message {
		m := &message{flows: len(flows)}
		for _, n := range flows {
			m.data = (&flow.Record{Bytes: n}).AppendDelimited(m.data)
		}
		return m
	}
	for name, c := range map[string]struct {
		batch         []*message
		first, second int // flows
	}{
		"many messages are divided between them": {[]*message{of(1, 2), of(3), of(4, 5, 6)}, 2, 4},
		"one is divided between flows":           {[]*message{of(1, 2, 3, 4, 5)}, 2, 3},
		"two flows become one and one":           {[]*message{of(1, 1<<60)}, 1, 1},
		"one flow cannot be divided":             {[]*message{of(1)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for codec, compression := range codecs {
				encoded, err := newEncoder(compression).encode(c.batch, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				decoded, err := decode(encoded)
				if err != nil {
					t.Fatal(err)
				}
				first, second := halve(decoded)
				if flowsIn(first) != c.first || flowsIn(second) != c.second {
					t.Errorf("%s: %d and %d flows, want %d and %d", codec, flowsIn(first), flowsIn(second), c.first, c.second)
				}
				if got, want := content(append(first, second...)), content(c.batch); !bytes.Equal(got, want) {
					t.Errorf("%s: the halves hold %x, want %x", codec, got, want)
				}
			}
		})
	}
}

func content(messages []*message) (b []byte) {
	for _, m := range messages {
		b = append(b, m.data...)
	}
	return b
}
