package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

func TestAPageOpenedAfterALossShowsIt(t *testing.T) {
	_, read := clickhousetest.Migrated(t)
	registry := prometheus.NewRegistry()
	promauto.With(registry).NewCounter(prometheus.CounterOpts{Name: metricDatagrams}).Add(1000)
	drops := promauto.With(registry).NewCounter(prometheus.CounterOpts{Name: metricKernelDrops})
	config := testConfig(read)
	config.Gatherer = registry
	page := New(config)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		page.Watch(ctx)
	}()
	for deadline := time.Now().Add(30 * time.Second); page.api.history.length() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("Watch has not looked")
		}
		time.Sleep(time.Millisecond)
	}

	drops.Add(7)
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/pipeline", nil))
	var got pipeline
	must(t, json.Unmarshal(answer.Body.Bytes(), &got))
	if got.Level != levelBad || got.Stages[0].Advice == "" {
		t.Errorf("the first answer is %q, %q, want the datagrams to be a problem: %s", got.Level, got.Summary, answer.Body)
	}

	cancel()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("Watch goes on after its context")
	}
}

func (h *history) length() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.snapshots)
}
