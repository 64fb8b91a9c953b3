// Package proctest runs a command's own test binary as that command, in a process
// of its own, for tests in which signals, exit codes and kills matter.
package proctest

import (
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// asProgram is set in the environment of a test binary that is to be the program.
const asProgram = "NETMETA_TEST_AS_PROGRAM"

// Main is the body of TestMain: it runs the tests, or program where the test binary
// was started by Start.
func Main(m interface{ Run() int }, program func()) {
	Program(program)
	os.Exit(m.Run())
}

// Program runs program, and ends with it, where the test binary was started by Start.
// It is for a TestMain that has more to do than Main does.
func Program(program func()) {
	if os.Getenv(asProgram) != "" {
		program()
		os.Exit(0)
	}
}

// Process is a running program.
type Process struct {
	Cmd  *exec.Cmd
	Log  *Output       // what it wrote to standard output and standard error
	Done chan struct{} // closed when it has ended
	Err  error         // how it ended, once Done is closed
}

// Start runs the program with args. It is killed when the test ends, and what it
// wrote is logged if the test has failed.
func Start(t *testing.T, args ...string) *Process {
	t.Helper()
	return StartWith(t, func(*exec.Cmd) {}, args...)
}

// StartWith does so after change has been made to how it is run, for example with a
// terminal instead of Log.
func StartWith(t *testing.T, change func(*exec.Cmd), args ...string) *Process {
	t.Helper()
	p := &Process{Cmd: exec.Command(os.Args[0], args...), Log: &Output{}, Done: make(chan struct{})}
	p.Cmd.Env = append(os.Environ(), asProgram+"=1")
	p.Cmd.Stdout, p.Cmd.Stderr = p.Log, p.Log
	EndWithParent(p.Cmd)
	change(p.Cmd)
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Err = p.Cmd.Wait()
		close(p.Done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the end of what %q wrote:\n%s", args, p.Log)
		}
	})
	return p
}

// Kill ends the program as kill -9 does, and returns when it has ended.
func (p *Process) Kill() {
	p.Cmd.Process.Kill()
	<-p.Done
}

// WaitEnd waits until the program has ended by itself, for patience at most.
func (p *Process) WaitEnd(t *testing.T, patience time.Duration) {
	t.Helper()
	select {
	case <-p.Done:
	case <-time.After(patience):
		t.Fatalf("the program does not end:\n%s", p.Log)
	}
}

// Output keeps the last mebibyte that a process wrote.
type Output struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	if over := len(o.text) - 1<<20; over > 0 {
		o.text = o.text[over:]
	}
	return len(b), nil
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}
