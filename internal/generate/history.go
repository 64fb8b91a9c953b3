package generate

import (
	"context"
	"fmt"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// HistoryOptions says which past History makes up.
type HistoryOptions struct {
	From, To time.Time // From is included, To is not; the daily curve goes by From's location
	Flows    int       // records over the whole period, attacks included
	Seed     uint64
}

// Rate returns the rate that continues the period with Demo: flows a second as a mean
// over a day without attacks.
func (o HistoryOptions) Rate() float64 {
	return o.rate(newPopulation(o.Seed))
}

func (o HistoryOptions) rate(p *population) float64 {
	sum := 0.0
	for t := o.From.Truncate(time.Second); t.Before(o.To); t = t.Add(time.Second) {
		load, _ := p.load(o.Seed, t)
		sum += load
	}
	return float64(o.Flows) / sum
}

// History calls emit for each record that a collector would have stored in the period,
// in the order of TimeReceived: the same exporters, hosts and interfaces that Demo
// sends live. The record is reused: emit must not keep it. History ends with the error
// of emit or of ctx.
func History(ctx context.Context, o HistoryOptions, emit func(*flow.Record) error) error {
	if !o.From.Before(o.To) {
		return fmt.Errorf("history from %s to %s: the end must be after the beginning", o.From, o.To)
	}
	d := newDemo(o.Seed, uint64(o.From.Unix()))
	rate := o.rate(d.population)
	expected, emitted := 0.0, 0
	for t := o.From.Truncate(time.Second); t.Before(o.To); t = t.Add(time.Second) {
		if err := ctx.Err(); err != nil {
			return err
		}
		expected += rate * d.at(t)
		due := int(expected) - emitted
		if !t.Add(time.Second).Before(o.To) { // the last second takes what rounding left
			due = o.Flows - emitted
		}
		if err := d.second(t.Unix(), due, emit); err != nil {
			return err
		}
		emitted += due
	}
	return nil
}

// second emits the records that were received in one second, evenly.
func (d *demo) second(unix int64, due int, emit func(*flow.Record) error) error {
	for i := range due {
		e := d.pick()
		o := &e.next
		e.traffic.draw(o)
		e.profile.conform(o)
		e.sent.Records++
		o.SequenceNum = uint32(e.sent.Records)
		o.received(unix*1000 + int64(i)*1000/int64(due))
		if err := emit(&o.Record); err != nil {
			return err
		}
	}
	return nil
}

// received sets the times of o as a collector does for a record that ended as it was
// received, now in Unix milliseconds.
func (o *observation) received(now int64) {
	o.TimeReceived = uint64(now / 1000)
	o.TimeFlowEnd = o.TimeReceived
	o.TimeFlowStart = uint64(now-int64(o.lasted)) / 1000
}
