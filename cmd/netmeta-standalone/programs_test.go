package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// find returns where a program is. Debian has some in /usr/sbin, which ordinary users
// do not search.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		t.Fatalf("%s is not installed: scripts/test.sh installs what the tests need", name)
	}
	return path
}

// exportFunc has a program export the traffic in a pcap file to an address.
type exportFunc func(t *testing.T, pcap, to string)

// softflowd tracks flows, and exports all of them at the end of the file.
func softflowd(args ...string) exportFunc {
	return func(t *testing.T, pcap, to string) {
		t.Helper()
		runToEnd(t, "softflowd", append([]string{"-d", "-r", pcap, "-n", to}, args...)...)
	}
}

// pmacctd reads the file as fast as it can and ends with it. It takes some seconds of
// pauses for that.
func pmacctd(plugin string, settings ...string) exportFunc {
	return func(t *testing.T, pcap, to string) {
		t.Helper()
		config := append([]string{
			"daemonize: false",
			"pcap_savefile: " + pcap,
			"plugins: " + plugin,
			plugin + "_receiver: " + to,
			"aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags",
		}, settings...)
		path := filepath.Join(t.TempDir(), "pmacctd.conf")
		if err := os.WriteFile(path, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		runToEnd(t, "pmacctd", "-f", path)
	}
}

// nfprobe is pmacctd as an exporter of a version of NetFlow, with an address of its own.
func nfprobe(version, address string, settings ...string) exportFunc {
	return pmacctd("nfprobe", append([]string{"nfprobe_version: " + version, "nfprobe_source_ip: " + address}, settings...)...)
}

// runToEnd runs a program to its end. Whether it did what it should is not told by its
// status (pmacctd has 1 where a part of it ends before another), but by what it
// sent; what it said is shown when the test fails.
func runToEnd(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(t, name), args...)
	// pmacctd consists of several processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s did not end in time; it says:\n%s", cmd, output)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s says (%v):\n%s", cmd, fmt.Sprint(err), output)
		}
	})
}
