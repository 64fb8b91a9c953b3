package dashboards_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// webRequest is a row of web_requests.
type webRequest struct {
	at       int64
	client   string
	status   int
	bytes    int
	duration int // microseconds
}

// testRequests are of the last ten minutes of the time range, but its last ten seconds.
var testRequests = func() (requests []webRequest) {
	for i := range 100 {
		requests = append(requests, webRequest{
			at: testTo.Unix() - 600 + int64(i)*5, client: fmt.Sprintf("198.51.100.%d", i%7), status: []int{200, 200, 304, 404, 503}[i%5],
			bytes: 1000 + i, duration: (i % 10) * 100_000,
		})
	}
	return requests
}()

const webHost, webPath = "www.example.net", "/items/*"

func insertRequests(t *testing.T, db *sql.DB) {
	t.Helper()
	var values strings.Builder
	for _, r := range testRequests {
		fmt.Fprintf(&values, "(%d, '%s', 443, '%s', '%s', 'GET', '%s', %d, %d, %d, 'TLS 1.3'),\n", r.at, stored("192.0.2.80"), stored(r.client), webHost, webPath, r.status, r.bytes, r.duration)
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO web_requests (TimeReceived, SamplerAddress, ServerPort, ClientAddress, Host, Method, Path, Status, Bytes, Duration, TLSVersion) VALUES "+values.String())
	must(t, err)
}

// ofRequests adds up a number of the requests by a key.
func ofRequests(key func(webRequest) string, number func(webRequest) float64) map[string]float64 {
	sums := map[string]float64{}
	for _, r := range testRequests {
		sums[key(r)] += number(r)
	}
	return sums
}

func each(webRequest) float64 { return 1 }

// ofStatus counts requests with a status from first on and below end.
func ofStatus(first, end int) func(webRequest) float64 {
	return func(r webRequest) float64 {
		if r.status >= first && r.status < end {
			return 1
		}
		return 0
	}
}

func (v view) requests(label string, key func(webRequest) string) {
	v.Helper()
	for column, number := range map[string]func(webRequest) float64{
		"Requests": each, "Sent": func(r webRequest) float64 { return float64(r.bytes) },
		"Refused": ofStatus(400, 500), "Failed": ofStatus(500, 600),
	} {
		equal(v.T, column, v.results["A"].sums(v.T, column, label), ofRequests(key, number))
	}
}

func init() {
	all := func(webRequest) string { return "" }
	checks["netmeta-web"] = map[int]check{
		10: func(v view) { v.number(float64(len(testRequests))) },
		11: func(v view) { v.number(ofRequests(all, func(r webRequest) float64 { return float64(r.bytes) })[""]) },
		12: func(v view) { v.number(0.2) },
		13: func(v view) {
			if p := v.results["A"].rows[0][0].(float64); p < 0.8 || p > 0.9 {
				v.Errorf("95 of 100 take less than %v s, want between 0.8 and 0.9", p)
			}
		},
		14: func(v view) { v.number(7) },
		15: func(v view) { v.number(float64(testRequests[len(testRequests)-1].at * 1000)) },
		20: func(v view) {
			v.series("A", "rate", ofRequests(func(r webRequest) string { return fmt.Sprintf("%dxx", r.status/100) }, each), "class")
		},
		21: func(v view) {
			v.series("A", "bps", map[string]float64{webHost: ofRequests(all, func(r webRequest) float64 { return float64(r.bytes) })[""] * 8}, "site")
		},
		22: func(v view) {
			r := v.results["A"]
			if len(r.rows) == 0 {
				v.Fatal("no times of responses")
			}
			for i, p95 := range r.column(v.T, "p95") {
				if median := r.column(v.T, "median")[i].(float64); median < 0.1 || p95.(float64) < median || p95.(float64) > 0.9 {
					v.Errorf("median %v, p95 %v", median, p95)
				}
			}
		},
		30: func(v view) { v.requests("Path", func(webRequest) string { return webHost + webPath }) },
		31: func(v view) { v.requests("Client", func(r webRequest) string { return r.client }) },
		32: func(v view) { v.requests("Kind", func(webRequest) string { return "GET TLS 1.3" }) },
	}
}
