package nflog

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
)

// The kernel is asked for a subsystem of netfilter that no kernel has, which it answers as
// it does for one whose module is missing.
func TestAMissingModuleIsNamed(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("NETMETA_REQUIRE") == "all" {
			t.Fatal("NETMETA_REQUIRE=all, but: asking netfilter needs root")
		}
		t.Skip("SKIPPED: asking netfilter needs root")
	}
	socket, err := netlink.Open(unix.NETLINK_NETFILTER, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	const noSubsystem = 200
	err = socket.Do(netlink.NewRequest(noSubsystem<<8, netlink.Family(unix.AF_UNSPEC, 5)), nil)
	if !errors.Is(err, unix.EINVAL) {
		t.Fatalf("the kernel answers %v, want EINVAL", err)
	}
	if said := explain(err, 5).Error(); !strings.Contains(said, "modprobe nfnetlink_log") {
		t.Errorf("it says %q", said)
	}
}

func TestAGroupIsGivenUpForTheNext(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("NETMETA_REQUIRE") == "all" {
			t.Fatal("NETMETA_REQUIRE=all, but: receiving from NFLOG needs root")
		}
		t.Skip("SKIPPED: receiving from NFLOG needs root")
	}
	const group = 64_123
	first, err := Open(group, 0)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(group, 0); err == nil {
		second.Close()
		t.Error("two have the same group")
	}
	first.Close()
	third, err := Open(group, 0)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}
