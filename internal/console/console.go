// Package console serves NetMeta's web page: dashboards, SQL, alerts, the state of
// the data path, and how to send flows and query them.
//
// The page asks for JSON below /api/. What it shows of flows comes from ClickHouse:
// the statements of dashboards are expanded here (package dashboard), those of people
// are taken as they are. All run read-only, within limits of time, memory and size of
// the result, a few at once; those that are asked by several browsers at the same time
// run once, and those that nobody waits for any more are cancelled.
package console

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/alert"
	"github.com/leoluk/NetMeta/internal/console/access"
	"github.com/leoluk/NetMeta/internal/dashboard"
	"github.com/leoluk/NetMeta/internal/origin"
	"github.com/leoluk/NetMeta/internal/query"
)

// Names of listeners, as in the metrics of package listen.
const (
	ListenSFlow         = "sflow"          // sFlow v5
	ListenNetFlow       = "netflow"        // NetFlow v9 and IPFIX
	ListenNetFlowLegacy = "netflow-legacy" // NetFlow v5
)

// Listener is a socket to which exporters can send.
type Listener struct {
	Name    string `json:"name"`    // one of ListenSFlow, ListenNetFlow, ListenNetFlowLegacy
	Address string `json:"address"` // HOST:PORT as bound; the host may be unspecified (0.0.0.0, [::])
}

// Config is what the console shows, and where it finds it.
type Config struct {
	// DB is ClickHouse. The console only reads.
	DB *sql.DB
	// ClickHouse is the same for the statements of dashboards and of people.
	ClickHouse *query.Client
	// Dashboards are what the page shows, in their order in its menu.
	Dashboards []*dashboard.Dashboard
	// Alerts are the rules that Watch evaluates. Webhook is told what fires, if it is
	// not nil.
	Alerts  []alert.Rule
	Webhook *alert.Webhook
	// Gatherer has the counters of the collector in this process, or of Collectors.
	Gatherer prometheus.Gatherer
	// Lag returns how many Kafka messages ClickHouse has not read yet. It is nil where
	// nobody knows.
	Lag func(context.Context) (int64, error)
	// Ready returns nil when flows are accepted and queryable, otherwise why not.
	Ready func(context.Context) error
	// Listeners are the sockets of the collectors.
	Listeners []Listener
	// Addresses are those of the collectors, as exporters reach them; nil: of this host.
	Addresses []string
	// ClickHouseHTTP is the HOST:PORT that people can point curl at.
	ClickHouseHTTP string
	// Access says who may use the console. The page itself, without data, and
	// /-/ready are for everybody.
	Access access.Config
}

// readyTimeout ends a readiness check before the probe that asks gives up.
const readyTimeout = 4 * time.Second

// New returns the console: the page at /, its data below /api/, and /-/ready,
// which answers 200 when flows are accepted and queryable and 503 with the reason
// otherwise. All of it is safe for concurrent use. Call Watch beside it.
func New(config Config) *Console {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", config.serveReady)
	a := newAPI(config)
	a.register(mux)
	serveAssets(mux)
	return &Console{handler: withSecurityHeaders(origin.Guard(a.withLogin(mux))), api: a}
}

func (c Config) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := c.Ready(ctx); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "not ready: %v\n", err)
		return
	}
	fmt.Fprintln(w, "ready")
}

// contentSecurityPolicy lets the page load its own files and nothing else: no
// request leaves for another host, no inline script or style is run.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
