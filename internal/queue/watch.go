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
	failures := 0
	for ctx.Err() == nil {
		partitions, err := p.cluster.partitions(ctx, p.cfg.Topic)
		if ctx.Err() != nil {
			break
		}
		p.health.report(wholeCluster, err)
		if err != nil {
			failures++
			p.cluster.rediscover()
			pause(ctx, backoff(failures))
			continue
		}
		failures = 0
		stops = p.resize(ctx, stops, partitions)
		pause(ctx, watchInterval)
	}
	p.resize(ctx, stops, 0)
}

// resize starts or ends partitions so that the first n run. There can be fewer than
// before when the topic was deleted and made again.
func (p *Producer) resize(ctx context.Context, stops []context.CancelFunc, n int) []context.CancelFunc {
	for len(stops) < n {
		t := newPartition(p, len(stops))
		wanted, stop := context.WithCancel(ctx)
		p.running.Go(func() {
			t.run(wanted)
			if ctx.Err() == nil { // the partition is gone, and what ailed it with it
				p.health.report(t.number, nil)
			}
		})
		stops = append(stops, stop)
	}
	for _, stop := range stops[n:] {
		stop()
	}
	return stops[:n]
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
