//go:build linux

package links

import (
	"net"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestEveryInterfaceOfTheHostIsReadWithItsName(t *testing.T) {
	read, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	byIndex := map[uint32]flow.Counters{}
	for _, c := range read {
		byIndex[c.Interface] = c
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		c := byIndex[uint32(i.Index)]
		if c.Name != i.Name || c.Status&statusAdminUp != 0 != (i.Flags&net.FlagUp != 0) {
			t.Errorf("interface %d: read %+v, want %s, flags %v", i.Index, c, i.Name, i.Flags)
		}
	}
}
