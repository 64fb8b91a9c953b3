//go:build linux

package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what a program holds in memory, in bytes, as the kernel counts it: shared
// libraries and files that it has mapped are part of it.
type Memory struct {
	Resident int
	Peak     int // the most that Resident has been
}

// Memory reads the memory of the program, without that of processes it has started.
func (p *Process) Memory() (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return Memory{}, fmt.Errorf("read the memory of %s: %w", p.cmd.Path, err)
	}
	return parseMemory(string(status))
}

// parseMemory reads the format of /proc/PID/status (proc_pid_status(5)).
func parseMemory(status string) (m Memory, err error) {
	found := 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		var field *int
		switch name {
		case "VmRSS":
			field = &m.Resident
		case "VmHWM":
			field = &m.Peak
		default:
			continue
		}
		kib, hasUnit := strings.CutSuffix(strings.TrimSpace(value), " kB")
		n, err := strconv.Atoi(kib)
		if err != nil || !hasUnit {
			return m, fmt.Errorf("read the memory of a process: %q is no number of kB", strings.TrimSpace(line))
		}
		*field = n << 10
		found++
	}
	if found != 2 {
		return m, fmt.Errorf("read the memory of a process: its status does not say it; has it ended?")
	}
	return m, nil
}
