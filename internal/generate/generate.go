// Package generate plays flow exporters: it draws traffic that is shaped like that of a
// network's edge and sends it as sFlow v5, NetFlow v5, NetFlow v9 or IPFIX.
//
// Run sends at a steady rate and reports to the byte what it sent, which is what tests
// compare with what a collector stored. Demo and History together make a day of
// traffic that continues live. Nothing in it belongs to anybody: addresses and AS
// numbers are those reserved for documentation, benchmarks and private use.
package generate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Limits of Options.
const (
	MaxRate      = 10_000_000 // flows a second
	MaxExporters = 10_000
)

// Options says what Run sends.
type Options struct {
	Protocol  Protocol
	To        string        // HOST:PORT of the collector
	Flows     uint64        // records of all exporters together; 0: no limit
	Duration  time.Duration // 0: no limit
	Rate      float64       // records a second of all exporters together
	Exporters int
	Seed      uint64

	SamplingRates []uint32 // packets per sample, dealt out to exporters, samplers and interfaces
	IPv6Share     float64  // of the records, 0 to 1; NetFlow v5 carries IPv4 only

	// Start is the time of the first record. The records then go by a clock of their
	// own, which advances by 1/Rate with each, so that every datagram is the same in
	// every run. The zero Start means the time of day.
	Start time.Time

	// Progress, if set, is called with the records sent so far, several times a second.
	Progress func(records uint64)

	dial dialer // nil: UDP
}

// Validate says what is wrong with o.
func (o *Options) Validate() error {
	if _, err := ParseProtocol(string(o.Protocol)); err != nil {
		return err
	}
	if o.Rate <= 0 || o.Rate > MaxRate {
		return fmt.Errorf("rate %g: must be above 0 and at most %d flows a second", o.Rate, MaxRate)
	}
	if o.Exporters < 1 || o.Exporters > MaxExporters {
		return fmt.Errorf("%d exporters: must be 1 to %d", o.Exporters, MaxExporters)
	}
	if o.IPv6Share < 0 || o.IPv6Share > 1 {
		return fmt.Errorf("IPv6 share %g: must be 0 to 1", o.IPv6Share)
	}
	if o.Duration < 0 {
		return fmt.Errorf("duration %s: must not be negative", o.Duration)
	}
	if len(o.SamplingRates) == 0 {
		return errors.New("no sampling rate: at least one is needed")
	}
	for _, rate := range o.SamplingRates {
		if rate == 0 {
			return errors.New("sampling rate 0: 1 means that every packet is sampled")
		}
		if o.Protocol == NetFlow5 && rate > maxNetFlow5Rate {
			return fmt.Errorf("sampling rate %d: NetFlow v5 has 14 bits for it, at most %d", rate, maxNetFlow5Rate)
		}
	}
	return nil
}

// Run sends what o says until the flows or the duration are used up or ctx ends, which
// is no error, and returns what was sent, also beside an error.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.Validate(); err != nil {
		return newReport(nil), err
	}
	to, err := resolve(o.To)
	if err != nil {
		return newReport(nil), err
	}
	if o.dial == nil {
		o.dial = dialUDP(to)
	}
	r := &run{Options: o, population: newPopulation(o.Seed)}
	defer r.close()
	if err := r.open(to.Addr()); err != nil {
		return newReport(nil), err
	}
	err = r.send(ctx)
	return newReport(r.exporters), err
}

// run is the state of Run.
type run struct {
	Options
	population *population
	exporters  []*exporter
	sent       uint64
}

// patience is how long a record may wait for its datagram to fill up.
const patience = 200 * time.Millisecond

func (r *run) open(to netip.Addr) error {
	perDatagram := max(1, int(r.Rate/float64(r.Exporters)*patience.Seconds()))
	ipv6 := r.IPv6Share
	if r.Protocol == NetFlow5 {
		ipv6 = 0
	}
	boot := r.now(time.Now(), 0) - uptime.Milliseconds()
	for i := range r.Exporters {
		e := &exporter{
			profile:     newProfile(r.Protocol, i, r.SamplingRates),
			traffic:     newTraffic(r.population, r.Seed, uint64(i), ipv6),
			perDatagram: perDatagram,
		}
		if err := e.open(r.dial, to, i, boot); err != nil {
			return err
		}
		r.exporters = append(r.exporters, e)
	}
	return nil
}

// close closes all sockets. What failed to be sent was reported by the write.
func (r *run) close() {
	for _, e := range r.exporters {
		_ = e.conn.Close()
	}
}

// now returns the time of the n-th record in Unix milliseconds.
func (r *run) now(clock time.Time, n uint64) int64 {
	if r.Start.IsZero() {
		return clock.UnixMilli()
	}
	return r.Start.UnixMilli() + int64(float64(n)*1000/r.Rate)
}

// send deals records to the exporters in turn, as fast as the pacer allows.
func (r *run) send(ctx context.Context) error {
	if r.Duration > 0 {
		limited, cancel := context.WithTimeout(ctx, r.Duration)
		defer cancel()
		ctx = limited
	}
	started := time.Now()
	pace := newPacer(r.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for reported := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return r.finish()
		case <-timer.C:
		}
		elapsed := time.Since(started)
		due, wait := pace.take(elapsed)
		if err := r.deal(due, started.Add(elapsed)); err != nil {
			return err
		}
		if r.Flows > 0 && r.sent == r.Flows {
			return r.finish()
		}
		if r.Progress != nil && elapsed-reported >= patience {
			reported = elapsed
			r.Progress(r.sent)
		}
		timer.Reset(wait)
	}
}

// attackRecords is the length of attackAt's slots where they go by records.
const attackRecords = 1 << 16

func (r *run) deal(due int, clock time.Time) error {
	for range due {
		if r.Flows > 0 && r.sent == r.Flows {
			return nil
		}
		e := r.exporters[r.sent%uint64(len(r.exporters))]
		// An attack is on everywhere at once, and moves on in steps of records, not
		// of time, so that the same seed draws the same.
		if position := r.sent % attackRecords; position%1024 == 0 {
			r.setAttack(int64(r.sent/attackRecords), float64(position)/attackRecords)
		}
		if err := e.step(r.now(clock, r.sent)); err != nil {
			return err
		}
		r.sent++
	}
	return nil
}

func (r *run) setAttack(slot int64, position float64) {
	a := r.population.attackAt(r.Seed, slot, position)
	for _, e := range r.exporters {
		e.traffic.attack, e.traffic.attackShare = a, fraction(a.share(1))
	}
}

// finish sends the datagrams that are not full.
func (r *run) finish() error {
	for _, e := range r.exporters {
		if err := e.flush(r.now(time.Now(), r.sent)); err != nil {
			return err
		}
	}
	if r.Progress != nil {
		r.Progress(r.sent)
	}
	return nil
}
