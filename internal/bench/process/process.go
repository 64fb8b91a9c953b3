//go:build linux

// Package process runs the programs that benchmarks measure, and reads what the kernel
// and the programs themselves say of their work: processor time, memory, sockets and
// metrics.
package process

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a running program and everything that it has started.
type Process struct {
	cmd  *exec.Cmd
	log  output
	done chan struct{} // closed when it has ended
}

// Start starts a program, given with its arguments. Stop has to be called in the end.
func Start(command []string) (*Process, error) {
	p := &Process{cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	// A group of its own: an interrupt at the terminal is for the benchmark to pass on,
	// and processes that a program leaves behind can be found.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	go func() {
		_ = p.cmd.Wait() // its exit code says less than what it has done
		close(p.done)
	}()
	return p, nil
}

// patience is how long a program may take to start, and to stop.
const patience = 20 * time.Second

// Await returns when ready says true, and fails when the program ends before, when ready
// fails or when it takes too long.
func (p *Process) Await(what string, ready func() (bool, error)) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if is, err := ready(); is || err != nil {
			return err
		}
		if p.Ended() {
			return fmt.Errorf("%s ended at once:\n%s", p.cmd, p.log.String())
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: %s has not come about:\n%s", p.cmd, what, p.log.String())
		}
	}
}

// Ended says whether the program has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Stop ends the program as a service manager would, and by force if that takes too long.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended by itself
	select {
	case <-p.done:
	case <-time.After(patience):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // fails where nothing is left of the group
	<-p.done
}

// Log is what the program has written to its standard output and error.
func (p *Process) Log() string { return p.log.String() }

// output collects what a program writes.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
