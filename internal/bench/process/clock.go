//go:build linux

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

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

// ProcessorTime is what the program and the processes that it has started have used.
func (p *Process) ProcessorTime() (time.Duration, error) {
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
