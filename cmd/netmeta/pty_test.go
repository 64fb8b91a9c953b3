package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/proctest"
)

// openTerminal returns both ends of a new terminal of 100 cells by 40 lines: what is
// written to inside can be read from outside.
func openTerminal(t *testing.T) (outside, inside *os.File) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outside.Close() })
	if err := unix.IoctlSetPointerInt(int(outside.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(outside.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inside.Close() })
	if err := unix.IoctlSetWinsize(int(inside.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 100, Row: 40}); err != nil {
		t.Fatal(err)
	}
	return outside, inside
}

// launchOnTerminal runs netmeta on a terminal of its own.
func launchOnTerminal(t *testing.T, args ...string) process {
	t.Helper()
	outside, inside := openTerminal(t)
	seen := &proctest.Output{}
	go func() {
		// It ends with an error when the terminal is closed.
		buffer := make([]byte, 4096)
		for {
			n, err := outside.Read(buffer)
			if err != nil {
				return
			}
			seen.Write(buffer[:n])
		}
	}()
	p := proctest.StartWith(t, func(c *exec.Cmd) { c.Stdin, c.Stdout, c.Stderr = inside, inside, inside }, args...)
	p.Log = seen
	return process{p}
}
