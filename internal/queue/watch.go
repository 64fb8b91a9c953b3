package queue

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	watchInterval = 2 * time.Second
	firstBackoff  = 20 * time.Millisecond
	longBackoff   = time.Second // an outage of any length is over this soon after its end
)

// watch asks Kafka again and again whether it is there and how many partitions the
// topic has, and runs a partition for each.
func (p *Producer) watch(ctx context.Context) {
	var stops []context.CancelFunc // of running partitions, by number
	waiting := p.claims            // until the partitions are known
	failures := 0
	for ctx.Err() == nil {
		found, err := p.cluster.describe(ctx, p.cfg.Topic)
		if ctx.Err() != nil {
			break
		}
		p.health.found(found.partitions, err)
		if err != nil {
			failures++
			p.cluster.rediscover()
			pause(ctx, backoff(failures))
			continue
		}
		failures = 0
		stops = p.resize(ctx, stops, found, waiting.assign(p, found))
		waiting = nil
		pause(ctx, watchInterval)
	}
	p.resize(ctx, stops, topology{}, nil)
}

// resize starts or ends partitions so that those of the topic run. There can be fewer
// than before when it was deleted and made again.
func (p *Producer) resize(ctx context.Context, stops []context.CancelFunc, topic topology, c map[int]claims) []context.CancelFunc {
	for len(stops) < topic.partitions {
		t := &partition{p: p, cluster: topic.cluster, number: len(stops), state: anew, claims: c[len(stops)]}
		wanted, stop := context.WithCancel(ctx)
		p.running.Go(func() {
			t.run(wanted)
			if ctx.Err() == nil { // the partition is gone
				t.renounce()
			}
		})
		stops = append(stops, stop)
	}
	for _, stop := range stops[topic.partitions:] {
		stop()
	}
	return stops[:topic.partitions]
}

// backoff returns how long to wait after so many failures in a row: twice as long
// each time up to longBackoff, less up to a half by chance, so that those who fail
// together do not come back together.
func backoff(failures int) time.Duration {
	d := longBackoff
	if shift := failures - 1; shift < 10 {
		d = min(firstBackoff<<shift, longBackoff)
	}
	return d/2 + rand.N(d/2)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
