package installtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestInstallsAndASecondRunChangesNothing(t *testing.T) {
	m := newMachine(t)
	out := m.succeeds("install.sh", "--yes")
	if m.read("usr/local/bin/k3s") != k3s {
		t.Error("k3s is not what was served")
	}
	for name, want := range map[string]string{
		"etc/systemd/system/k3s.service":             "ExecStart=/usr/local/bin/k3s server",
		"etc/rancher/k3s/config.yaml.d/netmeta.yaml": "secrets-encryption: true",
		"opt/netmeta/bin/cue":                        "real cue",
		"usr/local/bin/cue":                          "/opt/netmeta/bin/cue cmd",
	} {
		if !strings.Contains(m.read(name), want) {
			t.Errorf("%s does not have %q:\n%s", name, want, m.read(name))
		}
		if !strings.Contains(out, filepath.Join(m.root, name)) {
			t.Errorf("it wrote %s without saying so:\n%s", name, out)
		}
	}
	if to, err := os.Readlink(filepath.Join(m.root, "usr/local/bin/kubectl")); err != nil || to != "k3s" {
		t.Errorf("kubectl is %q, %v", to, err)
	}
	calls := m.state()["calls"]
	if !strings.Contains(calls, "systemctl enable --quiet k3s\nsystemctl restart k3s\n") {
		t.Errorf("k3s was not started:\n%s", calls)
	}
	if m.exists("opt/netmeta/go1.26.8") {
		t.Error("it unpacked a Go, with one there")
	}

	before, requests := m.state(), len(m.requested)
	out = m.succeeds("install.sh") // and does not ask
	m.unchanged(before)
	if len(m.requested) != requests {
		t.Errorf("the second run fetched %q", m.requested[requests:])
	}
	if !strings.Contains(out, "nothing to do") {
		t.Errorf("it does not say that there was nothing to do:\n%s", out)
	}
}

