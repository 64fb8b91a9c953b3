package clickhouse_test

import (
	"context"
	"database/sql"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/renameio/v2"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// libchdb is looked for before the tests' own engine changes the working directory.
var libchdb, errLibchdb = chdb.Find("")

// serveEngine is the program that runs as a process of its own: ClickHouse with the
// whole schema on a directory, reading from a broker that lives elsewhere. It is there
// to be killed.
func serveEngine() {
	lib, dir, broker := os.Args[1], os.Args[2], os.Args[3]
	engine, err := chdb.Open(lib, filepath.Join(dir, "data"), chdb.Options{})
	if err != nil {
		log.Fatal(err)
	}
	db := chhttp.OpenInternal(engine)
	if err := clickhouse.ConfigureKafka(context.Background(), db, settings(broker)); err != nil {
		log.Fatal(err)
	}
	if err := clickhouse.Migrate(context.Background(), db); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, "address"), []byte(listener.Addr().String()), 0o600); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, chhttp.New(engine, chhttp.Options{})))
}

func settings(broker string) clickhouse.Kafka {
	return clickhouse.Kafka{Brokers: []string{broker}, Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
}

// server is ClickHouse as a process that can be killed and started again.
type server struct {
	dir, broker string
	process     *proctest.Process
	db          *sql.DB
}

func startServer(t *testing.T, broker string) *server {
	t.Helper()
	if errLibchdb != nil {
		t.Fatal(errLibchdb)
	}
	s := &server{dir: t.TempDir(), broker: broker}
	s.start(t)
	t.Cleanup(func() { s.db.Close() })
	return s
}

// start runs ClickHouse and returns when it answers.
func (s *server) start(t *testing.T) {
	t.Helper()
	address := filepath.Join(s.dir, "address")
	if err := os.RemoveAll(address); err != nil {
		t.Fatal(err)
	}
	s.process = proctest.Start(t, libchdb, s.dir, s.broker)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(address)
		if err == nil {
			if s.db, err = clickhouse.Open("http://" + string(text)); err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case <-s.process.Done:
			t.Fatalf("ClickHouse ended: %v", s.process.Err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("ClickHouse does not start")
		}
	}
}

// restart kills ClickHouse and starts it again. Kafka does not know that the process
// is dead, and is told.
func (s *server) restart(t *testing.T) {
	t.Helper()
	s.process.Kill()
	s.db.Close()
	dead := newMembers(t, s.broker)
	dead.leave(t, dead.all(t))
	s.start(t)
}

// waitNewPart waits until a block of flows has been stored, by looking at the directory
// of flows_raw: nothing is known of it earlier, and offsets are committed at once.
func (s *server) waitNewPart(t *testing.T) {
	t.Helper()
	dir := query[string](t, s.db, "SELECT arrayElement(data_paths, 1) FROM system.tables WHERE database = currentDatabase() AND name = 'flows_raw'")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.dir, "data", dir)
	}
	before := inserted(t, dir)
	for deadline := time.Now().Add(time.Minute); inserted(t, dir) == before; {
		if time.Now().After(deadline) {
			t.Fatal("nothing is stored")
		}
	}
}

// inserted returns the name of the newest part that an insert has made, one that
// merges have not touched ("20261126_7_7_0").
func inserted(t *testing.T, dir string) (newest string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, "2") && strings.HasSuffix(name, "_0") && (len(name) > len(newest) || len(name) == len(newest) && name > newest) {
			newest = name
		}
	}
	return newest
}
