package installtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newInstalled returns a machine with NetMeta's parts on it, and what k3s makes when it
// runs.
func newInstalled(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	m.succeeds("install.sh", "--yes")
	for name, text := range map[string]string{
		"var/lib/rancher/k3s/server/db/state.db":                                "the cluster",
		"var/lib/rancher/k3s/server/token":                                      "token",
		"var/lib/rancher/k3s/storage/pvc-1_netmeta_data-clickhouse/flows":       "flows",
		"var/lib/rancher/k3s/storage/pvc-2_netmeta_data-netmeta-kafka-0/queued": "queue",
		"var/lib/rancher/k3s/agent/containerd/image":                            "image",
		"var/lib/rancher/k3s/data/0123/bin/containerd":                          "program",
		"etc/rancher/node/password":                                             "node",
		"etc/rancher/k3s/k3s.yaml":                                              "kubeconfig",
		"var/lib/kubelet/pods/1/etc-hosts":                                      "hosts",
		"run/k3s/containerd/containerd.sock":                                    "",
		"sys/class/net/cni0/address":                                            "",
	} {
		m.has(name, text)
	}
	return m
}

// data is what people do not want to lose.
var data = []string{
	"var/lib/rancher/k3s/server/db/state.db", "var/lib/rancher/k3s/server/token", "etc/rancher/node/password",
	"var/lib/rancher/k3s/storage/pvc-1_netmeta_data-clickhouse/flows", "var/lib/rancher/k3s/storage/pvc-2_netmeta_data-netmeta-kafka-0/queued",
}

func TestUninstallLeavesWhatWasThereBefore(t *testing.T) {
	clean := newMachine(t)
	m := newInstalled(t)
	m.succeeds("uninstall.sh", "--yes")
	for name := range m.state() {
		short, ok := strings.CutPrefix(name, "root/")
		if !ok || clean.exists(short) {
			continue
		}
		if info, err := os.Stat(filepath.Join(m.root, short)); err != nil || !info.IsDir() {
			// Files of the kernel are not files.
			if !strings.HasPrefix(short, "sys/") {
				t.Errorf("%s was left", short)
			}
		}
	}
	for name := range clean.state() {
		if short, ok := strings.CutPrefix(name, "root/"); ok && !m.exists(short) {
			t.Errorf("%s was there before and is gone", short)
		}
	}
	if calls := m.state()["calls"]; !strings.Contains(calls, "systemctl disable --quiet --now k3s") || !strings.Contains(calls, "ip link delete cni0") {
		t.Errorf("k3s or its network still runs:\n%s", calls)
	}
	if _, err := os.Stat(filepath.Join(m.checkout, ".build/operators")); err != nil {
		t.Error("it touched the checkout")
	}
	if out := m.succeeds("uninstall.sh"); !strings.Contains(out, "Nothing of install.sh is here") {
		t.Errorf("a second run:\n%s", out)
	}
}

