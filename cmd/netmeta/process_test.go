package main

import (
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { proctest.Main(withEngine{m}, main) }

// withEngine are the tests and the ClickHouse engine that they share.
type withEngine struct{ *testing.M }

// Run runs the tests and then stops the engine.
func (w withEngine) Run() int { return chdbtest.Main(w.M) }

// process is a running netmeta.
type process struct{ *proctest.Process }

func launch(t *testing.T, args ...string) process {
	t.Helper()
	return process{proctest.Start(t, args...)}
}

func (p process) signal(t *testing.T) {
	t.Helper()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wait waits until the process has ended, and returns its exit code, or -1 when a
// signal ended it.
func (p process) wait(t *testing.T) int {
	t.Helper()
	p.WaitEnd(t, 2*time.Minute) // a consumer that does not reach Kafka takes its time to stop
	return p.Cmd.ProcessState.ExitCode()
}

// find waits until something that was written matches, and returns the first group.
func (p process) find(t *testing.T, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := match.FindStringSubmatch(p.Log.String()); found != nil {
			return found[len(found)-1]
		}
	}
	t.Fatalf("nothing that was written matches %s", pattern)
	return ""
}

// run runs netmeta to its end.
func run(t *testing.T, args ...string) (exitCode int, written string) {
	t.Helper()
	p := launch(t, args...)
	code := p.wait(t)
	return code, p.Log.String()
}
