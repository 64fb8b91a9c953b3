package exporter

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/flow"
)

// The race detector is what judges here.
func TestTableIsSafeForManySockets(t *testing.T) {
	table := NewTable(Config{MaxExporters: 8, MaxNewcomers: 4, MaxTemplates: 4, MaxSamplers: 4, MaxBytes: 16 << 10, MaxSeries: 4,
		TemplateWait: 10 * time.Second, Overrides: overrides(t, `{"0.0.0.0/0": {"maxFlowsPerSecond": 1}}`)})
	var sockets sync.WaitGroup
	for socket := range 4 {
		sockets.Go(func() {
			for i := range 2000 {
				now := start.Add(time.Duration(i) * time.Second / 4)
				exercise(table.Get(spoofed(i/7*(socket+1)%16), now), i, now)
				if i%200 == 0 {
					sweep(table, now)
					testutil.CollectAndCount(NewCollector(table))
					if err := table.Save(io.Discard, now); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	sockets.Wait()
	if size(table) > 12 || table.established.bytes > 16<<10 {
		t.Errorf("%d exporters and %d bytes, want at most 12 and %d", size(table), table.established.bytes, 16<<10)
	}
}

// exercise calls everything that decoders call.
func exercise(state *State, i int, now time.Time) {
	state.Received(flow.Protocols[i%4], 100)
	state.SetTemplate(9, 0, uint16(i%8), NewTemplate(false, 0, make([]Field, 1+i%4)))
	state.Template(9, 0, uint16(i%8))
	state.SetRate(9, 0, uint64(i%8), uint64(i))
	state.Rate(9, 0, 0, 0)
	state.SetBoot(uint32(i%3), uint64(i))
	state.Boot(uint32(i % 3))
	state.SetApplication(uint64(i%5), "name")
	state.Application(uint64(i % 5))
	state.Hold(9, 0, uint16(i%3), Held{Received: now, Body: []byte("set")})
	state.Release(9, 0, uint16(i%2), now)
	state.RemoveTemplate(9, 0, uint16(i%3))
	state.RemoveTemplates(9, 0, true)
	state.Sequence(flow.IPFIX, uint32(i%2), uint32(i), 1)
	state.Keep(now)
	state.AddRecords(flow.Protocols[i%4], 1, 1)
}
