package serverconfig_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/serverconfig"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// documentation is the path of doc/backup.md.
var documentation string

// database is where the schema is, and its name needs quoting.
const database = "net-meta"

// password is that of every account.
const password = "correct horse"

// accounts are people's. The engine finds the password of the second in its environment.
var accounts = []serverconfig.Account{
	{Name: "reader"},
	{Name: "grafana"},
	{Name: "greedy", Quota: serverconfig.Quota{Queries: 1000, ReadRows: 1000, Seconds: 10}},
}

// server is ClickHouse with the written configuration and with the schema.
var server struct {
	engine *chdb.Engine
	db     *sql.DB
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "netmeta-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		var stop func()
		if stop, err = start(dir); err == nil {
			defer stop()
			return m.Run()
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// start writes the configuration where the engine looks for it, beside its own, starts
// the engine and makes the schema.
func start(dir string) (stop func(), err error) {
	lib, err := chdb.Find("")
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/test.sh installs libchdb)", err)
	}
	if err := configure(dir); err != nil {
		return nil, err
	}
	// The engine changes the working directory.
	if documentation, err = filepath.Abs("../../doc/backup.md"); err != nil {
		return nil, err
	}
	if server.engine, err = chdb.Open(lib, filepath.Join(dir, "data"), chdb.Options{}); err != nil {
		return nil, err
	}
	if err := server.engine.Exec(context.Background(), "CREATE DATABASE `"+database+"`"); err != nil {
		return nil, err
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic))
	if err != nil {
		return nil, err
	}
	web := httptest.NewServer(chhttp.New(server.engine, chhttp.Options{}))
	if server.db, err = clickhouse.Open(web.URL + "/" + database); err != nil {
		return nil, err
	}
	kafka := clickhouse.Kafka{Brokers: broker.ListenAddrs(), Topic: flow.Topic, CountersTopic: flow.CountersTopic, Group: clickhouse.DefaultGroup}
	if err := clickhouse.ConfigureKafka(context.Background(), server.db, kafka); err != nil {
		return nil, err
	}
	if err := clickhouse.Migrate(context.Background(), server.db); err != nil {
		return nil, err
	}
	return func() {
		server.db.Close()
		web.Close()
		server.engine.Close()
		broker.Close()
	}, nil
}

func configure(dir string) error {
	passwords := filepath.Join(dir, "passwords")
	if err := os.Mkdir(passwords, 0o700); err != nil {
		return err
	}
	for i := range accounts {
		if err := os.WriteFile(filepath.Join(passwords, accounts[i].Name), []byte(password+"\n"), 0o600); err != nil {
			return err
		}
		if err := accounts[i].ReadPassword(passwords); err != nil {
			return err
		}
	}
	if err := os.Setenv(serverconfig.PasswordVariable("grafana"), accounts[1].PasswordHash); err != nil {
		return err
	}
	accounts[1].PasswordHash = ""
	files, err := serverconfig.Files(serverconfig.Options{Accounts: accounts, Database: database, KeepFree: keepFree})
	if err != nil {
		return err
	}
	files = append(files, serverconfig.File{Path: "users.d/zz-site.xml", Text: []byte(site)},
		serverconfig.File{Path: "config.d/netmeta-server.xml", Text: fmt.Appendf(nil, backups, filepath.Join(dir, "backups"))})
	_, err = serverconfig.Write(filepath.Join(dir, "data", "config"), files)
	return err
}

// site is what an operator may set on top.
const site = `<clickhouse>
  <quotas><reader><interval><queries>1000</queries></interval></reader></quotas>
</clickhouse>`

// keepFree is little enough for every machine that runs the tests.
const keepFree = 1_234_567

// ask runs a query with all rights and returns its output without the last line break.
func ask(t *testing.T, sql string) (string, error) {
	t.Helper()
	r, err := server.engine.Query(t.Context(), chdb.Query{SQL: []byte(sql), Format: "TabSeparatedRaw"})
	if err != nil {
		return "", err
	}
	defer r.Close()
	out, err := io.ReadAll(r)
	return strings.TrimSuffix(string(out), "\n"), err
}

var logins atomic.Uint32

// login logs in to the engine and returns what "SELECT value rest" gives, one row. The
// engine has no port: what can log in with name and password is a dictionary whose
// source is this server. The session is a real one, with the account's profile, quota
// and privileges.
func login(t *testing.T, account, password, value, rest string) (string, error) {
	t.Helper()
	name := fmt.Sprintf("`%s`.login_%d", database, logins.Add(1))
	query := fmt.Sprintf("SELECT toUInt64(0), toString(%s) %s", value, rest)
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace
	if _, err := ask(t, fmt.Sprintf(`CREATE DICTIONARY %s (id UInt64, value String) PRIMARY KEY id
		SOURCE(CLICKHOUSE(USER '%s' PASSWORD '%s' QUERY '%s')) LAYOUT(HASHED()) LIFETIME(0)`,
		name, account, quote(password), quote(query))); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	t.Cleanup(func() {
		if err := server.engine.Exec(context.Background(), "DROP DICTIONARY "+name); err != nil {
			t.Error(err)
		}
	})
	return ask(t, "SELECT value FROM "+name)
}

// code returns ClickHouse's number of an error, 0 for none, -1 for another's.
func code(err error) int {
	var exception *chdb.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exception):
		return exception.Code
	}
	return -1
}
