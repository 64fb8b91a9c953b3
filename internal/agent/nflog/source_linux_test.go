package nflog

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/skiptest"
)

// The kernel is asked for a subsystem of netfilter that no kernel has, which it answers as
// it does for one whose module is missing.
func TestAMissingModuleIsNamed(t *testing.T) {
	skiptest.NeedRoot(t, "asking netfilter")
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
	skiptest.NeedRoot(t, "receiving from NFLOG")
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
