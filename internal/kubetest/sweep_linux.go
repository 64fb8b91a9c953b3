package kubetest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/skiptest"
)

// prefix begins the names of what a run leaves outside of its machine: a directory, and
// control groups. Its process's number follows.
const prefix = "netmeta-node-"

const groupRoot = "/sys/fs/cgroup"

// hierarchies are those of control groups that there are: one of version 2, or one for
// each controller of version 1, beside which there may be one of version 2.
func hierarchies(t testing.TB) (roots []string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(groupRoot, "cgroup.controllers")); err == nil {
		return []string{groupRoot}
	}
	procs, err := filepath.Glob(filepath.Join(groupRoot, "*/cgroup.procs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		roots = append(roots, filepath.Dir(p))
	}
	if !slices.Contains(roots, filepath.Join(groupRoot, "memory")) {
		skiptest.Missing(t, "no control groups with a memory controller in "+groupRoot)
	}
	return roots
}

// makeGroups makes the group that all of the node's Pods are in.
func (n *Node) makeGroups(t testing.TB) {
	t.Helper()
	for _, root := range hierarchies(t) {
		group := filepath.Join(root, n.group)
		if err := os.MkdirAll(group, 0o755); err != nil {
			skiptest.Missing(t, "no control group can be made: "+err.Error())
		}
		// Of version 1, a new group has no processors.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if all, err := os.ReadFile(filepath.Join(root, file)); err == nil && root != groupRoot {
				write(t, filepath.Join(group, file), string(all))
			}
		}
	}
}

// sweep removes what runs have left that could not do so themselves.
func sweep(t testing.TB) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join("/var/tmp", prefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
		if err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			sweepRun(t, filepath.Base(dir))
		}
	}
}

// sweepRun removes what is left of a run when its machine has ended: the kernel takes a
// moment to end its processes.
func sweepRun(t testing.TB, name string) {
	t.Helper()
	for _, root := range hierarchies(t) {
		var groups []string
		_ = filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				groups = append([]string{path}, groups...) // those below first
			}
			return nil
		})
		for _, group := range groups {
			removeGroup(t, group)
		}
	}
	// The kernel removes it with the machine's network, but takes its time.
	cable := cableOf(name)
	_ = exec.Command("ip", "link", "delete", cable).Run()
	if _, err := os.Stat(filepath.Join("/sys/class/net", cable)); err == nil {
		t.Errorf("the node has left the interface %s behind", cable)
	}
	if err := os.RemoveAll(filepath.Join("/var/tmp", name)); err != nil {
		t.Errorf("the node has left something behind: %v", err)
	}
}

// cableOf is the interface of this machine by which a run's node is reached.
func cableOf(name string) string { return "nm" + strings.TrimPrefix(name, prefix) }

func removeGroup(t testing.TB, group string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := unix.Rmdir(group)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("the node has left the control group %s behind: %v", group, err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ProcessOf returns the number, on this machine, of a process in a container of the node.
func (n *Node) ProcessOf(t testing.TB, container string) (process string) {
	t.Helper()
	root := groupRoot
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err != nil {
		root = filepath.Join(root, "memory")
	}
	err := filepath.WalkDir(filepath.Join(root, n.group), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || entry.Name() != container {
			return err
		}
		processes, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		process, _, _ = strings.Cut(string(processes), "\n")
		return err
	})
	if err != nil || process == "" {
		t.Fatalf("no process of the container %q is found in the control group %s of %s: %v", container, n.group, root, err)
	}
	return process
}

// MemoryLimit returns how many bytes the control group of a process may have.
func (n *Node) MemoryLimit(t testing.TB, process string) int {
	t.Helper()
	groups, err := os.ReadFile(filepath.Join("/proc", process, "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for _, file := range []string{
			filepath.Join(groupRoot, "memory", fields[2], "memory.limit_in_bytes"), // version 1
			filepath.Join(groupRoot, fields[2], "memory.max"),
		} {
			if !strings.Contains(fields[2], n.group) {
				continue
			}
			if text, err := os.ReadFile(file); err == nil {
				limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
				if err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				return limit
			}
		}
	}
	t.Fatalf("process %s is in no control group with a limit of memory:\n%s", process, groups)
	return 0
}
