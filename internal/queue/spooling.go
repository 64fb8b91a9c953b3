package queue

import (
	"context"
	"net/url"
	"path/filepath"
	"time"

	"github.com/leoluk/NetMeta/internal/spool"
)

// Values of Config.SpoolDrop.
const (
	dropOldest = "oldest"
	dropNewest = "newest"
)

// openSpool opens the spool of the topic, or one in memory, and takes over what an
// earlier process has left there.
func (p *Producer) openSpool() error {
	cfg := spool.Config{
		Limit:      p.cfg.SpoolBytes,
		DropNewest: p.cfg.SpoolDrop == dropNewest,
		Cache:      int64(p.cfg.Buffer / 4), // the rest is for messages, and for when the disk fails
		Held:       func(bytes int) { p.buffer.hold(bytes) },
		Lost:       p.lost,
		Idle:       p.buffer.nudge,
		Failing:    func(error) { p.meters.spoolErrors.Inc() },
		Logger:     p.cfg.Logger.With("topic", p.cfg.Topic),
	}
	if p.cfg.Spool != "" {
		// One directory a topic: what waits for one may not be sent to another.
		cfg.Dir = filepath.Join(p.cfg.Spool, "topic-"+url.PathEscape(p.cfg.Topic))
	}
	s, begun, err := spool.Open(cfg)
	if err != nil {
		return err
	}
	p.spool = s
	if left := s.Stats(); left.Flows > 0 {
		p.meters.recovered.Add(float64(left.Flows))
		p.buffer.recovered(left.Flows)
		p.cfg.Logger.Info("queue: flows of an earlier run wait in the spool", "topic", p.cfg.Topic, "flows", left.Flows, "bytes", left.Bytes, "since", left.Oldest)
	}
	p.claims = p.newClaims(begun)
	return nil
}

// rescueInterval is often enough: the spool tries a disk that has failed less often.
const rescueInterval = time.Second

// rescue brings flows that wait in memory to a disk that works again, until ctx ends.
func (p *Producer) rescue(ctx context.Context) {
	for ctx.Err() == nil {
		p.meters.spooled.Add(float64(p.spool.Rescue()))
		pause(ctx, rescueInterval)
	}
}

// lost counts flows that the spool could not keep.
func (p *Producer) lost(flows int) {
	p.meters.drop(dropSpoolFull, flows)
	p.buffer.settle(flows)
}

func (p *Producer) measureSpool() {
	if p.cfg.Spool == "" {
		return
	}
	s := p.spool.Stats()
	p.meters.spoolBytes.Set(float64(s.Bytes))
	p.meters.spoolBatches.Set(float64(s.Batches))
	p.meters.spoolFlows.Set(float64(s.Flows))
	p.meters.spoolOldest.Set(0)
	if !s.Oldest.IsZero() {
		p.meters.spoolOldest.Set(time.Since(s.Oldest).Seconds())
	}
}
