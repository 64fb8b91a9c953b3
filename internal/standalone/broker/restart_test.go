package broker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
	"github.com/leoluk/NetMeta/internal/standalone/chhttp"
)

// envChild makes the test binary run as the process that is killed and restarted.
const envChild = "NETMETA_TEST_BROKER_CHILD"

type childConfig struct{ Dir, Kafka string }

func TestMain(m *testing.M) {
	config := os.Getenv(envChild)
	if config == "" {
		os.Exit(m.Run())
	}
	if err := runChild(config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runChild is a small standalone: broker, engine, a Kafka table that feeds a
// MergeTree, HTTP. It prints the address of the latter and ends with its input.
func runChild(text string) error {
	var config childConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return err
	}
	ctx := context.Background()
	b, err := Start(ctx, Options{Address: config.Kafka, DataDir: filepath.Join(config.Dir, "kafka"), Topics: []Topic{{Name: "flow-messages", Partitions: 2}}})
	if err != nil {
		return err
	}
	defer b.Close()
	lib, err := chdb.Find("")
	if err != nil {
		return err
	}
	engine, err := chdb.Open(lib, filepath.Join(config.Dir, "clickhouse"), chdb.Options{})
	if err != nil {
		return err
	}
	defer engine.Close()
	for _, sql := range []string{
		// ClickHouse's limit of 100 partitions must not hold for inserts from Kafka.
		"CREATE TABLE IF NOT EXISTS stored (n UInt32) ENGINE = MergeTree PARTITION BY n % 150 ORDER BY n",
		"CREATE TABLE IF NOT EXISTS queue (n UInt32) ENGINE = Kafka SETTINGS kafka_broker_list = '" + b.Address() + "', kafka_topic_list = 'flow-messages', " +
			"kafka_group_name = 'clickhouse', kafka_format = 'JSONEachRow', kafka_flush_interval_ms = 500",
		"CREATE MATERIALIZED VIEW IF NOT EXISTS view TO stored AS SELECT n FROM queue",
	} {
		if err := engine.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	server := httptest.NewServer(chhttp.New(engine, chhttp.Options{ReadOnly: true}))
	defer server.Close()
	fmt.Println(server.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	// The engine first: it ends the queries that the server would wait for.
	engine.Close()
	return err
}

type child struct {
	command *exec.Cmd
	stdin   io.Closer
	url     string
}

func startChild(t *testing.T, config childConfig) *child {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{command: exec.Command(os.Args[0])}
	c.command.Env = append(os.Environ(), envChild+"="+string(text))
	c.command.Stderr = os.Stderr
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.command.Process.Kill(); _ = c.command.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v", err)
	}
	c.url = strings.TrimSpace(line)
	return c
}

func (c *child) ask(t *testing.T, sql string) string {
	t.Helper()
	response, err := http.Post(c.url, "", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", sql, response.Status, text, err)
	}
	return strings.TrimSpace(string(text))
}

// eventually polls until the query answers want.
func (c *child) eventually(t *testing.T, sql, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got = c.ask(t, sql); got == want {
			return
		}
	}
	t.Fatalf("%s: %s after a minute, want %s; errors of the consumers: %s", sql, got, want,
		c.ask(t, "SELECT arrayMap(e -> substring(e, 1, 300), `exceptions.text`) FROM system.kafka_consumers"))
}

// numbers is one Kafka message of many rows.
func numbers(from, to int) string {
	var rows strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&rows, "{\"n\":%d}\n", n)
	}
	return rows.String()
}

// TestKafkaTableContinuesAfterKill kills a process with broker and engine while
// records are under way, and expects every acknowledged record to be stored after
// the restart.
func TestKafkaTableContinuesAfterKill(t *testing.T) {
	if _, err := chdb.Find(""); err != nil {
		t.Fatalf("%v (scripts/test.sh installs it too)", err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := childConfig{Dir: t.TempDir(), Kafka: free.Addr().String()}
	free.Close()
	remote := &Broker{address: config.Kafka}

	first := startChild(t, config)
	produce(t, remote, 0, numbers(0, 1000))
	first.eventually(t, "SELECT count() FROM stored", "1000")
	produce(t, remote, 1, numbers(1000, 2000))
	if err := first.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.command.Wait()

	second := startChild(t, config)
	second.eventually(t, "SELECT uniqExact(n) FROM stored", "2000")
	produce(t, remote, 0, numbers(2000, 3000))
	second.eventually(t, "SELECT uniqExact(n) FROM stored", "3000")
	if got := second.ask(t, "SELECT uniqExact(n % 150), max(n) FROM stored"); got != "150\t2999" {
		t.Errorf("partitions and largest number: %q", got)
	}
	forgotten := make(chan error, 1)
	go func() {
		response, err := http.Post(second.url, "", strings.NewReader("SELECT sum(sleepEachRow(0.1)) FROM numbers(100000) SETTINGS max_block_size = 1"))
		if err == nil {
			response.Body.Close()
		}
		forgotten <- err
	}()
	second.eventually(t, "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'", "1")
	second.stdin.Close()
	if err := second.command.Wait(); err != nil {
		t.Errorf("the process did not end in order: %v", err)
	}
	if err := <-forgotten; err != nil {
		t.Errorf("the query that was running got no answer: %v", err)
	}

	third := startChild(t, config)
	if got := third.ask(t, "SELECT uniqExact(n) FROM stored"); got != "3000" {
		t.Errorf("after an orderly restart there are %s records, want 3000", got)
	}
}
