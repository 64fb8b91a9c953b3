package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCountersOfCollectorsElsewhereAreAddedUp(t *testing.T) {
	var addresses []string
	for _, text := range []string{
		"# TYPE netmeta_records_total counter\nnetmeta_records_total{protocol=\"sflow\"} 10\nnetmeta_records_total{protocol=\"ipfix\"} 5\n",
		"# TYPE netmeta_records_total counter\nnetmeta_records_total{protocol=\"sflow\"} 7\n# TYPE netmeta_queue_ready gauge\nnetmeta_queue_ready 1\n",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/metrics" {
				w.WriteHeader(http.StatusNotFound)
			}
			w.Write([]byte(text))
		}))
		defer server.Close()
		addresses = append(addresses, strings.TrimPrefix(server.URL, "http://"))
	}
	c := NewCollectors(addresses)
	counters, err := gatherCounters(c)
	must(t, err)
	must(t, c.Err())
	if counters[metricRecords]["sflow"] != 17 || counters[metricRecords]["ipfix"] != 5 || counters[metricQueueReady][""] != 1 {
		t.Errorf("counters are %v", counters)
	}

	// One that is away takes nothing from the others, and is named.
	c = NewCollectors([]string{addresses[0], "127.0.0.1:1"})
	counters, err = gatherCounters(c)
	must(t, err)
	if counters[metricRecords]["sflow"] != 10 || c.Err() == nil || !strings.Contains(c.Err().Error(), "127.0.0.1:1") {
		t.Errorf("counters are %v, %v", counters, c.Err())
	}
}

func TestWithoutAnybodyWhoKnowsTheLagNothingIsBlamed(t *testing.T) {
	config := unreachable(t)
	config.Lag = nil
	a := newAPI(config)
	p, err := a.pipeline(t.Context())
	must(t, err)
	for _, s := range p.Stages {
		if s.ID == "kafka" && (s.Level != levelIdle || strings.Contains(s.Advice, "Kafka does not say")) {
			t.Errorf("the stage is %+v", s)
		}
	}
}
