package installtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/skiptest"
)

// TestInAFreshDebianWithoutNetwork runs the scripts on a system as it is after
// installing, with its own programs. Only systemd, k3s and Go are stand-ins.
func TestInAFreshDebianWithoutNetwork(t *testing.T) {
	if _, err := exec.LookPath("debootstrap"); err != nil {
		t.Fatal("debootstrap is missing: scripts/test.sh installs it")
	}
	skiptest.NeedRoot(t, "making a system to install on")
	m := newMachine(t)
	m.succeeds("install.sh", "fetch", filepath.Join(m.dir, "prefetched"))
	debian := filepath.Join(m.dir, "debian")
	// In a namespace of its own, so that nothing stays mounted.
	out, err := exec.Command("unshare", "--mount", "debootstrap", "--variant=minbase", "bookworm", debian).CombinedOutput()
	if err != nil {
		t.Fatalf("debootstrap: %v\n%s", err, out)
	}

	if err := os.RemoveAll(filepath.Join(m.checkout, ".build")); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{m.checkout: "root/NetMeta", filepath.Join(m.dir, "prefetched"): "root/prefetched"} {
		if err := os.Rename(from, filepath.Join(debian, to)); err != nil {
			t.Fatal(err)
		}
	}
	systemctl, err := os.ReadFile(filepath.Join(m.programs, "systemctl"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"usr/bin/systemctl":                string(systemctl),
		"run/systemd/system/.keep":         "",
		"sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
		"sys/module/overlay/x":             "",
		"sys/module/br_netfilter/x":        "",
		"sys/module/vxlan/x":               "",
	} {
		write(t, filepath.Join(debian, name), text, 0o755)
	}
	run := func(command, want string) {
		t.Helper()
		cmd := exec.Command("unshare", "--mount", "--net", "sh", "-c", `mount -t proc proc "$0/proc" &&
exec chroot "$0" env -i HOME=/root LOG=/root/log STATE=/root PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd /root/NetMeta && $1"`, debian, command)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%s: %v, want %q:\n%s", command, err, want, out)
		}
	}
	// The memory and disk are those of the machine that tests.
	const install = "./install.sh --yes --offline /root/prefetched --skip-check memory --skip-check disk"
	flows := filepath.Join(debian, "var/lib/rancher/k3s/storage/pvc-1_netmeta_flows/flows")

	run(install, "Done.")
	run(install, "nothing to do")
	run("cue apply ./...", "real cue: cmd apply ./...")
	run("kubectl kubectl", "Ready")
	write(t, flows, "flows", 0o644)
	run("./uninstall.sh --yes --keep-data", "It keeps all data")
	if _, err := os.Stat(flows); err != nil {
		t.Error(err)
	}
	run(install, "Done.")
	run("./uninstall.sh --yes", "All data GOES")
	for _, name := range []string{"var/lib/rancher", "etc/rancher", "opt/netmeta", "usr/local/bin/k3s", "usr/local/bin/cue", "usr/local/bin/kubectl", "root/.config", "root/go"} {
		if _, err := os.Lstat(filepath.Join(debian, name)); err == nil {
			t.Errorf("/%s was left", name)
		}
	}
}
