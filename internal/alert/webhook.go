package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	// repeatEvery is how often what fires is told again: Alertmanager forgets what
	// it has not heard of for some minutes.
	repeatEvery = time.Minute
	// repeatEnded is for how long the end of an alert is told, in case it got lost.
	repeatEnded = 5 * time.Minute
	// sendTimeout ends an attempt to tell.
	sendTimeout = 10 * time.Second
)

// A Webhook tells a program what fires, by the API of Prometheus' Alertmanager
// (version 2, /api/v2/alerts), whenever that changes and every minute. What fails is
// told with the next time.
type Webhook struct {
	url    string
	now    func() time.Time
	client *http.Client
	wake   chan struct{}
	told   map[string]posted // by labels
	failed bool              // the last time
}

// posted is an alert as Alertmanager reads it.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      *time.Time        `json:"endsAt,omitempty"`
}

// NewWebhook returns a webhook that posts to target, an http or https URL.
func NewWebhook(target string) (*Webhook, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL, such as http://alertmanager.example:9093/api/v2/alerts", target)
	}
	return &Webhook{
		url: target, now: time.Now, client: &http.Client{Timeout: sendTimeout},
		wake: make(chan struct{}, 1), told: map[string]posted{},
	}, nil
}

// Changed has Run tell at once. It does not wait.
func (w *Webhook) Changed() {
	select {
	case w.wake <- struct{}{}:
	default: // it is going to
	}
}

// Run tells what firing returns until ctx ends.
func (w *Webhook) Run(ctx context.Context, firing func() []Fired) {
	tick := time.NewTicker(repeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.wake:
		}
		err := w.send(ctx, w.update(firing()))
		if err != nil && !w.failed && ctx.Err() == nil {
			slog.Error("alert: the webhook does not take what fires, which is tried again each minute", "error", err)
		}
		w.failed = err != nil
	}
}

// update returns what there is to tell: what fires, and what has stopped lately.
func (w *Webhook) update(firing []Fired) []posted {
	now, fires := w.now(), map[string]bool{}
	for _, f := range firing {
		k := key(f.Labels)
		fires[k] = true
		w.told[k] = posted{Labels: f.Labels, Annotations: f.Annotations, StartsAt: f.Since}
	}
	var all []posted
	for _, k := range slices.Sorted(maps.Keys(w.told)) {
		p := w.told[k]
		if !fires[k] && p.EndsAt == nil {
			p.EndsAt = &now
			w.told[k] = p
		}
		if p.EndsAt != nil && now.Sub(*p.EndsAt) > repeatEnded {
			delete(w.told, k)
			continue
		}
		all = append(all, p)
	}
	return all
}

func (w *Webhook) send(ctx context.Context, alerts []posted) error {
	if len(alerts) == 0 {
		return nil
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // for the message only
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("post to the webhook: status %s: %s", response.Status, text)
	}
	return nil
}
