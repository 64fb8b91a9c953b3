package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Check is something that has to hold for the process to do its work.
type Check struct {
	Name string // such as "kafka": what a person looks at when it fails

	// Live tells that the process itself is broken where the check fails, so that a
	// restart helps: it decides about /healthz. All checks decide about /readyz.
	Live bool

	// Probe returns nil, or what is wrong and what with. It may be called at any time
	// from any goroutine, but not twice at the same time. One that takes longer than
	// probeTimeout counts as failed: that is how a deadlock shows.
	Probe func() error
}

const (
	// probeTimeout is shorter than what Kubernetes and load balancers are usually told
	// to wait.
	probeTimeout = 2 * time.Second
	// probeInterval is how often checks are made when nobody asks, so that it is known
	// since when one fails.
	probeInterval = 5 * time.Second
)

// monitor is a check and what is known of it.
type monitor struct {
	Check

	mu      sync.Mutex
	probing chan struct{} // closed when the probe under way has ended; nil if there is none
	err     error         // of the last probe
	since   time.Time     // when err began or ended to be nil
}

// state is what is told of a check.
type state struct {
	Name  string    `json:"name"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
	Since time.Time `json:"since"`
}

// check probes, or waits for a probe that is under way, and returns what is known then.
func (m *monitor) check(ctx context.Context) state {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	select {
	case <-m.begin():
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			m.learn(fmt.Errorf("no answer for %v", probeTimeout))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := state{Name: m.Name, OK: m.err == nil, Since: m.since.UTC().Truncate(time.Second)}
	if m.err != nil {
		s.Error = m.err.Error()
	}
	return s
}

// begin probes in the background, unless a probe is under way already: one that hangs
// costs one goroutine, however often it is asked for.
func (m *monitor) begin() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.probing == nil {
		done := make(chan struct{})
		m.probing = done
		go func() {
			m.learn(m.Probe())
			m.mu.Lock()
			m.probing = nil
			m.mu.Unlock()
			close(done)
		}()
	}
	return m.probing
}

func (m *monitor) learn(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since.IsZero() || (m.err == nil) != (err == nil) {
		m.since = time.Now()
	}
	m.err = err
}

// health answers about checks.
type health []*monitor

func newHealth(checks []Check) health {
	var h health
	for _, c := range checks {
		h = append(h, &monitor{Check: c})
	}
	return h
}

// watch makes all checks now and then, until ctx ends.
func (h health) watch(ctx context.Context) {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		h.check(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// check makes all checks at the same time, and returns their states in order.
func (h health) check(ctx context.Context) []state {
	states := make([]state, len(h))
	var checking sync.WaitGroup
	for i, m := range h {
		checking.Go(func() { states[i] = m.check(ctx) })
	}
	checking.Wait()
	return states
}

// live returns the checks that decide about /healthz.
func (h health) live() (live health) {
	for _, m := range h {
		if m.Live {
			live = append(live, m)
		}
	}
	return live
}

// ServeHTTP answers 200 if all checks hold, else 503, with what they found.
func (h health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		OK     bool    `json:"ok"`
		Checks []state `json:"checks"`
	}{OK: true, Checks: h.check(r.Context())}
	status := http.StatusOK
	for _, s := range answer.Checks {
		if !s.OK {
			answer.OK, status = false, http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(answer) // fails only if the client has gone
}
