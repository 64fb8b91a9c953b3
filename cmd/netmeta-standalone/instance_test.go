package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests run the program as people do: in a process of its own, which can be
// killed. It is this test binary, which becomes the program where asProgram is set.
const asProgram = "NETMETA_TEST_RUN_STANDALONE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the command that runs netmeta-standalone with the given arguments.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// instance is a running netmeta-standalone.
type instance struct {
	addresses
	dir  string
	cmd  *exec.Cmd
	log  *logTail
	done chan struct{} // closed when the process has ended
	err  error         // of the process, once done is closed
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
	i := &instance{dir: dir, done: make(chan struct{}), log: &logTail{}}
	i.cmd = program(append([]string{
		"--data-dir", dir, "--sflow", any, "--netflow", any, "--netflow-legacy", any,
		"--console", any, "--clickhouse-http", any, "--kafka", any, "--metrics", any,
	}, args...)...)
	i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
	os.Remove(filepath.Join(dir, "addresses.json")) // of an instance that was killed
	if err := i.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		i.err = i.cmd.Wait()
		close(i.done)
	}()
	t.Cleanup(func() {
		i.kill()
		if t.Failed() {
			t.Logf("the end of what %s logged:\n%s", dir, i.log)
		}
	})
	return i
}

func (i *instance) waitReady(t *testing.T) {
	t.Helper()
	eventually(t, "the instance is ready", func() error {
		select {
		case <-i.done:
			t.Fatalf("the instance ended: %v\n%s", i.err, i.log)
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
	i.cmd.Process.Signal(syscall.SIGTERM)
	i.waitEnd(t)
	if i.err != nil {
		t.Fatalf("the instance stopped with %v\n%s", i.err, i.log)
	}
}

// waitEnd waits until the process has ended by itself.
func (i *instance) waitEnd(t *testing.T) {
	t.Helper()
	select {
	case <-i.done:
	case <-time.After(60 * time.Second):
		t.Fatalf("the instance does not end\n%s", i.log)
	}
}

// kill ends the instance as kill -9 does.
func (i *instance) kill() {
	i.cmd.Process.Kill()
	<-i.done
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
func (i *instance) metric(t *testing.T, name, match string) (sum float64) {
	t.Helper()
	_, body, err := get("http://" + i.Metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, name) && strings.Contains(line, match) {
			var value float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatalf("metric %q: %v", line, err)
			}
			sum += value
		}
	}
	return sum
}

// logTail keeps the end of a log.
type logTail struct {
	mu   sync.Mutex
	text []byte
}

func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - 1<<20; over > 0 {
		l.text = l.text[over:]
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
