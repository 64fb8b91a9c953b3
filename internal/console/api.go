package console

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/leoluk/NetMeta/internal/alert"
	"github.com/leoluk/NetMeta/internal/console/access"
)

const (
	pipelineRefresh = 2 * time.Second
	// ageShare is the part of its refresh interval for which an answer is given to
	// others: long enough to serve all browsers at once, short enough that a browser
	// does not get the same answer twice.
	ageShare = 0.8
)

// api answers the page's requests for data with JSON.
type api struct {
	config   Config
	database database
	asker    *asker
	keeper   *access.Keeper
	alerts   *alert.Evaluator
	shared   *shared
	history  history
	now      func() time.Time
}

func newAPI(config Config) *api {
	a := &api{config: config, database: database{config.DB}, asker: newAsker(config.ClickHouse), keeper: access.New(config.Access), shared: newShared(time.Now), now: time.Now}
	evaluate := alert.Config{Rules: config.Alerts, Ask: a.askSamples}
	if config.Webhook != nil {
		evaluate.Changed = config.Webhook.Changed
	}
	a.alerts = alert.New(evaluate)
	return a
}

func (a *api) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/pipeline", a.servePipeline)
	mux.HandleFunc("GET /api/setup", a.serveSetup)
	mux.HandleFunc("GET /api/alerts", a.serveAlerts)
	mux.HandleFunc("GET /api/session", a.serveSession)
	mux.HandleFunc("POST /api/login", a.serveLogin)
	mux.HandleFunc("POST /api/logout", a.serveLogout)
	mux.HandleFunc("GET /api/dashboards", a.serveDashboards)
	mux.HandleFunc("GET /api/dashboards/{uid}", a.serveDashboard)
	mux.HandleFunc("POST /api/query", a.serveQuery)
	mux.HandleFunc("POST /api/variable", a.serveVariable)
	mux.HandleFunc("POST /api/check", a.serveCheck)
	mux.HandleFunc("POST /api/sql", a.serveSQL)
	mux.HandleFunc("GET /api/sql/schema", a.serveSchema)
}

func (a *api) servePipeline(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, "pipeline", pipelineRefresh, func(ctx context.Context) (any, error) {
		return a.pipeline(ctx)
	})
}

// pipeline takes a snapshot, adds it to the history and assesses both.
func (a *api) pipeline(ctx context.Context) (pipeline, error) {
	counters, err := gatherCounters(a.config.Gatherer)
	if err != nil {
		return pipeline{}, err
	}
	s := &snapshot{at: a.now(), counters: counters}
	s.stored, s.storedErr = a.database.stored(ctx)
	a.askProcess(ctx, s)
	p := assess(a.history.add(s), a.config.Listeners)
	p.Refresh = pipelineRefresh.Seconds()
	return p, nil
}

// askProcess fills in what this process says of itself. A Kafka that hangs must not
// keep the page from showing the other stages.
func (a *api) askProcess(ctx context.Context, s *snapshot) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	s.readyErr = a.config.Ready(ctx)
	if a.config.Lag == nil {
		s.noLag = true
		return
	}
	lag, err := a.config.Lag(ctx)
	s.lag, s.lagErr = float64(lag), err
}

// setup is what a person needs to send flows here and to query them.
type setup struct {
	Listeners  []Listener `json:"listeners"`
	Addresses  []string   `json:"addresses"`  // of the collectors, as exporters may reach them
	ClickHouse string     `json:"clickhouse"` // HOST:PORT of ClickHouse's HTTP interface
}

func (a *api) serveSetup(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, "setup", time.Minute, func(context.Context) (any, error) {
		addresses := a.config.Addresses
		if addresses == nil {
			addresses = hostAddresses()
		}
		return setup{a.config.Listeners, addresses, a.config.ClickHouseHTTP}, nil
	})
}

// hostAddresses returns the addresses of this host's interfaces that another host
// could reach, IPv4 first.
func hostAddresses() []string {
	v4, v6 := []string{}, []string{}
	// Without permission to list interfaces, the page offers what it was opened by.
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		switch {
		case !ok || !network.IP.IsGlobalUnicast():
		case network.IP.To4() != nil:
			v4 = append(v4, network.IP.String())
		default:
			v6 = append(v6, network.IP.String())
		}
	}
	return append(v4, v6...)
}

// answer writes what evaluate returns, evaluated once for all who ask for key.
func (a *api) answer(w http.ResponseWriter, r *http.Request, key string, refresh time.Duration, evaluate func(context.Context) (any, error)) {
	age := time.Duration(float64(refresh) * ageShare)
	body, err := a.shared.get(r.Context(), key, age, func() ([]byte, error) {
		ctx, cancel := limited()
		defer cancel()
		value, err := evaluate(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(value)
	})
	switch {
	case err == nil:
		writeCompressed(w, r, body)
	case errors.Is(err, context.Canceled):
		// The browser is gone: nobody reads an answer.
	default:
		explain(err).write(w)
	}
}
