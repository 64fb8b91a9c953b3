package doctor

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGrafanaIsExaminedAsFarAsItLets(t *testing.T) {
	for name, test := range map[string]struct {
		health, source string
		status         int // of the data source
		level          Level
		want           string
	}{
		"well":                  {`{"database":"ok"}`, `{"status":"OK","message":"Data source is working"}`, 200, OK, "answers"},
		"its database is away":  {`{"database":"failing"}`, ``, 200, Problem, "own database: failing"},
		"no user":               {`{"database":"ok"}`, `{"message":"Unauthorized"}`, 401, OK, "give a user and password"},
		"data source missing":   {`{"database":"ok"}`, `{"message":"Data source not found"}`, 404, Problem, "no data source with the uid clickhouse"},
		"data source is broken": {`{"database":"ok"}`, `{"message":"connection refused"}`, 400, Problem, "connection refused"},
		"another server":        {`<html>`, ``, 200, Problem, "not Grafana"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(test.health)) })
			mux.HandleFunc("GET /api/datasources/uid/clickhouse/health", func(w http.ResponseWriter, r *http.Request) {
				if user, password, _ := r.BasicAuth(); user != "viewer" || password != "secret" {
					t.Errorf("Grafana is asked as %q", user)
				}
				w.WriteHeader(test.status)
				w.Write([]byte(test.source))
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			page := readGrafana(t.Context(), strings.Replace(server.URL, "://", "://viewer:secret@", 1)+"/")
			s := diagnosePage("grafana", "Grafana", "--grafana", page)
			s.settle()
			if s.Level != test.level || !strings.Contains(s.Summary, test.want) || strings.Contains(s.Summary, "secret") {
				t.Errorf("%s: %s, want %s and %q", s.Level, s.Summary, test.level, test.want)
			}
		})
	}
}

func TestWhatIsNoCollectorIsSaidToBeNone(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		status int
		want   string
	}{
		"another exporter":  {"go_goroutines 7\n", 200, "not those of NetMeta"},
		"a page":            {"<html><body>", 200, "not in Prometheus' text form"},
		"nothing is served": {"404 page not found", 404, "status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				w.Write([]byte(test.answer))
			}))
			defer server.Close()
			if p := readCollector(t.Context(), server.URL); p.err == nil || !strings.Contains(p.err.Error(), test.want) {
				t.Errorf("error %v, want %q", p.err, test.want)
			}
		})
	}
}

func TestAddressesAreTakenInAllTheirForms(t *testing.T) {
	for address, want := range map[string]string{
		"collector:9100": "http://collector:9100", "http://collector:9100/metrics": "http://collector:9100",
		"https://u:p@grafana/sub/": "https://u:p@grafana/sub", "[2001:db8::1]:9100": "http://[2001:db8::1]:9100",
	} {
		if got := base(address); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
	for address, want := range map[string]string{
		"0.0.0.0:2055": "127.0.0.1:2055", "[::]:2055": "127.0.0.1:2055", ":2055": "127.0.0.1:2055", "192.0.2.1:2055": "192.0.2.1:2055",
	} {
		if got := local(address); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
}

func TestGrowthIsToldForEachSeriesAlsoOverARestart(t *testing.T) {
	series := func(exporter string, value float64) Reading {
		return Reading{Labels: map[string]string{"exporter": exporter, "protocol": "ipfix"}, Value: value}
	}
	r := Readings{"m": {series("grown", 30), series("new", 5), series("restarted", 3)}}
	r.since(Readings{"m": {series("restarted", 100), series("grown", 10)}})
	for i, want := range []float64{20, 5, 3} {
		if got := r["m"][i]; got.Growth != want {
			t.Errorf("%s has grown by %v, want %v", got.Labels["exporter"], got.Growth, want)
		}
	}
}

func TestProbeThatIsLostIsSaidToHaveReachedTheLastStageThatCounted(t *testing.T) {
	at := func(datagrams, records, acknowledged float64) counters {
		topic := map[string]string{"topic": "flow-messages"}
		return counters{collectors: []page{{readings: Readings{
			"netmeta_listen_datagrams_total":         {{Value: datagrams}},
			"netmeta_records_total":                  {{Value: records}},
			"netmeta_queue_flows_acknowledged_total": {{Labels: topic, Value: acknowledged}, {Labels: map[string]string{"topic": "pipeline-counters"}, Value: 10 * acknowledged}},
		}}}}
	}
	for want, after := range map[string]counters{"": at(1, 1, 1), "sockets": at(2, 1, 1), "decoding": at(2, 2, 1), "kafka": at(2, 2, 2)} {
		if got := reached(at(1, 1, 1), after); got != want {
			t.Errorf("it reached %q, want %q", got, want)
		}
	}
}

func TestSocketsOfThisHostAreKnownToBeBoundOrNot(t *testing.T) {
	open, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	found := boundSockets([]Socket{{Listener: "sflow", Address: open.LocalAddr().String()}, {Listener: "netflow", Address: closed.LocalAddr().String()}})
	if len(found) != 2 || !found[0].Bound || found[1].Bound {
		t.Errorf("found %+v, want the first bound and the second not", found)
	}
}
