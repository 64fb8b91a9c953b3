package alert

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAWebhookIsToldOfWhatFiresAndOfItsEnd(t *testing.T) {
	now := start
	bodies := make(chan []map[string]any, 10)
	status := http.StatusServiceUnavailable
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var alerts []map[string]any
		if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("posted with headers %v: %v", r.Header, err)
		}
		w.WriteHeader(status)
		bodies <- alerts
	}))
	defer server.Close()
	w, err := NewWebhook(server.URL + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return now }
	firing := []Fired{{Labels: map[string]string{"alertname": "A"}, Annotations: map[string]string{"summary": "it fires"}, Since: start}}

	if err := w.send(t.Context(), w.update(firing)); err == nil || !strings.Contains(err.Error(), "status 503") {
		t.Errorf("a receiver that refuses: %v", err)
	}
	<-bodies
	status = http.StatusOK
	if err := w.send(t.Context(), w.update(firing)); err != nil {
		t.Error(err)
	}
	fires := map[string]any{"labels": map[string]any{"alertname": "A"}, "annotations": map[string]any{"summary": "it fires"}, "startsAt": start.Format(time.RFC3339)}
	if diff := cmp.Diff([]map[string]any{fires}, <-bodies); diff != "" {
		t.Errorf("what fires (-want +got):\n%s", diff)
	}

	now = start.Add(time.Hour)
	ended := now
	for now.Sub(ended) <= repeatEnded {
		if err := w.send(t.Context(), w.update(nil)); err != nil {
			t.Error(err)
		}
		if got := <-bodies; got[0]["endsAt"] != ended.Format(time.RFC3339) {
			t.Errorf("the end at %s is told as %v", ended, got)
		}
		now = now.Add(repeatEvery)
	}
	if all := w.update(nil); len(all) != 0 || len(w.told) != 0 {
		t.Errorf("long after the end there is still %v to tell", all)
	}
}

func TestAWebhookIsToldAtOnce(t *testing.T) {
	got := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- true }))
	defer server.Close()
	w, err := NewWebhook(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // less than the next minute
	defer cancel()
	go w.Run(ctx, func() []Fired { return []Fired{{Labels: map[string]string{"alertname": "A"}, Since: start}} })
	w.Changed()
	w.Changed()
	select {
	case <-got:
	case <-ctx.Done():
		t.Error("nothing was posted")
	}
}

func TestAWebhookNeedsAURL(t *testing.T) {
	for _, target := range []string{"alertmanager:9093", "ftp://x/", "http://", ""} {
		if _, err := NewWebhook(target); err == nil {
			t.Errorf("%q is taken", target)
		}
	}
}
