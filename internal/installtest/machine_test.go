package installtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// tools are programs of the system that the scripts may use. Whatever else they would
// call is not found.
var tools = []string{
	"awk", "basename", "bash", "cat", "chmod", "chown", "cp", "curl", "cut", "dirname", "du", "env", "find", "grep", "gzip",
	"ln", "ls", "mkdir", "mktemp", "mv", "readlink", "realpath", "rm", "rmdir", "sed", "sh", "sha256sum", "sleep", "sort", "tar", "tr",
}

// k3s is what stands in for the program of k3s.
const k3s = `#!/bin/sh
case $1 in
--version) echo 'k3s version v1.36.4+k3s1 (0123abcd)' ;;
kubectl) echo 'node   Ready   control-plane   1m   v1.36.4+k3s1' ;;
esac
`

// goProgram is what stands in for Go: it writes what calls would have built.
const goProgram = `#!/bin/sh
mkdir -p "${XDG_CONFIG_HOME:-$HOME/.config}/go/telemetry" 2>/dev/null # as the real one does
echo "$0 $* GOPROXY=${GOPROXY:-}" >>"$LOG"
case $1 in
env) echo go1.26.8 ;;
build)
	while [ "$1" != -o ]; do shift; done
	printf '#!/bin/sh\necho "real cue: $*"\n' >"$2"
	;;
mod)
	mkdir -p "$GOMODCACHE/cache/download/cuelang.org/go/@v"
	echo module >"$GOMODCACHE/cache/download/cuelang.org/go/@v/v0.17.1.zip"
	;;
esac
`

// machine is one to install on.
type machine struct {
	t        *testing.T
	dir      string // of the test
	root     string // what --root names
	checkout string
	programs string // directory in PATH
	log      string // of calls that would have changed the machine

	mu        sync.Mutex
	served    map[string]string // what the server has, by path
	requested []string
	server    *httptest.Server
}

// newMachine returns one of Debian 12 that lacks nothing, with Go.
func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{
		t: t, dir: dir, root: filepath.Join(dir, "root"), checkout: filepath.Join(dir, "NetMeta"),
		programs: filepath.Join(dir, "programs"), log: filepath.Join(dir, "log"), served: map[string]string{},
	}
	m.server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.server.Close)

	for name, text := range map[string]string{
		"etc/os-release":                        "ID=debian\nVERSION_ID=\"12\"\n",
		"etc/group":                             "root:x:0:\nnetops:x:1001:\n",
		"proc/meminfo":                          "MemTotal:       16303428 kB\nMemFree:        100 kB\n",
		"proc/net/tcp":                          "  sl  local_address rem_address   st\n",
		"proc/net/udp":                          "   sl  local_address rem_address   st\n",
		"proc/self/mounts":                      "/dev/sda1 / ext4 rw 0 0\n",
		"sys/fs/cgroup/cgroup.controllers":      "cpuset cpu io memory hugetlb pids\n",
		"sys/module/overlay/initstate":          "live\n",
		"sys/module/br_netfilter/initstate":     "live\n",
		"sys/module/vxlan/initstate":            "live\n",
		"run/systemd/system/.keep":              "",
		"home/operator/.bashrc":                 "# not NetMeta's\n",
		"etc/rancher/k3s/config.yaml":           "# of somebody else\n",
		"usr/local/bin/backup":                  "#!/bin/sh\n",
		"var/lib/other/data":                    "not NetMeta's\n",
		"etc/systemd/system/other.service":      "[Service]\n",
		"etc/rancher/k3s/registries.yaml":       "mirrors: {}\n",
		"var/tmp/of-somebody-else/file":         "\n",
		"sys/class/net/lo/address":              "00:00:00:00:00:00\n",
		"opt/other/program":                     "\n",
		"usr/local/share/keep":                  "\n",
		"sys/fs/cgroup/user.slice/cgroup.procs": "\n",
	} {
		write(t, filepath.Join(m.root, name), text, 0o644)
	}

	for _, tool := range tools {
		found, err := exec.LookPath(tool)
		if err != nil {
			t.Fatalf("the test needs %s: %v", tool, err)
		}
		link(t, found, filepath.Join(m.programs, tool))
	}
	m.program("id", "#!/bin/sh\necho 0\n")
	m.program("uname", "#!/bin/sh\necho x86_64\n")
	m.program("df", "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho '/dev/sda1 500000000 1 400000000 1% /'\n")
	// Services are active when they were started, or a file says so.
	m.program("systemctl", `#!/bin/sh
case $1 in
is-active | is-enabled) for last; do :; done; [ -e "$STATE/$last" ] ;;
*) echo "systemctl $*" >>"$LOG" ;;
esac || exit 3
case "$1 $2" in
"restart k3s") : >"$STATE/k3s" ;;
"disable --quiet") rm -f "$STATE/k3s" ;;
esac
`)
	m.program("modprobe", "#!/bin/sh\nexit 1\n")
	m.program("umount", "#!/bin/sh\necho \"umount $*\" >>\"$LOG\"\n")
	m.program("ip", "#!/bin/sh\necho \"ip $*\" >>\"$LOG\"\n")
	m.program("go", goProgram)

	m.copyCheckout()
	return m
}

