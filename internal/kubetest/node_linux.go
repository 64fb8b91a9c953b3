package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/skiptest"
)

// Node is a cluster of one node: the API server, the controllers and the scheduler on
// this machine, and containerd, the kubelet and kube-proxy on one of its own, which has
// nothing but processors, memory and the disk in common with this one. All of it is gone
// when the test ends, however it ends.
type Node struct {
	*Server
	Address string // of the node, as seen from here: IPv4
	IPv6    string
	Outside string // address of this machine, as seen from the node

	dir     string // of all that the node writes
	group   string // its control group, of whatever controllers there are
	machine *exec.Cmd
	added   int // addresses besides Outside
}

// StartNode runs a node that has images, each an archive of OCI by the name that it gets
// under netmeta.local/, and returns when Pods can be given to it. Where the machine does
// not allow that or lacks programs, the test is skipped, or fails if
// NETMETA_REQUIRE=all.
func StartNode(t testing.TB, images map[string]string) *Node {
	t.Helper()
	root := findRoot(t)
	needBuilt(t, root)
	cni := needNode(t)
	takeTurn(t)
	sweep(t)

	n := &Node{
		// Of 198.18.0.0/15, which is for tests of network devices (RFC 2544).
		Address: "198.18.0.2", Outside: "198.18.0.1", IPv6: "fd00:199::2",
		group: fmt.Sprintf("%s%d", prefix, os.Getpid()),
	}
	n.dir = filepath.Join("/var/tmp", n.group)
	for _, dir := range []string{"images", "cni"} {
		if err := os.MkdirAll(filepath.Join(n.dir, dir), 0o711); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { sweepRun(t, n.group) })
	n.makeGroups(t)
	for name, archive := range images {
		if err := os.Link(archive, filepath.Join(n.dir, "images", name+".tar")); err != nil {
			copyFile(t, archive, filepath.Join(n.dir, "images", name+".tar"))
		}
	}

	node := filepath.Join(root, ".build/kubernetes/node")
	machine := n.boot(t, root, node, cni)
	n.Server = start(t, root, n.Outside, "--kubelet-preferred-address-types=InternalIP", "--allow-privileged")
	n.buildPause(t)
	n.configureNode(t, cni)
	copyFile(t, n.Kubeconfig, filepath.Join(n.dir, "kubeconfig"))
	controllers := run(t, node, "kube-controller-manager", "--kubeconfig="+n.Kubeconfig, "--leader-elect=false", "--secure-port=0", "--controllers="+controllers)
	scheduler := run(t, node, "kube-scheduler", "--kubeconfig="+n.Kubeconfig, "--leader-elect=false", "--secure-port=0")
	n.connect(t)
	t.Cleanup(func() {
		if t.Failed() {
			for name, p := range map[string]*process{"the node": machine, "kube-controller-manager": controllers, "kube-scheduler": scheduler} {
				t.Logf("the end of what %s wrote:\n%s", name, tail(p.output.String(), 60))
			}
		}
	})
	n.waitUntilNodeIsReady(t, machine)
	return n
}

// takeTurn waits until no other test on this machine has a node, since all would have
// the same addresses.
func takeTurn(t testing.TB) {
	t.Helper()
	tmp, err := os.Open("/var/tmp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tmp.Close() })
	if err := unix.Flock(int(tmp.Fd()), unix.LOCK_EX); err != nil {
		t.Fatalf("lock /var/tmp: %v", err)
	}
}

// controllers are those that what a test applies is made by.
const controllers = "deployment-controller,replicaset-controller,statefulset-controller,job-controller,endpointslice-controller,persistentvolume-binder-controller,serviceaccount-controller,root-ca-certificate-publisher-controller,namespace-controller,garbage-collector-controller,node-lifecycle-controller"

// needNode returns the directory of the network plugins.
func needNode(t testing.TB) (cni string) {
	t.Helper()
	skiptest.NeedRoot(t, "starting a node")
	for _, program := range []string{"containerd", "ctr", "runc", "ip", "nft", "iptables", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			skiptest.Missing(t, "no "+program+"; install containerd, runc, containernetworking-plugins, iproute2, nftables and iptables, or run scripts/test.sh, which does")
		}
	}
	for _, cni := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if _, err := os.Stat(filepath.Join(cni, "bridge")); err == nil {
			try := exec.Command("true")
			try.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
			if err := try.Run(); err != nil {
				skiptest.Missing(t, fmt.Sprintf("a node needs namespaces of processes, mounts and network, which this machine refuses: %v", err))
			}
			return cni
		}
	}
	skiptest.Missing(t, "no network plugins of containers: install containernetworking-plugins")
	return ""
}

const namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// boot starts the machine, which waits for its network.
func (n *Node) boot(t testing.TB, root, node, cni string) *process {
	t.Helper()
	n.machine = exec.Command(filepath.Join(root, "scripts/kubernetes/node.sh"), n.dir, node, cni, n.Address)
	n.machine.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	machine := runCommand(t, n.machine)
	cable := cableOf(n.group)
	for _, args := range []string{
		fmt.Sprintf("link add %s type veth peer name cable netns %d", cable, n.machine.Process.Pid),
		"address add " + n.Outside + "/24 dev " + cable,
		"link set " + cable + " up",
	} {
		ip(t, args)
	}
	// Not every machine has IPv6.
	if out, err := exec.Command("ip", "-6", "address", "add", "fd00:199::1/64", "dev", cable, "nodad").CombinedOutput(); err != nil {
		t.Logf("no IPv6 between this machine and the node: %v: %s", err, out)
		n.IPv6 = ""
	}
	return machine
}

// AddAddress gives this machine another address that the node reaches.
func (n *Node) AddAddress(t testing.TB) string {
	t.Helper()
	n.added++
	address := fmt.Sprintf("198.18.0.%d", 10+n.added)
	ip(t, "address add "+address+"/24 dev "+cableOf(n.group))
	return address
}

// connect has the machine go on: it waits for an interface of that name.
func (n *Node) connect(t testing.TB) {
	t.Helper()
	n.Enter(t, "ip", "link", "set", "cable", "name", "uplink")
}

// Enter runs a program of this machine in the node's network, and returns what it writes.
func (n *Node) Enter(t testing.TB, program string, args ...string) string {
	t.Helper()
	args = append([]string{fmt.Sprintf("--net=/proc/%d/ns/net", n.machine.Process.Pid), program}, args...)
	out, err := exec.Command("nsenter", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("nsenter %v: %v: %s", args, err, out)
	}
	return string(out)
}

func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

func (n *Node) waitUntilNodeIsReady(t testing.TB, machine *process) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for {
		out, err := n.Kubectl("", "get", "node", "node", `--output=jsonpath={.status.conditions[?(@.type=="Ready")].status} {.spec.taints}`)
		if err == nil && strings.TrimSpace(out) == "True" {
			return
		}
		select {
		case <-machine.ended:
			t.Fatalf("the node ended before it was ready")
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the node is not ready after %v: %q, %v", startTimeout, out, err)
		}
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text))
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// MakeDirectory makes a directory that the node sees, too.
func (n *Node) MakeDirectory(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(n.dir, "volumes", name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
