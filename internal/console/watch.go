package console

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// watchInterval is how often Watch looks: two looks are within rateHorizon, so that
// rates are there for whoever opens the page.
const watchInterval = 7 * time.Second

// Console is the page and its data; see New.
type Console struct {
	handler http.Handler
	api     *api
}

// ServeHTTP answers a browser, or a probe that asks /-/ready.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Watch takes note of the state of all stages, and evaluates the alert rules, until
// ctx ends. Without it a browser sees only what is lost while it is open: someone who
// is called because of a problem would find everything well until the next loss.
func (c *Console) Watch(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { c.api.alerts.Run(ctx) })
	if webhook := c.api.config.Webhook; webhook != nil {
		beside.Go(func() { webhook.Run(ctx, c.api.alerts.Firing) })
	}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		c.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look adds a snapshot to the history. One that fails is missing there; whoever
// opens the page is told why.
func (c *Console) look(ctx context.Context) {
	limits, cancel := limited()
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	_, _ = c.api.pipeline(limits)
}
