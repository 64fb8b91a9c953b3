package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOtherCluster is returned where what a ledger remembers is in another Kafka.
var ErrOtherCluster = errors.New("what the state directory remembers is in another Kafka cluster: to send everything to this one, use another directory")

// route is the way of a ledger's entries to one topic.
type route struct {
	ledger  *Ledger
	topic   string
	cluster *cluster
	meters  *meters

	found  topology
	states []delivery // of partitions
	next   int        // partition
	warned time.Time
}

// warnInterval is how often the log says that Kafka does not take flows.
const warnInterval = time.Minute

// deliver sends the first part of e until it is stored, or split. It returns an error
// when ctx ends and when Kafka will never take it.
func (r *route) deliver(ctx context.Context, e *entry) error {
	p := e.parts[0]
	state, err := r.begin(ctx, p)
	if err != nil {
		return err
	}
	for failures := 0; ; {
		err := r.attempt(ctx, e, state)
		if errors.Is(err, errState) {
			return err
		}
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("wait for Kafka to acknowledge flows: %w", errors.Join(context.Cause(ctx), err))
		}
		v, twice := state.answered(err, messagesIn(p.data))
		if twice {
			r.meters.doubtful.Add(float64(p.Flows))
		}
		switch v.action {
		case stored:
			r.acknowledged(e)
			return nil
		case split:
			return r.ledger.split(e, err)
		case drop:
			return fmt.Errorf("send flows to topic %q: Kafka refuses them again and again: %w", r.topic, err)
		case resend:
		default:
			p.as = nil
		}
		r.meters.retries.WithLabelValues(v.reason).Inc()
		if failures++; failures%patience == 0 {
			r.complain(err)
			if v.reason == "leader" && !state.doubtful { // another partition may have one
				r.next, p.as = r.next+1, nil
				state = &r.states[r.next%len(r.states)]
			}
		}
		if v.moved {
			r.cluster.rediscover()
		}
		pause(ctx, backoff(failures))
	}
}

// begin finds out what is to be known of the topic, and with which state p is sent.
func (r *route) begin(ctx context.Context, p *part) (*delivery, error) {
	if r.states == nil {
		if err := r.find(ctx); err != nil {
			return nil, err
		}
	}
	if p.as != nil { // an earlier process has chosen
		if p.as.cluster != r.found.cluster || p.as.partition >= len(r.states) {
			return nil, ErrOtherCluster
		}
		state := inherited(p.as.session)
		return &state, nil
	}
	r.next++
	return &r.states[r.next%len(r.states)], nil
}

// find waits for Kafka to know the topic.
func (r *route) find(ctx context.Context) error {
	for failures := 0; ; {
		found, err := r.cluster.describe(ctx, r.topic)
		if err == nil && found.partitions == 0 {
			err = fmt.Errorf("topic %q has no partitions", r.topic)
		}
		if err == nil {
			if err := r.ledger.positions.belongTo(found.cluster); err != nil {
				return err
			}
			r.found, r.states = found, make([]delivery, found.partitions)
			for i := range r.states {
				r.states[i] = anew
			}
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for Kafka: %w", errors.Join(context.Cause(ctx), err))
		}
		if failures++; failures%patience == 0 {
			r.complain(err)
		}
		r.cluster.rediscover()
		pause(ctx, backoff(failures))
	}
}

// attempt gets an identity and has it on the disk if need be, and sends the first part of
// e once.
func (r *route) attempt(ctx context.Context, e *entry, state *delivery) error {
	p := e.parts[0]
	if state.session.id == none {
		s, err := r.cluster.newSession(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errNoSession, err)
		}
		state.session = s
	}
	if p.as == nil {
		p.as = &identity{cluster: r.found.cluster, partition: r.next % len(r.states), session: state.session, sent: time.Now()}
		if err := writeEntry(r.ledger.dir, e); err != nil {
			return fmt.Errorf("%w %s: %w", errState, r.ledger.dir, err)
		}
	}
	return r.cluster.produce(ctx, r.topic, *p.as, p.data)
}

// errState ends the delivery: without the entry on the disk nothing may be sent.
var errState = errors.New("write the state in")

func (r *route) acknowledged(e *entry) {
	p := e.parts[0]
	e.parts = e.parts[1:]
	r.meters.acknowledged.Add(float64(p.Flows))
	r.meters.batches.Inc()
	r.meters.bytes.Add(float64(len(p.data)))
	r.meters.ready.Set(1)
	r.warned = time.Time{}
}

// complain logs now and then why flows wait.
func (r *route) complain(err error) {
	r.meters.ready.Set(0)
	r.meters.lastError.SetToCurrentTime()
	if time.Since(r.warned) < warnInterval {
		return
	}
	r.warned = time.Now()
	what, check := explain(err)
	r.ledger.cfg.Logger.Warn("queue: "+what+"; it is tried again until it works", "topic", r.topic, "error", err, "check", check)
}
