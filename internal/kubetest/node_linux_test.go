package kubetest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/kubetest"
)

// left is what nodes have outside of themselves.
func left(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"/var/tmp/netmeta-node-*", "/sys/fs/cgroup/netmeta-node-*", "/sys/fs/cgroup/*/netmeta-node-*", "/sys/class/net/nm[0-9]*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "netmeta-node-") {
			names = append(names, line)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), "netmeta-node-") { // else it has ended
			names = append(names, string(line))
		}
	}
	return names
}

func TestNodeRunsPodsAndLeavesNothingBehind(t *testing.T) {
	before := left(t)
	kernel := settings(t)
	t.Run("node", func(t *testing.T) {
		n := kubetest.StartNode(t, nil)
		const pod = `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {automountServiceAccountToken: false, containers: [{name: a, image: "netmeta.local/pause:1"}]}}`
		_, err := n.Kubectl(pod, "create", "-f", "-")
		for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			// A controller has yet to make the namespace's service account.
			_, err = n.Kubectl(pod, "create", "-f", "-")
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Kubectl("", "wait", "--for=condition=Ready", "--timeout=60s", "pod/a"); err != nil {
			t.Fatal(err)
		}
		if during := left(t); len(during) <= len(before) {
			t.Errorf("nothing is seen of the node while it runs: %q", during)
		}
	})
	if after := left(t); len(after) > len(before) {
		t.Errorf("the node has left behind:\n%q\nbefore it there was\n%q", after, before)
	}
	if after := settings(t); after != kernel {
		t.Errorf("settings of the kernel are\n%s\nand were\n%s", after, kernel)
	}
}

// settings are those that the kubelet wants otherwise.
func settings(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "net/netfilter/nf_conntrack_max", "net/ipv4/ip_forward"} {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			t.Log(err)
		}
		all.WriteString(name + " " + string(value))
	}
	return all.String()
}
