package metrics_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/metrics"
)

func TestServesMetricsAtTheAddressThatItNames(t *testing.T) {
	metrics.Records.WithLabelValues(metrics.SFlow)
	server, err := metrics.Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	response, err := http.Get("http://" + server.Addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), `netmeta_records_total{protocol="sflow"}`) {
		t.Errorf("%v in\n%s", err, body)
	}
}

func TestServesNothingWithoutAnAddress(t *testing.T) {
	server, err := metrics.Serve("")
	if err != nil || server.Addr != "" {
		t.Fatalf("serves at %q: %v", server.Addr, err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestTakenAddressIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := metrics.Serve(taken.Addr().String()); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("got %v, want an error about %s", err, taken.Addr())
	}
}
