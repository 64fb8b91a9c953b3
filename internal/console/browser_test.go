package console

import (
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
	"github.com/leoluk/NetMeta/internal/flow"
)

// fill stores a day of flows from three exporters, a flow a second from each.
func fill(t *testing.T, db *sql.DB) {
	t.Helper()
	_, err := db.Exec(`INSERT INTO flows_raw
		(TimeReceived, FlowType, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, Bytes, Packets, SrcAddr, DstAddr, Proto, SrcPort, DstPort, SrcAS, DstAS)
		SELECT
			toDateTime(now() - intDiv(number, 3), 'UTC'),
			['SFLOW_5', 'NETFLOW_V9', 'IPFIX'][which],
			toIPv6(['192.0.2.1', '192.0.2.2', '2001:db8::3'][which]),
			[2000, 512, 1][which],
			['packet', 'options', 'unknown'][which],
			rand(1) % 3 = 0,
			200 + rand(2) % 1200, 1,
			toIPv6(concat('198.51.100.', toString(intDiv(rand(3) % 10000, 50)))),
			toIPv6(concat('2001:db8:1111:2222:3333:4444:5555:', hex(rand(4) % 40 + 1))),
			6, 1024 + rand(5) % 60000, [443, 80, 22][rand(6) % 3 + 1], 64496 + rand(7) % 9, 64510
		FROM (SELECT number, number % 3 + 1 AS which FROM numbers(3 * 86400))`)
	must(t, err)
}

// collector is a registry with counters as a collector in this process has them.
func collector() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	count := func(name string, value float64, labels ...string) {
		names, values := []string{}, []string{}
		for i := 0; i < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		promauto.With(registry).NewCounterVec(prometheus.CounterOpts{Name: name}, names).WithLabelValues(values...).Add(value)
	}
	count(metricDatagrams, 4321, "listener", ListenSFlow)
	count(metricRecords, 54321, "protocol", "sflow")
	count(metricDecodeErrors, 17, "protocol", "ipfix", "reason", "unknown_template")
	count(metricAcknowledged, 54300, "topic", flow.Topic)
	return registry
}

func TestInABrowser(t *testing.T) {
	write, read := newDatabase(t)
	fill(t, write)
	config := testConfig(read)
	config.Gatherer = collector()
	server := httptest.NewServer(New(config))
	defer server.Close()
	page := consoletest.Open(t, server.URL)

	page.SeeTraffic()
	for stage, want := range map[string][]string{
		"datagrams": {"4,321 datagrams", "sFlow :6343"},
		"records":   {"54,321 flow records", "IPFIX: template not received yet", "17"},
		"kafka":     {"54,300 records", "messages waiting"},
		"rows":      {"259,200 rows stored"},
	} {
		contains(t, "stage "+stage, page.Stage(stage), want...)
	}
	page.WaitFor("three exporters are listed", `document.querySelectorAll("#exporters tbody tr").length === 3`)
	contains(t, "exporters", page.Text("#exporters"), "192.0.2.1", "sFlow", "1:2,000", "192.0.2.2", "NetFlow v9", "options data", "2001:db8::3", "unknown")
	page.WaitFor("ten sources are listed", `document.querySelectorAll("#top tbody tr").length === 10`)
	contains(t, "setup", page.Text("#setup"), "transport udp 2055", "udp 6343")
	contains(t, "query", page.Text("#query"), "curl http://127.0.0.1:8123/", "259,200 flows")

	for _, window := range []string{"24h", "6h", "1h", "15m"} {
		page.ChooseWindow(window)
		page.SeeTraffic()
	}
	page.Click(`#units [data-value="packets"]`)
	page.WaitFor("the legend counts packets", `document.querySelector("#throughput .legend").innerText.includes("packets/s")`)
	page.Press("#throughput .chart", kb.ArrowLeft)
	page.WaitFor("the arrow key shows values", `document.querySelector(".tip")?.innerText.includes("packets/s")`)
	page.Click(`#dimensions [data-value="source-as"]`)
	page.WaitFor("AS numbers are listed", `document.querySelector("#top tbody").innerText.includes("AS645")`)
	page.Click(`#dimensions [data-value="destination"]`)
	page.WaitFor("long addresses are listed", `document.querySelector("#top tbody").innerText.includes("2001:db8:1111:2222")`)
	page.Press(`#setup [aria-selected="true"]`, kb.ArrowRight)
	page.WaitFor("the next device is shown", `document.querySelector("#setup-panel").innerText.includes("feature sflow")`)

	for _, width := range []int64{1920, 1280, 400} {
		page.Resize(width, 900)
		page.SeeTraffic()
		if hidden := page.HiddenSideways(); width >= 1280 && len(hidden) > 0 {
			t.Errorf("at %d pixels one has to scroll to see all of %q", width, hidden)
		}
		if wide := page.OverflowsSideways(); len(wide) > 0 {
			t.Errorf("at %d pixels the page is wider than the window: %q", width, wide)
		}
		for _, dark := range []bool{false, true} {
			page.Dark(dark)
			page.SeeTraffic()
			for _, violation := range page.AccessibilityViolations() {
				t.Errorf("accessibility at %d pixels, dark %v: %s", width, dark, violation)
			}
			if dir := os.Getenv("NETMETA_SCREENSHOTS"); dir != "" {
				page.Screenshot(fmt.Sprintf("%s/console-%d-%v.png", dir, width, dark))
			}
		}
	}
	if problems := page.Problems(); len(problems) > 0 {
		t.Errorf("problems on the page:\n%s", strings.Join(problems, "\n"))
	}
}

