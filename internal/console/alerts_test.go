package console

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/alert"
)

func TestAnAlertFiresForTheHostThatItIsAbout(t *testing.T) {
	config, write := newConfig(t)
	config.Alerts = []alert.Rule{{
		UID: "host", Title: "Traffic to one host", Every: time.Second, From: 4 * time.Hour, Condition: alert.Condition{Type: "gt", Params: []float64{1000}},
		SQL:         `SELECT max(TimeReceived) AS at, addressToString(DstAddr) AS host, sum(Bytes * SamplingRate) AS bytes FROM flows_raw WHERE $__timeFilter(TimeReceived) GROUP BY DstAddr`,
		Annotations: map[string]string{"summary": "{{ $labels.host }} gets {{ $values.A }} bytes", "__dashboardUid__": "netmeta-host"},
	}}
	insert(t, write, row{at: hour, dst: "::ffff:192.0.2.66", bytes: 600, rate: 2}, row{at: hour, dst: "2001:db8::1", bytes: 1000})
	console := New(config)
	console.api.alerts.Evaluate(t.Context(), &config.Alerts[0])
	var answer struct{ Rules []alert.Report }
	must(t, json.NewDecoder(get(t, console, "GET", "/api/alerts", nil).Body).Decode(&answer))
	if len(answer.Rules) != 1 || answer.Rules[0].State != alert.Firing || len(answer.Rules[0].Instances) != 1 {
		t.Fatalf("alerts: %+v", answer.Rules)
	}
	i := answer.Rules[0].Instances[0]
	if i.Labels["host"] != "192.0.2.66" || len(i.Labels) != 1 || i.Value != 1200 || i.Link != "/d/netmeta-host?var-host=192.0.2.66" || i.Summary != "192.0.2.66 gets 1200 bytes" {
		t.Errorf("what fires: %+v", i)
	}
}

func TestAResultThatIsNotClearIsRefused(t *testing.T) {
	config := bareConfig(t)
	a := New(config).api
	for sql, want := range map[string]string{
		`SELECT 'a' AS x`:                         "no column is a number",
		`SELECT 1 AS x, 2 AS y`:                   "columns x and y are both numbers",
		`SELECT nothing`:                          "Unknown expression",
		`SELECT toIntervalSecond(1) AS x, 1 AS y`: "",
		`SELECT NULL::Nullable(UInt8) AS x`:       "",
	} {
		samples, err := a.askSamples(t.Context(), sql, 10)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v; want %q", sql, samples, err, want)
		}
	}
	samples, err := a.askSamples(t.Context(), `SELECT toIPv6('::ffff:192.0.2.1') AS a, toLowCardinality('b') AS b, toNullable(1.5) AS v, CAST(NULL, 'Nullable(String)') AS c, now() AS t`, 10)
	must(t, err)
	if got := fmt.Sprint(samples); got != "[{map[a:192.0.2.1 b:b] 1.5}]" {
		t.Errorf("samples %s", got)
	}
}
