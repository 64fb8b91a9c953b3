package generate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// BenchmarkDraw is the model alone.
func BenchmarkDraw(b *testing.B) {
	t := newTraffic(newPopulation(1), 1, 0, 0.3)
	var o observation
	b.ReportAllocs()
	for b.Loop() {
		t.draw(&o)
	}
}

// BenchmarkEncode is one record: encoded, and its share of completing the datagram.
func BenchmarkEncode(b *testing.B) {
	for _, protocol := range Protocols() {
		b.Run(string(protocol), func(b *testing.B) {
			p := newProfile(protocol, 1, []uint32{512, 1000, 2000})
			if protocol != SFlow {
				p.address = agentAddress(0)
			}
			records := conformed(&p, 1024)
			now := time.Now().UnixMilli()
			e := p.encoder(now - uptime.Milliseconds())
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				e.add(&records[i&1023], now)
				if !e.room() {
					e.datagram(now)
				}
				i++
			}
		})
	}
}

// conformed draws n records of an exporter.
func conformed(p *profile, n int) []observation {
	share := 0.3
	if p.protocol == NetFlow5 {
		share = 0
	}
	t := newTraffic(newPopulation(1), 1, 0, share)
	records := make([]observation, n)
	for i := range records {
		t.draw(&records[i])
		p.conform(&records[i])
	}
	return records
}

// BenchmarkSend is everything that Run does for one record, over loopback UDP.
func BenchmarkSend(b *testing.B) {
	for _, protocol := range Protocols() {
		b.Run(string(protocol), func(b *testing.B) {
			socket := listen(b, "127.0.0.1:0")
			r := &run{
				Options: Options{
					Protocol: protocol, To: socket.LocalAddr().String(), Rate: MaxRate, Exporters: 1,
					Seed: 1, SamplingRates: []uint32{1000}, IPv6Share: 0.3,
				},
				population: newPopulation(1),
			}
			to, err := resolve(r.To)
			if err != nil {
				b.Fatal(err)
			}
			r.dial = dialUDP(to)
			if err := r.open(to.Addr()); err != nil {
				b.Fatal(err)
			}
			defer r.close()
			b.ReportAllocs()
			for b.Loop() {
				if err := r.deal(1, time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHistory(b *testing.B) {
	enough := errors.New("enough")
	to := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	n := 0
	b.ReportAllocs()
	err := History(context.Background(), HistoryOptions{From: to.AddDate(0, 0, -1), To: to, Flows: b.N + 1, Seed: 1},
		func(*flow.Record) error {
			if n++; n == b.N {
				return enough
			}
			return nil
		})
	if err != nil && !errors.Is(err, enough) {
		b.Fatal(err)
	}
}
