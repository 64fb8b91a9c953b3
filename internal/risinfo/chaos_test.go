package risinfo_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	networknames "github.com/leoluk/NetMeta/internal/names"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/risinfo"
	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// number is an environment variable that makes a test longer than a quick run is.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("$%s: %v", variable, err)
	}
	return n
}

// path is the way of flows from the queue to the table.
type path struct {
	db       *sql.DB // may write
	producer *queue.Producer
	sent     int
	flushes  flushes
}

// flushes are when how many flows had been sent.
type flushes struct {
	sync.Mutex
	at []flush
}

type flush struct {
	at   time.Time
	sent int
}

func (f *flushes) add(sent int) {
	f.Lock()
	defer f.Unlock()
	f.at = append(f.at, flush{time.Now(), sent})
}

// waiting is for how long the oldest flow waits that is not among those stored.
func (f *flushes) waiting(stored int) time.Duration {
	f.Lock()
	defer f.Unlock()
	for len(f.at) > 0 && f.at[0].sent <= stored {
		f.at = f.at[1:]
	}
	if len(f.at) == 0 {
		return 0
	}
	return time.Since(f.at[0].at)
}

// watch measures how long flows wait, until stop is called, which returns the longest.
func (p *path) watch(t *testing.T) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(t.Context())
	var longest time.Duration
	var done sync.WaitGroup
	done.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
			var stored int
			if err := p.db.QueryRowContext(ctx, "SELECT toInt64(count()) FROM flows_raw").Scan(&stored); err == nil {
				longest = max(longest, p.flushes.waiting(stored))
			}
		}
	})
	return func() time.Duration {
		cancel()
		done.Wait()
		return longest
	}
}

func newPath(t *testing.T) *path {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Options{Address: "127.0.0.1:0", DataDir: t.TempDir(),
		Topics: []broker.Topic{{Name: flow.Topic, Partitions: 2}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	engine := chdbtest.Engine(t)
	p := &path{db: chhttp.OpenInternal(engine)}
	t.Cleanup(func() { p.db.Close() })
	settings := clickhouse.Kafka{Brokers: []string{b.Address()}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
	if err := clickhouse.ConfigureKafka(t.Context(), p.db, settings); err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.Migrate(t.Context(), p.db); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.db.ExecContext(context.Background(), "DROP VIEW IF EXISTS flows_gate SYNC") })
	if p.producer, err = queue.Open(queue.Config{Brokers: []string{b.Address()}, Topic: flow.Topic}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.producer.Close(context.Background()) })
	return p
}

// send sends flows without AS numbers, at a rate that a few routers have.
func (p *path) send(t *testing.T, flows, rate int) {
	t.Helper()
	w, now, n := p.producer.NewWriter(), time.Now(), 0
	err := generate.History(t.Context(), generate.HistoryOptions{From: now.Add(-time.Minute), To: now, Flows: flows, Seed: uint64(p.sent)}, func(r *flow.Record) error {
		r.SrcAS, r.DstAS = 0, 0
		w.Append(r)
		if n++; n%1000 == 0 {
			time.Sleep(time.Until(now.Add(time.Duration(n) * time.Second / time.Duration(rate))))
			err := p.producer.Flush(t.Context())
			p.flushes.add(p.sent + n)
			return err
		}
		return nil
	})
	if err == nil {
		err = p.producer.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	p.sent += flows
	p.flushes.add(p.sent)
}

func (p *path) stored(t *testing.T) (n int) {
	t.Helper()
	if err := p.db.QueryRowContext(t.Context(), "SELECT toInt64(count()) FROM flows_raw").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wait waits until all flows are stored, and fails where there are fewer or more.
func (p *path) wait(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); p.stored(t) < p.sent; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			var state string
			p.db.QueryRowContext(t.Context(), "SELECT arrayStringConcat(groupArray(concat(name, ' ', toString(status), ' ', last_exception)), '; ') FROM system.dictionaries").Scan(&state)
			t.Fatalf("%d of %d flows are stored; dictionaries: %s", p.stored(t), p.sent, state)
		}
	}
	if n := p.stored(t); n != p.sent {
		t.Errorf("%d flows are stored, %d were sent", n, p.sent)
	}
}

// startNames runs a service of names, which exchanges its tables without a pause and asks
// an SNMP agent that never answers, until stop is called.
func (p *path) startNames(t *testing.T) (stop func()) {
	t.Helper()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "names.cue")
	settings := func(n int) {
		text := fmt.Sprintf(`
			snmp: [{exporters: ["0.0.0.0/0", "::/0"], community: "public", port: %d}]
			hosts: {"198.51.100.7": "host-%d"}
			sampler: "192.0.2.%d": {device: "of %d", interface: "7": description: "uplink"}
			networks: "198.51.100.0/24": name: "network %d"`, silent.LocalAddr().(*net.UDPAddr).Port, n, 1+n%200, n, n)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	settings(0)
	s, err := networknames.New(networknames.Config{DB: p.db, File: file})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			s.Step(ctx, time.Now())
			settings(n)
		}
	})
	return func() {
		cancel()
		done.Wait()
		silent.Close()
	}
}

// maxWait is how long a flow may wait for its row, where the test is asked for: on a machine
// that does something else at the same time, it says nothing.
const maxWait = 5 * time.Second

