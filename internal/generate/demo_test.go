package generate

import (
	"net/netip"
	"testing"
)

func TestDemoSharesNoNetFlowAddressWithOtherExporters(t *testing.T) {
	demo := map[netip.Addr]bool{}
	for _, p := range demoProfiles() {
		demo[p.address] = true
	}
	for i := range MaxExporters {
		if address := sourceAddress(netip.MustParseAddr("127.0.0.1"), i); demo[address] {
			t.Errorf("exporter %d sends from %s, as the demo does", i, address)
		}
	}
}
