package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/proctest"
)

// The tests run the program as people do: in a process of its own, which can be
// killed.
func TestMain(m *testing.M) { proctest.Main(m, main) }

// instance is a running netmeta-standalone.
type instance struct {
	addresses
	*proctest.Process
	dir string
}

// start runs an instance on dir, on free ports of 127.0.0.1, and waits until it is
// ready. Further arguments come last, so that they win.
func start(t *testing.T, dir string, args ...string) *instance {
	t.Helper()
	i := launch(t, dir, args...)
	i.waitReady(t)
	return i
}

func launch(t *testing.T, dir string, args ...string) *instance {
	t.Helper()
	const any = "127.0.0.1:0"
	os.Remove(filepath.Join(dir, "addresses.json")) // of an instance that was killed
	return &instance{dir: dir, Process: proctest.Start(t, append([]string{
		"--data-dir", dir, "--sflow", any, "--netflow", any, "--netflow-legacy", any,
		"--console", any, "--clickhouse-http", any, "--kafka", any, "--metrics", any,
	}, args...)...)}
}

func (i *instance) waitReady(t *testing.T) {
	t.Helper()
	eventually(t, "the instance is ready", func() error {
		select {
		case <-i.Done:
			t.Fatalf("the instance ended: %v\n%s", i.Err, i.Log)
		default:
		}
		text, err := os.ReadFile(filepath.Join(i.dir, "addresses.json"))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &i.addresses); err != nil {
			return err
		}
		status, body, err := get("http://" + i.Console + "/-/ready")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, body)
		}
		return err
	})
}

// stop ends the instance as Ctrl-C does and expects it to end well.
func (i *instance) stop(t *testing.T) {
	t.Helper()
	i.Cmd.Process.Signal(syscall.SIGTERM)
	i.waitEnd(t)
	if i.Err != nil {
		t.Fatalf("the instance stopped with %v\n%s", i.Err, i.Log)
	}
}

func (i *instance) waitEnd(t *testing.T) {
	t.Helper()
	i.WaitEnd(t, 60*time.Second)
}

// ask returns what ClickHouse answers over plain HTTP, tab separated.
func (i *instance) ask(query string) (string, error) {
	response, err := http.Post("http://"+i.ClickHouseHTTP+"/", "text/plain", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d: %s", response.StatusCode, body)
	}
	return strings.TrimSuffix(string(body), "\n"), err
}

// waitFor waits until query answers want.
func (i *instance) waitFor(t *testing.T, want, query string) {
	t.Helper()
	eventually(t, query, func() error {
		got, err := i.ask(query)
		if err == nil && got != want {
			err = fmt.Errorf("it answers\n%s\nwant\n%s", got, want)
		}
		return err
	})
}

// eventually polls check until it returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(url string) (status int, body string, err error) {
	response, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// metric is the sum of a counter over the label values that contain match.
func (i *instance) metric(t *testing.T, name, match string) float64 {
	t.Helper()
	return proctest.Metric(t, "http://"+i.Metrics+"/metrics", name, match)
}
