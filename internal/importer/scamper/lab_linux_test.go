package scamper_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/skiptest"
)

// chain makes network namespaces, each connected to the next by 10.79.N.0/24 and
// fd79:0:N::/64, and returns the name of the first. The last is reached through all others.
func chain(t *testing.T, namespaces int) string {
	t.Helper()
	skiptest.NeedRoot(t, "making network namespaces")
	name := func(i int) string { return fmt.Sprintf("netmeta-%d-t%d", os.Getpid(), i) }
	var script strings.Builder
	for i := range namespaces {
		if out, err := exec.Command("ip", "netns", "add", name(i)).CombinedOutput(); err != nil {
			skiptest.Missing(t, fmt.Sprintf("network namespaces cannot be made: %s", out))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name(i)).Run() })
		fmt.Fprintf(&script, "ip -n %[1]s link set lo up; ip netns exec %[1]s sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0\n", name(i))
	}
	for i := range namespaces - 1 {
		fmt.Fprintf(&script, `
			ip -n %[1]s link add right type veth peer name left netns %[2]s
			ip -n %[1]s addr add 10.79.%[3]d.1/24 dev right; ip -n %[1]s addr add fd79:0:%[3]d::1/64 dev right nodad; ip -n %[1]s link set right up
			ip -n %[2]s addr add 10.79.%[3]d.2/24 dev left; ip -n %[2]s addr add fd79:0:%[3]d::2/64 dev left nodad; ip -n %[2]s link set left up
			ip -n %[1]s route add default via 10.79.%[3]d.2; ip -n %[1]s -6 route add default via fd79:0:%[3]d::2
		`, name(i), name(i+1), i)
		for back := range i {
			fmt.Fprintf(&script, "ip -n %[1]s route add 10.79.%[2]d.0/24 via 10.79.%[3]d.1; ip -n %[1]s -6 route add fd79:0:%[2]d::/64 via fd79:0:%[3]d::1\n", name(i+1), back, i)
		}
	}
	if out, err := exec.Command("bash", "-euc", script.String()).CombinedOutput(); err != nil {
		t.Fatalf("connect the namespaces: %v\n%s", err, out)
	}
	return name(0)
}

// run runs a program and returns what it writes.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, said.String())
	}
	return string(out)
}

func TestRealScamperFindsTheKnownPath(t *testing.T) {
	program, toJSON := capturetest.Program(t, "scamper"), capturetest.Program(t, "sc_warts2json")
	monitor := chain(t, 5)
	measure := func(form string) string {
		path := filepath.Join(t.TempDir(), "measured."+form)
		args := []string{"netns", "exec", monitor, program, "-O", form, "-o", path, "-M", "lab", "-l", "known", "-L", "5", "-C", "6", "-p", "1000"}
		for _, command := range []string{
			"trace -P icmp-paris -q 1 -w 1 -U 1 10.79.3.2", "trace -P udp-paris -q 1 -w 1 -U 2 10.79.3.2", "trace -P icmp-paris -q 1 -w 1 -U 3 fd79:0:3::2",
			"ping -c 2 -i 0.1 -U 4 10.79.3.1", "ping -c 2 -i 0.1 -U 5 fd79:0:3::1",
		} {
			args = append(args, "-I", command)
		}
		run(t, "ip", args...)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	warts := measure("warts")
	path := filepath.Join(t.TempDir(), "warts")
	if err := os.WriteFile(path, []byte(warts), 0o600); err != nil {
		t.Fatal(err)
	}
	byUser := known(t, warts)
	byUser[0].Want(t, "Monitor=lab List=known ListID=5 CycleID=6 StopReason=completed")
	known(t, measure("json"))
	fromJSON, _ := decode(t, run(t, toJSON, path))
	fromWarts, _ := decode(t, warts)
	if diff := cmp.Diff(inBoth(fromJSON), inBoth(fromWarts)); diff != "" {
		t.Errorf("sc_warts2json reads something else (-JSON +warts):\n%s", diff)
	}
}

// known fails unless measurements have the path through the chain, and returns them by
// their user ids.
func known(t *testing.T, content string) (byUser [5]importertest.Flow) {
	t.Helper()
	traces, report := decode(t, content)
	if report.Sent != 5 || len(report.Skipped) != 0 {
		t.Fatalf("%d measurements are sent, and left out are %v", report.Sent, importertest.Reasons(report))
	}
	for _, f := range traces {
		for i := range byUser {
			if fmt.Sprint(f["UserID"]) == fmt.Sprint(i+1) {
				byUser[i] = f
			}
		}
	}
	for i, want := range []string{
		"Kind=TRACE Method=icmp-echo-paris SrcAddr=10.79.0.1 DstAddr=10.79.3.2 Replies=4 Sent=4",
		"Kind=TRACE Method=udp-paris SrcAddr=10.79.0.1 DstAddr=10.79.3.2 Replies=4 Sent=4",
		"Kind=TRACE Method=icmp-echo-paris SrcAddr=fd79::1 DstAddr=fd79:0:3::2 Replies=4 Sent=4",
		"Kind=PING Method=icmp-echo SrcAddr=10.79.0.1 DstAddr=10.79.3.1 Sent=2 Replies=2",
		"Kind=PING Method=icmp-echo SrcAddr=fd79::1 DstAddr=fd79:0:3::1 Sent=2 Replies=2",
	} {
		byUser[i].Want(t, want)
	}
	for i, want := range [][]any{
		{"10.79.0.2", "10.79.1.2", "10.79.2.2", "10.79.3.2"}, {"10.79.0.2", "10.79.1.2", "10.79.2.2", "10.79.3.2"},
		{"fd79::2", "fd79:0:1::2", "fd79:0:2::2", "fd79:0:3::2"},
	} {
		if diff := cmp.Diff(want, byUser[i]["HopAddress"]); diff != "" {
			t.Errorf("path of measurement %d (-want +got):\n%s", i+1, diff)
		}
		if got := texts(byUser[i]["HopTTL"]); strings.Join(got, " ") != "1 2 3 4" {
			t.Errorf("TTLs of measurement %d are %v", i+1, got)
		}
	}
	return byUser
}