// NETMETA_CHAOS_FLOWS and NETMETA_CHAOS_RATE make it longer and faster than a quick run is.
func TestNoFlowIsLostWhateverHappensToTheTables(t *testing.T) {
	flows, rate := number(t, "NETMETA_CHAOS_FLOWS", 20_000), number(t, "NETMETA_CHAOS_RATE", 10_000)
	p := newPath(t)
	a := newArchive(t)
	good := demoTable(t)
	a.put("/rib.tsv", good)
	start := func(t *testing.T, dir string) *risinfo.Service {
		f := fetch.New(dir)
		f.Backoff, f.Attempts, f.Idle = time.Millisecond, 1, time.Second
		s, err := risinfo.New(risinfo.Config{RIBs: []string{a.URL + "/rib.tsv"}, Dir: dir, Interval: 50 * time.Millisecond, MinShare: 0.7, MinPeers: 1, Fetcher: f, Loader: load.New(p.db)})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		return s
	}
	drop := func(statements ...string) func(*testing.T) {
		return func(t *testing.T) {
			for _, statement := range statements {
				if _, err := p.db.ExecContext(t.Context(), statement); err != nil {
					t.Error(err)
				}
			}
		}
	}
	serve := func(how http.HandlerFunc) func(*testing.T) {
		return func(*testing.T) { a.failing("/rib.tsv", how) }
	}
	// Each has some share of the table, so that all are plausible.
	exchange := func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				lines := bytes.SplitAfter(good, []byte("\n"))
				a.put("/rib.tsv", bytes.Join(lines[:len(lines)-1-n%3], nil))
				time.Sleep(20 * time.Millisecond)
			}
		})
		t.Cleanup(func() { cancel(); done.Wait() })
	}
	for _, scenario := range []struct {
		name    string
		started bool // risinfo runs
		happens func(*testing.T)
	}{
		{"risinfo was never started", false, func(*testing.T) {}},
		{"a first table comes", true, func(*testing.T) {}},
		{"dictionaries are dropped", true, drop("DROP DICTIONARY as_of_ipv4 SYNC", "DROP DICTIONARY as_of_prefix SYNC")},
		{"a dictionary cannot be loaded", true, drop("CREATE OR REPLACE DICTIONARY as_of_prefix (Prefix String, ASN UInt32) PRIMARY KEY Prefix SOURCE(CLICKHOUSE(QUERY 'SELECT 1, 2 FROM nowhere')) LAYOUT(IP_TRIE) LIFETIME(0)")},
		{"the table is emptied", true, drop("TRUNCATE TABLE as_prefixes", "SYSTEM RELOAD DICTIONARY as_of_ipv4")},
		{"no table can be written, as on a full disk", true, func(t *testing.T) {
			drop("DROP TABLE as_prefixes_next SYNC")(t)
			t.Cleanup(func() {
				if _, err := p.db.ExecContext(context.Background(), "CREATE TABLE as_prefixes_next AS as_prefixes"); err != nil {
					t.Error(err)
				}
			})
		}},
		{"the archive answers with a web page", true, serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })},
		{"the archive stalls", true, serve(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "10.0.0.0/8"); <-r.Context().Done() })},
		{"the archive has lost most of the table", true, serve(func(w http.ResponseWriter, _ *http.Request) { w.Write(good[:200]) })},
		{"risinfo stops while it loads", false, func(t *testing.T) { s := start(t, t.TempDir()); s.Stop() }},
		{"tables are exchanged without a pause", true, exchange},
		{"an SNMP agent stalls while names change", false, func(t *testing.T) { t.Cleanup(p.startNames(t)) }},
		{"names stops while it stores", false, func(t *testing.T) { stop := p.startNames(t); time.Sleep(100 * time.Millisecond); stop() }},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			waited := p.watch(t)
			defer func() {
				longest := waited()
				t.Logf("a flow waited %.1f s at most", longest.Seconds())
				if os.Getenv("NETMETA_CHAOS_RATE") != "" && longest > maxWait {
					t.Errorf("a flow waited %.1f s, more than %v", longest.Seconds(), maxWait)
				}
			}()
			if scenario.started {
				s := start(t, t.TempDir())
				defer s.Stop()
			}
			defer a.put("/rib.tsv", good)
			p.send(t, flows/2, rate)
			scenario.happens(t)
			p.send(t, flows/2, rate)
			p.wait(t)
		})
	}
	t.Run("what went wrong, and what has not changed, is in as_loads", func(t *testing.T) {
		for what, condition := range map[string]string{
			"a web page": "Outcome = 'failed' AND Message LIKE '%web page%'", "no change": "Outcome = 'loaded' AND Message LIKE 'unchanged: %' AND Rows > 0 AND Built > now() - 3600",
		} {
			var n int
			if err := p.db.QueryRowContext(t.Context(), "SELECT toInt64(count()) FROM as_loads WHERE Table = 'as_prefixes' AND "+condition).Scan(&n); err != nil || n == 0 {
				t.Errorf("%s is not noted: %v", what, err)
			}
		}
	})
	var resolved float64
	if err := p.db.QueryRowContext(t.Context(), "SELECT avg(SrcASResolved) FROM flows_raw").Scan(&resolved); err != nil || resolved < 0.2 {
		t.Errorf("of all flows, %.0f %% are resolved: %v", 100*resolved, err)
	}
}

// demoTable is the routing table of the synthetic world, in lines.
func demoTable(t *testing.T) []byte {
	t.Helper()
	var prefixes, names bytes.Buffer
	if err := generate.WriteTables(generate.Holders(0), &prefixes, &names); err != nil {
		t.Fatal(err)
	}
	return prefixes.Bytes()
}