func TestTouchesNothingOutsideOfWhatItLists(t *testing.T) {
	m := newMachine(t)
	before := m.state()
	m.succeeds("install.sh", "--yes")
	listed := regexp.MustCompile(`^(calls|NetMeta/\.build(/.*)?|root/(opt/netmeta(/.*)?|usr/local/bin/(k3s|kubectl|cue)|etc/systemd/system/k3s\.service|etc/rancher/k3s/config\.yaml\.d(/netmeta\.yaml)?))$`)
	after := m.state()
	for name, is := range after {
		if before[name] != is && !listed.MatchString(name) {
			t.Errorf("%s was %q and is %q", name, before[name], is)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	m := newMachine(t)
	m.program("id", "#!/bin/sh\necho 1000\n") // anybody may look
	before := m.state()
	out := m.succeeds("install.sh", "--dry-run")
	m.unchanged(before)
	if len(m.requested) > 0 {
		t.Errorf("it fetched %q", m.requested)
	}
	for _, want := range []string{"/usr/local/bin/k3s", "/etc/systemd/system/k3s.service", "start k3s", "cue", "operators", "download " + m.server.URL + "/k3s-amd64"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestAsksBeforeItDoesAnything(t *testing.T) {
	m := newMachine(t)
	m.refuses("install.sh", nil, "--yes")
}

func TestFileWithAWrongChecksumIsRefusedAndNothingIsLeft(t *testing.T) {
	for _, name := range []string{"k3s-amd64", "go-amd64", "strimzi.yaml"} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.without("go")
			m.offer(name, "something else")
			before := m.state()
			out, err := m.run("install.sh", "--yes")
			if err == nil || !strings.Contains(out, "SHA-256") {
				t.Errorf("%v, want a refusal that speaks of SHA-256:\n%s", err, out)
			}
			for name, is := range m.state() {
				if _, ok := before[name]; !ok && strings.HasPrefix(name, "root/") && is != "directory" {
					t.Errorf("%s was left: %s", name, is)
				}
			}
			for _, name := range []string{"usr/local/bin/k3s", "opt/netmeta", "etc/systemd/system/k3s.service"} {
				if m.exists(name) {
					t.Errorf("there is %s", name)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(m.root, "var/tmp/netmeta-install.*")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

func TestWhatTheMachineLacksIsNamedWithItsMend(t *testing.T) {
	for _, c := range []struct {
		lack string
		make func(m *machine)
		want []string
	}{
		{"root", func(m *machine) { m.program("id", "#!/bin/sh\necho 1000\n") }, []string{"PROBLEM (root)", "sudo ./install.sh"}},
		{"memory", func(m *machine) { m.has("proc/meminfo", "MemTotal: 4025000 kB\n") }, []string{"PROBLEM (memory)", "3930 MiB"}},
		{"disk", func(m *machine) { m.program("df", "#!/bin/sh\necho Heading\necho '/dev/sda1 9 1 8000000 1% /'\n") }, []string{"PROBLEM (disk)", "7 GiB"}},
		{"cgroups of version 2", func(m *machine) { m.remove("sys/fs/cgroup/cgroup.controllers") }, []string{"PROBLEM (cgroups)", "systemd.unified_cgroup_hierarchy=1"}},
		{"cgroups of version 2 on RHEL", func(m *machine) {
			m.remove("sys/fs/cgroup/cgroup.controllers")
			m.program("grubby", "#!/bin/sh\n")
		}, []string{"PROBLEM (cgroups)", "grubby --update-kernel=ALL"}},
		{"memory in cgroups", func(m *machine) { m.has("sys/fs/cgroup/cgroup.controllers", "cpu pids\n") }, []string{"PROBLEM (cgroups)", "memory", "cgroup_enable=memory"}},
		{"a known system", func(m *machine) { m.has("etc/os-release", "ID=debian\nVERSION_ID=10\n") }, []string{"PROBLEM (system)", "debian 10", "--skip-check system"}},
		{"a known processor", func(m *machine) { m.program("uname", "#!/bin/sh\necho riscv64\n") }, []string{"riscv64"}},
		{"systemd", func(m *machine) { m.remove("run/systemd") }, []string{"PROBLEM (system)", "systemd"}},
		{"curl", func(m *machine) { m.without("curl") }, []string{"PROBLEM (tools)", "apt-get install -y curl"}},
		{"tar, without Go", func(m *machine) { m.without("tar", "go") }, []string{"PROBLEM (tools)", "apt-get install -y tar"}},
		{"a module of the kernel", func(m *machine) { m.remove("sys/module/vxlan") }, []string{"PROBLEM (modules)", "vxlan", "kernel-modules-extra"}},
		{"a port of the frontend", func(m *machine) {
			m.has("proc/net/tcp", "  sl  local_address rem_address   st\n   0: 00000000:01BB 00000000:0000 0A 0\n")
		}, []string{"PROBLEM (ports)", "tcp/443", "ss -lntup"}},
		{"a port for flows, by IPv6", func(m *machine) {
			m.has("proc/net/udp6", "  sl  local_address rem_address   st\n   0: 00000000000000000000000000000000:18C7 00000000000000000000000000000000:0000 07 0\n")
		}, []string{"PROBLEM (ports)", "udp/6343"}},
		{"a port of Kubernetes", func(m *machine) {
			m.has("proc/net/tcp", "  sl  local_address rem_address   st\n   0: 0100007F:192B 00000000:0000 0A 0\n")
		}, []string{"PROBLEM (kubernetes-ports)", "tcp/6443"}},
		{"a way through firewalld", func(m *machine) {
			m.serviceIsActive("firewalld")
			m.program("firewall-cmd", "#!/bin/sh\nexit 1\n")
		}, []string{"PROBLEM (firewall)", "firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16"}},
		{"a way through ufw", func(m *machine) {
			m.program("ufw", "#!/bin/sh\necho 'Status: active'\n")
		}, []string{"PROBLEM (firewall)", "ufw allow from 10.42.0.0/16"}},
		{"a way through nftables", func(m *machine) {
			m.program("nft", "#!/bin/sh\nprintf 'table inet filter {\\n\\ttype filter hook forward priority filter; policy drop;\\n'\n")
		}, []string{"PROBLEM (firewall)", `iifname "cni0" accept`}},
		{"rules of SELinux", func(m *machine) {
			m.has("etc/os-release", "ID=rocky\nVERSION_ID=9.6\n")
			m.program("getenforce", "#!/bin/sh\necho Enforcing\n")
			m.program("rpm", "#!/bin/sh\nexit 1\n")
		}, []string{"PROBLEM (selinux)", "dnf install -y k3s-selinux", "common/centos/9/noarch"}},
		{"routes that stay", func(m *machine) { m.serviceIsActive("nm-cloud-setup.service") }, []string{"PROBLEM (network-manager)", "systemctl disable --now nm-cloud-setup"}},
	} {
		t.Run(c.lack, func(t *testing.T) {
			m := newMachine(t)
			c.make(m)
			m.refuses("install.sh", []string{"--yes"}, c.want...)
			if len(m.requested) > 0 {
				t.Errorf("it fetched %q", m.requested)
			}
		})
	}
}

func TestSystemsThatAreSupportedPassTheChecks(t *testing.T) {
	for _, release := range []string{
		"ID=debian\nVERSION_ID=12", "ID=debian\nVERSION_ID=13", "ID=ubuntu\nVERSION_ID=22.04", "ID=ubuntu\nVERSION_ID=24.04",
		"ID=rhel\nVERSION_ID=8.10", "ID=rocky\nVERSION_ID=8.10", "ID=rhel\nVERSION_ID=9.6", "ID=rocky\nVERSION_ID=10.0", "ID=fedora\nVERSION_ID=44",
	} {
		for _, processor := range []string{"x86_64", "aarch64"} {
			m := newMachine(t)
			m.has("etc/os-release", release+"\n")
			m.program("uname", "#!/bin/sh\necho "+processor+"\n")
			m.succeeds("install.sh", "--dry-run")
		}
	}
}

func TestFirewallThatLetsPodsThroughPasses(t *testing.T) {
	for _, c := range []struct{ program, says string }{
		{"ufw", "Status: active\nAnywhere ALLOW 10.42.0.0/16"},
		{"nft", "table inet filter {\n\ttype filter hook input priority filter; policy drop;\n\tiifname cni0 accept"},
		// Docker, of which k3s takes care itself.
		{"nft", "table ip filter {\n\ttype filter hook forward priority filter; policy drop;"},
	} {
		m := newMachine(t)
		m.program(c.program, "#!/bin/sh\ncat <<'END'\n"+c.says+"\nEND\n")
		m.succeeds("install.sh", "check")
	}
}

func TestCheckCanBeSkippedByName(t *testing.T) {
	m := newMachine(t)
	m.has("etc/os-release", "ID=arch\n")
	if out := m.succeeds("install.sh", "--dry-run", "--skip-check", "system"); !strings.Contains(out, "skipped: this is arch") {
		t.Errorf("it does not say what was skipped:\n%s", out)
	}
}

func TestWithoutGoAPrivateOneIsUnpacked(t *testing.T) {
	for name, before := range map[string]func(m *machine){
		"none": func(m *machine) { m.without("go") },
		"one that is too old": func(m *machine) {
			m.program("go", "#!/bin/sh\necho go1.19.8\n")
			m.has("usr/local/go/bin/go", "#!/bin/sh\necho go1.15.6\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			before(m)
			m.succeeds("install.sh", "--yes")
			for _, program := range []string{"bin/go", "pkg/tool/linux_amd64/compile"} {
				info, err := os.Stat(filepath.Join(m.root, "opt/netmeta/go1.26.8", program))
				if err != nil || info.Mode().Perm() != 0o755 {
					t.Errorf("%s: %v, %v", program, info, err)
				}
			}
			if !strings.Contains(m.state()["calls"], "opt/netmeta/go1.26.8/bin/go build") {
				t.Errorf("cue was not built by it:\n%s", m.state()["calls"])
			}
			if m.exists("usr/local/go") && !strings.Contains(m.read("usr/local/go/bin/go"), "go1.15.6") {
				t.Error("the Go that was there has changed")
			}
		})
	}
}

func TestGoThatIsBrokenIsNotOverwritten(t *testing.T) {
	m := newMachine(t)
	m.without("go")
	m.has("opt/netmeta/go1.26.8/bin/go", "#!/bin/sh\nexit 1\n")
	m.refuses("install.sh", []string{"--yes"}, "opt/netmeta/go1.26.8", "remove it")
}

func TestOfflineRunFetchesNothing(t *testing.T) {
	m := newMachine(t)
	prefetched := filepath.Join(m.dir, "prefetched")
	m.succeeds("install.sh", "fetch", prefetched)
	requests := len(m.requested)

	m.without("curl", "go")
	if err := os.RemoveAll(filepath.Join(m.checkout, ".build")); err != nil {
		t.Fatal(err)
	}
	m.succeeds("install.sh", "--yes", "--offline", prefetched)
	if len(m.requested) != requests {
		t.Errorf("it fetched %q", m.requested[requests:])
	}
	if calls := m.state()["calls"]; !regexp.MustCompile(`go build .* GOPROXY=file://` + regexp.QuoteMeta(prefetched) + `/modules/cache/download,off\n`).MatchString(calls) {
		t.Errorf("modules were not taken from the directory alone:\n%s", calls)
	}
	if m.read("usr/local/bin/k3s") != k3s || m.read("var/lib/rancher/k3s/agent/images/netmeta-k3s-images.tar.zst") != "images amd64" {
		t.Error("k3s or its images are not those of the directory")
	}
	before := m.state()
	m.succeeds("install.sh", "--yes", "--offline", prefetched)
	m.unchanged(before)
}

func TestOfflineFileThatIsMissingOrChangedIsRefused(t *testing.T) {
	m := newMachine(t)
	prefetched := filepath.Join(m.dir, "prefetched")
	m.succeeds("install.sh", "fetch", prefetched)
	file := filepath.Join(prefetched, "k3s-v1.36.4+k3s1-amd64")
	write(t, file, "something else", 0o644)
	m.refuses("install.sh", []string{"--yes", "--offline", prefetched}, "SHA-256", file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	m.refuses("install.sh", []string{"--yes", "--offline", prefetched}, file+" is missing", "install.sh fetch")
}

func TestListNamesWhatIsFetched(t *testing.T) {
	m := newMachine(t)
	out := m.succeeds("install.sh", "list", "--architecture", "arm64")
	for _, want := range []string{"/k3s-arm64", "/k3s-images-arm64", "/go-arm64", "/strimzi.yaml", "Go modules"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not list %s:\n%s", want, out)
		}
	}
}

func TestK3sOfSomebodyElseIsLeftAlone(t *testing.T) {
	m := newMachine(t)
	m.has("usr/local/bin/k3s", "#!/bin/sh\n# theirs\n")
	m.refuses("install.sh", []string{"--yes"}, "--keep-k3s")
	m.succeeds("install.sh", "--yes", "--keep-k3s")
	if m.read("usr/local/bin/k3s") != "#!/bin/sh\n# theirs\n" || strings.Contains(m.state()["calls"], "systemctl") {
		t.Error("it was touched")
	}
}

func TestK3sIsReplacedByOneMinorVersionAtMost(t *testing.T) {
	for _, c := range []struct{ have, want string }{
		{"v1.36.2+k3s1", ""}, {"v1.35.9+k3s1", ""}, {"v1.34.1+k3s1", "more than one minor version"}, {"v1.37.0+k3s1", "does not go back"},
	} {
		m := newMachine(t)
		m.succeeds("install.sh", "--yes")
		m.has("usr/local/bin/k3s", "#!/bin/sh\necho 'k3s version "+c.have+" (1)'\n")
		if c.want != "" {
			m.refuses("install.sh", []string{"--yes"}, c.have, c.want)
			continue
		}
		m.succeeds("install.sh", "--yes")
		if m.read("usr/local/bin/k3s") != k3s || strings.Count(m.state()["calls"], "restart k3s") != 2 {
			t.Errorf("%s was not replaced and restarted", c.have)
		}
	}
}

func TestK3sThatDoesNotBecomeReadySaysWhereToLook(t *testing.T) {
	m := newMachine(t)
	m.program("systemctl", "#!/bin/sh\n[ \"$1\" = restart ] && exit 1\n[ \"$1\" != is-active ] && [ \"$1\" != is-enabled ]\n")
	out, err := m.run("install.sh", "--yes")
	if err == nil || !strings.Contains(out, "journalctl -u k3s") || !strings.Contains(out, "goes on from here") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestGroupMayUseKubectl(t *testing.T) {
	m := newMachine(t)
	m.refuses("install.sh", []string{"--yes", "--group", "nobodys"}, "groupadd nobodys")
	m.succeeds("install.sh", "--yes", "--group", "netops")
	if settings := m.read("etc/rancher/k3s/config.yaml.d/netmeta.yaml"); !strings.Contains(settings, `write-kubeconfig-group: "netops"`) || !strings.Contains(settings, `write-kubeconfig-mode: "0640"`) {
		t.Error(settings)
	}
}

func TestCueKnowsTheCommandsOfTheReadme(t *testing.T) {
	m := newMachine(t)
	m.succeeds("install.sh", "--yes")
	program := filepath.Join(m.dir, "cue")
	write(t, program, strings.ReplaceAll(m.read("usr/local/bin/cue"), "/opt/netmeta", filepath.Join(m.root, "opt/netmeta")), 0o755)
	for args, want := range map[string]string{
		"apply ./...": "cmd apply ./...", "apply-prune ./...": "cmd apply-prune ./...", "diff ./...": "cmd diff ./...", "dump ./...": "cmd dump ./...",
		"cmd apply ./...": "cmd apply ./...", "vet -c ./...": "vet -c ./...", "eval -c ./...": "eval -c ./...",
	} {
		out, err := exec.Command(program, strings.Fields(args)...).CombinedOutput()
		if err != nil || string(out) != "real cue: "+want+"\n" {
			t.Errorf("cue %s: %q, %v, want %q", args, out, err, want)
		}
	}
}

func TestAnotherCueAndKubectlStay(t *testing.T) {
	m := newMachine(t)
	m.has("usr/local/bin/cue", "theirs")
	m.has("usr/local/bin/kubectl", "theirs")
	out := m.succeeds("install.sh", "--yes")
	if m.read("usr/local/bin/cue") != "theirs" || m.read("usr/local/bin/kubectl") != "theirs" {
		t.Error("they were replaced")
	}
	for _, want := range []string{"opt/netmeta/bin/cue", "KUBECONFIG="} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// TestFilesArePinned looks at the table that is shipped.
func TestFilesArePinned(t *testing.T) {
	file, err := os.Open("../../scripts/install/files.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	row := regexp.MustCompile(`^(k3s|k3s-images|go)\t(v?[0-9][0-9.+k3s]*)\t(amd64|arm64)\thttps://\S+\t[0-9a-f]{64}$`)
	var have, sums []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		match := row.FindStringSubmatch(lines.Text())
		if match == nil {
			t.Errorf("a row that is not as it should be: %s", lines.Text())
			continue
		}
		have = append(have, match[1]+" "+match[3])
		if !strings.Contains(strings.ReplaceAll(lines.Text(), "%2B", "+"), match[2]+"/") && match[1] != "go" {
			t.Errorf("the address is not of version %s: %s", match[2], lines.Text())
		}
		sum := lines.Text()[len(lines.Text())-64:]
		if slices.Contains(sums, sum) {
			t.Errorf("two files with one sum: %s", sum)
		}
		sums = append(sums, sum)
	}
	slices.Sort(have)
	if want := []string{"go amd64", "go arm64", "k3s amd64", "k3s arm64", "k3s-images amd64", "k3s-images arm64"}; !slices.Equal(have, want) {
		t.Errorf("there are %q, want %q", have, want)
	}
}

func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.root, name)); err != nil {
		m.t.Fatal(err)
	}
}