func TestUninstallNamesTheDataThatWillGo(t *testing.T) {
	m := newInstalled(t)
	before := m.state()
	out := m.succeeds("uninstall.sh", "--dry-run")
	m.unchanged(before)
	for _, want := range []string{"All data GOES", "pvc-1_netmeta_data-clickhouse", "pvc-2_netmeta_data-netmeta-kafka-0", "--keep-data", m.root + "/usr/local/bin/k3s"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestUninstallAsksBeforeItDoesAnything(t *testing.T) {
	m := newInstalled(t)
	m.refuses("uninstall.sh", nil, "--yes")
	m.refuses("uninstall.sh", []string{"--keep-data"}, "--yes")
	m.program("id", "#!/bin/sh\necho 1000\n")
	m.refuses("uninstall.sh", []string{"--yes"}, "only root")
}

func TestUninstallKeepsDataAndInstallGoesOnWithIt(t *testing.T) {
	m := newInstalled(t)
	m.succeeds("uninstall.sh", "--yes", "--keep-data")
	for _, name := range data {
		if !m.exists(name) {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range []string{"usr/local/bin/k3s", "opt/netmeta", "etc/systemd/system/k3s.service", "var/lib/rancher/k3s/agent", "var/lib/kubelet"} {
		if m.exists(name) {
			t.Errorf("%s was left", name)
		}
	}
	m.succeeds("install.sh", "--yes")
	for _, name := range data {
		if !m.exists(name) {
			t.Errorf("%s is gone after installing again", name)
		}
	}
}

func TestUninstallEndsContainersFirst(t *testing.T) {
	m := newInstalled(t)
	for _, place := range []string{"proc", "sys/fs/cgroup/kubepods.slice"} {
		t.Run(place, func(t *testing.T) {
			// Programs of containers outlive k3s.
			program := exec.Command("sleep", "600")
			program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			proc := filepath.Join(m.root, "proc", fmt.Sprint(program.Process.Pid))
			group := filepath.Join(m.root, "sys/fs/cgroup/kubepods.slice/cgroup.procs")
			if place == "proc" {
				link(t, filepath.Join(m.root, "var/lib/rancher/k3s/data/0123/bin/containerd-shim"), filepath.Join(proc, "exe"))
			} else {
				write(t, group, fmt.Sprintln(program.Process.Pid), 0o644)
			}
			// What the kernel does when it has ended.
			ended := make(chan error)
			go func() {
				_, err := program.Process.Wait()
				_ = os.RemoveAll(proc)
				_ = os.RemoveAll(group)
				ended <- err
			}()
			m.succeeds("uninstall.sh", "--yes", "--keep-data")
			if err := <-ended; err != nil {
				t.Error(err)
			}
			m.succeeds("install.sh", "--yes")
		})
	}
}

func TestUninstallDeletesNothingThatIsStillMounted(t *testing.T) {
	m := newInstalled(t)
	mounted := filepath.Join(m.root, "var/lib/kubelet/pods/1/volumes/data")
	write(t, filepath.Join(mounted, "flows"), "flows", 0o644)
	m.has("proc/self/mounts", "/dev/sda1 "+mounted+" ext4 rw 0 0\n")
	out, err := m.run("uninstall.sh", "--yes", "--keep-data")
	if err == nil || !strings.Contains(out, "still something mounted") {
		t.Errorf("%v:\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(mounted, "flows")); err != nil {
		t.Error(err)
	}
	if !m.exists("usr/local/bin/k3s") {
		t.Error("it removed the rest")
	}
	if calls := m.state()["calls"]; !strings.Contains(calls, "umount "+mounted+"\n") {
		t.Errorf("it did not try to unmount it:\n%s", calls)
	}
}

func TestUninstallEmptiesADiskOfItsOwnOfVolumes(t *testing.T) {
	m := newInstalled(t)
	disk := filepath.Join(m.root, "var/lib/rancher/k3s/storage")
	m.has("proc/self/mounts", "/dev/sdb1 "+disk+" ext4 rw 0 0\n")
	m.succeeds("uninstall.sh", "--yes")
	left, err := os.ReadDir(disk)
	if err != nil || len(left) > 0 {
		t.Errorf("on the disk: %v, %v", left, err)
	}
	if strings.Contains(m.state()["calls"], "umount") {
		t.Error("the disk was unmounted")
	}
}

func TestUninstallFollowsALinkToAnotherDisk(t *testing.T) {
	m := newInstalled(t)
	linked, disk := filepath.Join(m.root, "var/lib/rancher/k3s"), filepath.Join(m.root, "disk")
	if err := os.Rename(linked, disk); err != nil {
		t.Fatal(err)
	}
	link(t, disk, linked)
	m.succeeds("uninstall.sh", "--yes")
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("on the disk: %v, %v", left, err)
	}
}

func TestUninstallLeavesK3sOfSomebodyElse(t *testing.T) {
	m := newMachine(t)
	m.has("usr/local/bin/k3s", "theirs")
	m.has("var/lib/rancher/k3s/server/db/state.db", "theirs")
	m.succeeds("install.sh", "--yes", "--keep-k3s")
	out := m.succeeds("uninstall.sh", "--yes")
	if !m.exists("usr/local/bin/k3s") || !m.exists("var/lib/rancher/k3s/server/db/state.db") {
		t.Error("it is gone")
	}
	if m.exists("opt/netmeta") || m.exists("usr/local/bin/cue") {
		t.Error("what is NetMeta's was left")
	}
	if !strings.Contains(out, "kubectl delete namespace") {
		t.Errorf("it does not say how to remove NetMeta from it:\n%s", out)
	}
	if strings.Contains(m.state()["calls"], "systemctl") {
		t.Errorf("it was touched:\n%s", m.state()["calls"])
	}
}
