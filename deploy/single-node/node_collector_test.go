//go:build linux

package singlenode_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testOnHost has the collector at ports of the node.
func testOnHost(t *testing.T, n *onNode) {
	const namespace = "default"
	n.addVolume(t, "first")
	n.apply(t, "")
	n.awaitReady(t, namespace)
	t.Run("it may do what it needs and no more", func(t *testing.T) { n.wantConfined(t, namespace) })

	f := newTraffic(t, n)
	to := net.JoinHostPort(n.Address, "2055")
	noPorts := n.udp(t, "NoPorts")
	t.Run("exporters are known by their addresses", func(t *testing.T) {
		f.send(t, to, func() {})
		if n.IPv6 != "" {
			f.send(t, net.JoinHostPort(n.IPv6, "2055"), func() {})
		}
		for address := range f.stored {
			if got := address.String(); got != n.Outside && got != "fd00:199::1" {
				t.Errorf("flows are stored as those of %s", got)
			}
		}
	})
	t.Run("an update loses nothing", func(t *testing.T) {
		f.send(t, to, func() { n.restart(t, namespace) })
	})
	t.Run("a Pod that is deleted loses nothing", func(t *testing.T) {
		f.send(t, to, func() {
			n.kubectl(t, "delete", "pods", "-n", namespace, "-l", "netmeta/component=collector", "--wait=true")
			n.awaitReady(t, namespace)
		})
	})
	if got := n.udp(t, "NoPorts") - noPorts; got != 0 {
		t.Errorf("%d datagrams found no socket", got)
	}
	n.kubectl(t, "delete", "deployment/collector", "-n", namespace, "--cascade=foreground", "--wait=true")
	f.wantEverythingCounted(t)
}

// testBehindBalancer has the collector behind a Service of type LoadBalancer. In place of
// a load balancer, the address of the node is that of the Service.
func testBehindBalancer(t *testing.T, n *onNode) {
	const namespace = "balanced"
	n.addVolume(t, "second")
	// Another port, since those of the node itself are in use.
	n.apply(t, `netmeta: config: {exposure: "loadbalancer", namespace: "balanced", ports: netflow: 9995}`)
	n.kubectl(t, "patch", "service/flows", "-n", namespace, "--subresource=status", "--type=merge", "--patch", fmt.Sprintf(`{"status": {"loadBalancer": {"ingress": [{"ip": %q}]}}}`, n.Address))
	n.awaitReady(t, namespace)
	n.wantConfined(t, namespace)
	n.awaitForwarding(t, namespace)

	f := newTraffic(t, n)
	t.Run("an update loses nothing", func(t *testing.T) {
		f.send(t, net.JoinHostPort(n.Address, "9995"), func() { n.restart(t, namespace) })
	})
	for address := range f.stored {
		if address.String() != n.Outside {
			t.Errorf("flows are stored as those of %s", address)
		}
	}
	n.kubectl(t, "delete", "deployment/collector", "-n", namespace, "--cascade=foreground", "--wait=true")
	f.wantEverythingCounted(t)
}

func (n *onNode) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := n.Kubectl("", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (n *onNode) awaitReady(t *testing.T, namespace string) {
	t.Helper()
	n.await(t, "a collector that is ready", func(out string) bool { return out == "True" },
		"get", "pods", "-n", namespace, "-l", "netmeta/component=collector", `--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`)
}

// awaitForwarding returns when the node forwards to the collector what comes to the
// Service: that takes a moment longer than being ready.
func (n *onNode) awaitForwarding(t *testing.T, namespace string) {
	t.Helper()
	address := n.kubectl(t, "get", "pods", "-n", namespace, "-l", "netmeta/component=collector", "--output=jsonpath={.items[0].status.podIP}")
	for end := time.Now().Add(patience); !strings.Contains(n.Enter(t, "nft", "list", "table", "ip", "kube-proxy"), "map { 0 : "+address+" . 9995 }"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the node does not forward anything to port 9995 of %s:\n%s", address, n.Enter(t, "nft", "list", "table", "ip", "kube-proxy"))
		}
	}
}

// restart updates the collector, as far as Kubernetes can tell, and returns when the old
// one has gone.
func (n *onNode) restart(t *testing.T, namespace string) {
	t.Helper()
	pods := []string{"get", "pods", "-n", namespace, "-l", "netmeta/component=collector", "--output=jsonpath={.items[*].metadata.name}"}
	before := n.kubectl(t, pods...)
	n.kubectl(t, "rollout", "restart", "deployment/collector", "-n", namespace)
	n.kubectl(t, "rollout", "status", "deployment/collector", "-n", namespace, "--timeout="+patience.String())
	n.await(t, "the end of the old collector", func(out string) bool {
		return out != "" && !strings.Contains(out, before) && !strings.Contains(out, " ")
	}, pods...)
}

// wantConfined looks at the process of the collector from outside.
func (n *onNode) wantConfined(t *testing.T, namespace string) {
	t.Helper()
	pod := []string{"get", "pods", "-n", namespace, "-l", "netmeta/component=collector"}
	image := n.kubectl(t, append(pod, "--output=jsonpath={.items[0].status.containerStatuses[0].imageID}")...)
	if digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(n.images); digest == "" || !strings.HasSuffix(image, digest) {
		t.Errorf("it runs %s, and %s was built", image, n.images)
	}
	container := n.kubectl(t, append(pod, "--output=jsonpath={.items[0].status.containerStatuses[0].containerID}")...)
	process := n.ProcessOf(t, strings.TrimPrefix(container, "containerd://"))

	status := read(t, filepath.Join("/proc", process, "status"))
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want+"\n") {
			t.Errorf("its process has no %q:\n%s", want, status)
		}
	}
	mounts := read(t, filepath.Join("/proc", process, "mountinfo"))
	if !regexp.MustCompile(`(?m)^\S+ \S+ \S+ \S+ / ro,`).MatchString(mounts) {
		t.Errorf("its root can be written to:\n%s", mounts)
	}
	if got := n.MemoryLimit(t, process); got != 512<<20 {
		t.Errorf("it may use %d bytes of memory, want 512 MiB", got)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// udp is a counter of the node's network for all its UDP sockets, such as NoPorts.
func (n *onNode) udp(t *testing.T, name string) (total int) {
	t.Helper()
	table := n.Enter(t, "cat", "/proc/net/snmp") + n.Enter(t, "cat", "/proc/net/snmp6")
	lines := regexp.MustCompile(`(?m)^Udp: (.*)\nUdp: (.*)$`).FindStringSubmatch(table)
	for i, field := range strings.Fields(lines[1]) {
		if field == name {
			total += number(t, strings.Fields(lines[2])[i])
		}
	}
	if line := regexp.MustCompile(`(?m)^Udp6` + name + `\s+(\d+)$`).FindStringSubmatch(table); line != nil {
		total += number(t, line[1])
	}
	return total
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