func TestInABrowserWithoutFlows(t *testing.T) {
	_, read := newDatabase(t)
	server := httptest.NewServer(New(testConfig(read)))
	defer server.Close()
	page := consoletest.Open(t, server.URL)
	page.WaitFor("the page says that there are no flows", `document.querySelector("#throughput .empty h3")?.checkVisibility()`)
	contains(t, "summary", page.Text("#summary"), "Waiting for the first flow")
	contains(t, "stage datagrams", page.Stage("datagrams"), "point a router here")
	if problems := page.Problems(); len(problems) > 0 {
		t.Errorf("problems on the page:\n%s", strings.Join(problems, "\n"))
	}
}

func TestInABrowserWithoutClickHouse(t *testing.T) {
	config := unreachable(t)
	config.Ready = func(context.Context) error { return fmt.Errorf("started %s ago", time.Second) }
	server := httptest.NewServer(New(config))
	defer server.Close()
	page := consoletest.Open(t, server.URL)
	for _, part := range []string{"throughput", "exporters", "top"} {
		page.WaitFor(part+" says what failed", `document.querySelector("#`+part+` .error").innerText.includes("ask ClickHouse for")`)
	}
	contains(t, "stage rows", page.Stage("rows"), "Problem", "ClickHouse does not answer")
	contains(t, "setup", page.Text("#setup"), "transport udp 2055")
}

func TestInABrowserWhenNetMetaEnds(t *testing.T) {
	server := httptest.NewServer(New(unreachable(t)))
	page := consoletest.Open(t, server.URL)
	page.Stage("rows")
	server.Close()
	page.WaitFor("the page says that nothing answers", `document.querySelector("#pipeline .error").innerText.includes("is the process still running")`)
	contains(t, "summary", page.Text("#summary"), "what is shown is old")
}

func TestNumbersAreShortAndKeepTheirUnit(t *testing.T) {
	server := httptest.NewServer(New(unreachable(t)))
	defer server.Close()
	page := consoletest.Open(t, server.URL)
	page.WaitFor("the module is loaded", `(window.asked ??= import(document.querySelector("script").src.replace("main.js", "present.js"))
		.then((module) => Object.assign(window, module))) && "bits" in window`)
	for _, c := range []struct{ call, want string }{
		{"bits(0)", "0 bit/s"},
		{"bits(7)", "7 bit/s"},
		{"bits(0.25)", "0.25 bit/s"},
		{"bits(999.6)", "1.00 kbit/s"},
		{"bits(1234567)", "1.23 Mbit/s"},
		{"bits(99950000)", "100 Mbit/s"},
		{"bits(2.5e16)", "25.0 Pbit/s"},
		{"packets(1500)", "1.50 k packets/s"},
		{"trimmed(bits(2500))", "2.5 kbit/s"},
		{"trimmed(bits(20e6))", "20 Mbit/s"},
		{"trimmed(bits(500))", "500 bit/s"},
		{"bytes(1e9)", "1.00 GB"},
		{"count(1234567)", "1,234,567"},
		{"count(123456789)", "123 M"},
		{"percent(0.0002)", "<0.1 %"},
		{"percent(0.256)", "25.6 %"},
		{"duration(75)", "1 min 15 s"},
		{"duration(7300)", "2 h"},
	} {
		if got := consoletest.Eval[string](page, c.call); got != c.want {
			t.Errorf("%s = %q, want %q", c.call, got, c.want)
		}
	}
}

func contains(t *testing.T, where, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", where, w, text)
		}
	}
}