// copyCheckout copies the scripts, with tables that name the local server.
func (m *machine) copyCheckout() {
	m.t.Helper()
	for _, name := range []string{
		"install.sh", "uninstall.sh", "go.mod", "scripts/containers/go.mod", "toolbox/go.mod", "scripts/operators.sh", "scripts/install/cue.sh", "scripts/install/files.sh",
		"scripts/install/k3s.sh", "scripts/install/machine.sh", "scripts/install/places.sh",
	} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			m.t.Fatal(err)
		}
		write(m.t, filepath.Join(m.checkout, name), string(text), 0o755)
	}
	var files, operators strings.Builder
	for _, arch := range []string{"amd64", "arm64"} {
		for name, text := range map[string]string{"k3s": k3s, "k3s-images": "images " + arch, "go": toolchain(m.t)} {
			version := map[string]string{"go": "1.26.8"}[name]
			if version == "" {
				version = "v1.36.4+k3s1"
			}
			fmt.Fprintf(&files, "%s\t%s\t%s\t%s\t%x\n", name, version, arch, m.offer(name+"-"+arch, text), sha256.Sum256([]byte(text)))
		}
	}
	for _, operator := range []string{"strimzi", "clickhouse-operator"} {
		text := "kind: Deployment # " + operator + "\n"
		fmt.Fprintf(&operators, "%s\t1.0\t%s\t%x\n", operator, m.offer(operator+".yaml", text), sha256.Sum256([]byte(text)))
	}
	write(m.t, filepath.Join(m.checkout, "scripts/install/files.tsv"), files.String(), 0o644)
	write(m.t, filepath.Join(m.checkout, "scripts/operators.tsv"), operators.String(), 0o644)
}

// toolchain is an archive as Go's are.
func toolchain(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	archive := tar.NewWriter(compressed)
	for _, file := range []struct {
		name, text string
		mode       int64
	}{
		{"bin/go", goProgram, 0o755}, {"pkg/tool/linux_amd64/compile", "#!/bin/sh\n", 0o755}, {"VERSION", "go1.26.8\n", 0o644},
	} {
		err := archive.WriteHeader(&tar.Header{Name: "go/" + file.name, Mode: file.mode, Size: int64(len(file.text))})
		if err == nil {
			_, err = archive.Write([]byte(file.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// offer makes the server have a file, and returns its address.
func (m *machine) offer(name, text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.served["/"+name] = text
	return m.server.URL + "/" + name
}

func (m *machine) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requested = append(m.requested, path.Base(r.URL.Path))
	text, ok := m.served[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	fmt.Fprint(w, text)
}

// program puts one into PATH.
func (m *machine) program(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.programs, name)
	if err := os.RemoveAll(file); err != nil {
		m.t.Fatal(err)
	}
	write(m.t, file, text, 0o755)
}

// without takes programs out of PATH.
func (m *machine) without(names ...string) {
	m.t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(m.programs, name)); err != nil {
			m.t.Fatal(err)
		}
	}
}

// has writes a file of the machine.
func (m *machine) has(name, text string) {
	m.t.Helper()
	write(m.t, filepath.Join(m.root, name), text, 0o755)
}

// serviceIsActive makes systemctl say so.
func (m *machine) serviceIsActive(name string) {
	m.t.Helper()
	write(m.t, filepath.Join(m.dir, "state", name), "", 0o644)
}

// run runs a script of the checkout on the machine.
func (m *machine) run(script string, args ...string) (string, error) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Join(m.dir, "state"), 0o755); err != nil {
		m.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(m.checkout, script), append(args, "--root", m.root)...)
	cmd.Dir = m.dir
	cmd.Env = []string{
		"PATH=" + m.programs, "LOG=" + m.log, "STATE=" + filepath.Join(m.dir, "state"),
		"HOME=" + filepath.Join(m.root, "home/operator"), "NETMETA_POLL=0.01", "NETMETA_TIMEOUT=10",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// succeeds runs a script that has to.
func (m *machine) succeeds(script string, args ...string) string {
	m.t.Helper()
	out, err := m.run(script, args...)
	if err != nil {
		m.t.Fatalf("%s %s: %v\n%s", script, strings.Join(args, " "), err, out)
	}
	return out
}

// refuses runs a script that has to fail, say why, and change nothing.
func (m *machine) refuses(script string, args []string, want ...string) {
	m.t.Helper()
	before := m.state()
	out, err := m.run(script, args...)
	if err == nil {
		m.t.Errorf("%s %s succeeded:\n%s", script, strings.Join(args, " "), out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			m.t.Errorf("it does not say %q:\n%s", w, out)
		}
	}
	m.unchanged(before)
}

// state is all that there is on the machine and in the checkout.
func (m *machine) state() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	for _, top := range []string{m.root, m.checkout} {
		err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			short := strings.TrimPrefix(name, m.dir+"/")
			info, err := entry.Info()
			if err != nil {
				return err
			}
			switch {
			case entry.IsDir():
				all[short] = "directory"
			case info.Mode()&fs.ModeSymlink != 0:
				all[short], err = os.Readlink(name)
			default:
				var text []byte
				text, err = os.ReadFile(name)
				all[short] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(text))
			}
			return err
		})
		if err != nil {
			m.t.Fatal(err)
		}
	}
	if calls, err := os.ReadFile(m.log); err == nil {
		// Asking Go for its version changes nothing.
		if changes := regexp.MustCompile(`(?m)^.*/go env .*\n`).ReplaceAllString(string(calls), ""); changes != "" {
			all["calls"] = changes
		}
	}
	return all
}

// unchanged says what is not as it was.
func (m *machine) unchanged(before map[string]string) {
	m.t.Helper()
	after := m.state()
	for name, was := range before {
		if after[name] != was {
			m.t.Errorf("%s was %q and is %q", name, was, after[name])
		}
	}
	for name, is := range after {
		if _, ok := before[name]; !ok {
			m.t.Errorf("%s is new: %q", name, is)
		}
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

func (m *machine) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(m.root, name))
	return err == nil
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}
