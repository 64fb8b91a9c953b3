package proctest

import (
	"os/exec"
	"syscall"
)

// EndWithParent has the kernel kill the process when the test binary ends without
// having run its cleanups, as on a panic.
//
// The signal is tied to the thread that starts the process; Go ends threads only
// when a goroutine that is locked to one ends, which tests do not do.
func EndWithParent(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
