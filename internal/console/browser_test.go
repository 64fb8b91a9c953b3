package console

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/console/consoletest"
	"github.com/leoluk/NetMeta/internal/dashboard"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// filled is a running console over a day of synthetic traffic, whose content is known.
type filled struct {
	url     string
	config  Config
	write   *sql.DB
	traffic *consoletest.Traffic
	// outage makes ClickHouse drop every connection.
	outage atomic.Bool
	// intercept answers requests in the console's place, where it returns true.
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// TestInABrowser looks at one console over a day of synthetic traffic.
func TestInABrowser(t *testing.T) {
	c := newFilled(t)
	talk(t, c)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *filled)
	}{
		{"dashboards show the top talker", dashboardsShowTheTopTalker},
		{"clicking filters and excludes", clickingFiltersAndExcludes},
		{"a link shows the same", aLinkShowsTheSame},
		{"bad input is refused in its field", badInputIsRefusedInItsField},
		{"impossible times are refused", impossibleTimesAreRefused},
		{"a query over its limits says so", aQueryOverItsLimitsSaysSo},
		{"dashboards recover when ClickHouse is away", dashboardsRecoverWhenClickHouseIsAway},
		{"a newcomer finds the victim", aNewcomerFindsTheVictim},
		{"without a mouse", withoutAMouse},
		{"data path", dataPathPage},
		{"data path without ClickHouse", dataPathPageWithoutClickHouse},
		{"pages recover when NetMeta is away", pagesRecoverWhenNetMetaIsAway},
		{"setup", setupPage},
		{"alerts", alertsPageShowsWhatFiresFirst},
		{"SQL completes", sqlPageCompletes},
		{"SQL runs and shares", sqlPageRunsAndShares},
		{"SQL says what is wrong", sqlPageSaysWhatIsWrong},
		{"SQL cancels and truncates", sqlPageCancelsAndTruncates},
		{"SQL looks right", sqlPageLooksRight},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer c.outage.Store(false)
			defer c.intercept.Store(nil)
			test.run(t, c)
		})
	}
}

// historyFlows are few enough to be stored within seconds.
const historyFlows = 30_000

// newFilled starts a console with all dashboards. change may alter its configuration.
func newFilled(t *testing.T, change ...func(*Config)) *filled {
	t.Helper()
	f := newConsole(t, change...)
	to := time.Now().Truncate(time.Second)
	f.traffic = consoletest.StoreHistory(t, f.write, generate.HistoryOptions{From: to.Add(-24 * time.Hour), To: to, Flows: historyFlows, Seed: 1})
	return f
}

// newConsole is newFilled without a flow.
func newConsole(t *testing.T, change ...func(*Config)) *filled {
	t.Helper()
	f := &filled{}
	write, _ := clickhousetest.Migrated(t)
	f.write = write
	var name string
	must(t, write.QueryRow("SELECT currentDatabase()").Scan(&name))
	read := chhttp.New(chdbtest.Engine(t), chhttp.Options{ReadOnly: true})
	clickhouse := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.outage.Load() {
			panic(http.ErrAbortHandler)
		}
		read.ServeHTTP(w, r)
	})) + "/" + name
	config := testConfig(open(t, clickhouse))
	config.ClickHouse = client(t, clickhouse)
	all, err := dashboard.Load(dashboards.Files())
	must(t, err)
	config.Dashboards = all
	config.Gatherer = collector()
	for _, c := range change {
		c(&config)
	}
	f.config = config
	console := New(config)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if intercept := f.intercept.Load(); intercept == nil || !(*intercept)(w, r) {
			console.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// rows is how many flows are stored.
func (f *filled) rows(t *testing.T) (n uint64) {
	t.Helper()
	must(t, f.write.QueryRow("SELECT count() FROM flows_raw").Scan(&n))
	return n
}

// open opens a path of the console in a browser of its own.
func (f *filled) open(t *testing.T, path string) *consoletest.Page {
	t.Helper()
	page := consoletest.Open(t, f.url+path)
	page.Expect("status of 422") // panels tries again, where nobody is in a hurry
	return page
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

// screenshots is where pictures of the pages are kept, for people who look at them
// after a run.
func screenshots(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NETMETA_SCREENSHOTS")
	if dir == "" {
		// The engine has changed the working directory: this file's place is that of the module.
		_, here, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(here), "../../.build/screenshots")
	}
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

// looksRight checks a page as it is, on a screen in light and dark and on a phone:
// nothing is wider than the window, axe-core finds nothing, and pictures are kept.
func looksRight(t *testing.T, page *consoletest.Page, name string, settled func()) {
	t.Helper()
	dir := screenshots(t)
	for _, look := range []struct {
		width  int64
		scheme string
	}{{1600, "light"}, {1600, "dark"}, {400, "light"}} {
		page.Resize(look.width, 1000)
		page.Dark(look.scheme == "dark")
		settled()
		if wide := page.OverflowsSideways(); len(wide) > 0 {
			t.Errorf("%s at %d pixels is wider than the window: %q", name, look.width, wide)
		}
		for _, violation := range page.AccessibilityViolations() {
			t.Errorf("accessibility of %s at %d pixels, %s: %s", name, look.width, look.scheme, violation)
		}
		page.Screenshot(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, look.width, look.scheme)))
	}
	page.Resize(1600, 1000)
	page.Dark(false)
}

func contains(t *testing.T, where, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", where, w, text)
		}
	}
}
