package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Where signals and exit codes matter, tests run netmeta as a process of its own. It
// is this test binary, which becomes netmeta where asProgram is set.
const asProgram = "NETMETA_TEST_RUN_NETMETA"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running netmeta.
type process struct {
	cmd  *exec.Cmd
	log  *output
	done chan struct{} // closed when it has ended
	err  error         // how it ended, once done is closed
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...), log: &output{}, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("netmeta %q wrote:\n%s", args, p.log)
		}
	})
	return p
}

func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wait waits until the process has ended, and returns its exit code, or -1 when a
// signal ended it.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(15 * time.Second):
		t.Fatal("netmeta does not end")
		return 0
	}
}

// find waits until something that was written matches, and returns the first group.
func (p *process) find(t *testing.T, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := match.FindStringSubmatch(p.log.String()); found != nil {
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
	return code, fmt.Sprint(p.log)
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
