package listen

import (
	"testing"
	"time"
)

func TestPausesAreShortEnoughForTheBuffer(t *testing.T) {
	for _, test := range []struct {
		name   string
		buffer int
		want   time.Duration
	}{
		{"what Linux grants by default is too small for any", 208 << 10, 0},
		{"just too small", 2<<20 - 1, 0},
		{"2 MiB", 2 << 20, time.Millisecond},
		{"4 MiB", 4 << 20, 2 * time.Millisecond},
		{"10 MiB", 10 << 20, 5 * time.Millisecond},
		{"never so long that a person could notice", 1 << 30, 15 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := gatherPause(test.buffer); got != test.want {
				t.Errorf("%v with %d bytes, want %v", got, test.buffer, test.want)
			}
		})
	}
}
