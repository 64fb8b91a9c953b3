//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running collector and everything that it has started.
type process struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	done chan struct{} // closed when it has ended
	port int           // UDP
}

func startProcess(command []string, port int) (*process, error) {
	p := &process{cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{}), port: port}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	// A group of its own: an interrupt at the terminal is for the benchmark to pass on,
	// and processes that a collector leaves behind can be found.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	go func() {
		_ = p.cmd.Wait() // its exit code says less than its records
		close(p.done)
	}()
	return p, nil
}

// waitReady returns when the collector has opened its socket.
func (p *process) waitReady() error {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s, err := readSockets(p.port)
		if err != nil {
			return err
		}
		if s.open > 0 {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at once:\n%s", p.cmd, p.log.String())
		default:
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not listen on udp port %d:\n%s", p.cmd, p.port, p.log.String())
		}
	}
}

// stop ends the collector as a service manager would, and by force if that takes too
// long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended by itself
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // fails where nothing is left of the group
	<-p.done
}

// sockets sums the UDP sockets at one port.
type sockets struct {
	open    int
	waiting int // bytes in the receive buffers
	drops   int // datagrams, since they were opened
}

func readSockets(port int) (sockets, error) {
	file, err := os.Open("/proc/net/udp")
	if err != nil {
		return sockets{}, fmt.Errorf("read the state of sockets: %w", err)
	}
	defer file.Close()
	return parseSockets(file, port)
}

// parseSockets reads the format of /proc/net/udp.
func parseSockets(in io.Reader, port int) (s sockets, err error) {
	lines := bufio.NewScanner(in)
	lines.Scan() // the heading
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 13 {
			return s, fmt.Errorf("read the state of sockets: %q has %d columns, want 13", lines.Text(), len(fields))
		}
		_, local, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(local, 16, 16); err != nil || int(n) != port {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		waiting, err := strconv.ParseUint(queue, 16, 32)
		if err != nil {
			return s, fmt.Errorf("read the state of sockets: receive queue %q: %w", fields[4], err)
		}
		drops, err := strconv.Atoi(fields[12])
		if err != nil {
			return s, fmt.Errorf("read the state of sockets: drops %q: %w", fields[12], err)
		}
		s.open++
		s.waiting += int(waiting)
		s.drops += drops
	}
	return s, lines.Err()
}

// stat is what /proc/PID/stat says of a process.
type stat struct {
	pid, parent int
	ended       int // ticks of processor time, user and system, of children that have ended
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// parseStat reads the format of /proc/PID/stat (proc_pid_stat(5)).
func parseStat(line string) (s stat, err error) {
	// The name, in parentheses, may hold anything.
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return s, fmt.Errorf("read the state of a process: %q has no name", line)
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(line[:open])); err != nil {
		return s, fmt.Errorf("read the state of a process: %w", err)
	}
	const parent, cutime, cstime = 1, 13, 14 // in what follows the name
	fields := strings.Fields(line[end+1:])
	if len(fields) <= cstime {
		return s, fmt.Errorf("read the state of process %d: %d fields are too few", s.pid, len(fields))
	}
	if s.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return s, fmt.Errorf("read the parent of process %d: %w", s.pid, err)
	}
	for _, field := range fields[cutime : cstime+1] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return s, fmt.Errorf("read the time of the children of process %d: %w", s.pid, err)
		}
		s.ended += n
	}
	return s, nil
}

// processorTime is what the collector and the processes it has started have used.
func (p *process) processorTime() (time.Duration, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var all []stat
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended since
		}
		s, err := parseStat(string(line))
		if err != nil {
			return 0, err
		}
		all = append(all, s)
	}
	sum := time.Duration(0)
	for _, s := range family(all, p.cmd.Process.Pid) {
		own, err := processClock(s.pid)
		if err != nil {
			return 0, err
		}
		sum += own + time.Duration(s.ended)*time.Second/ticksPerSecond
	}
	return sum, nil
}

// processClock returns the processor time of a process, of all its threads: the same
// as in /proc/PID/stat, in nanoseconds rather than ticks.
func processClock(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &now); err != nil {
		return 0, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// family returns a process and its descendants.
func family(all []stat, pid int) (members []stat) {
	for _, s := range all {
		if s.pid == pid {
			members = append(members, s)
		}
		if s.parent == pid {
			members = append(members, family(all, s.pid)...)
		}
	}
	return members
}
