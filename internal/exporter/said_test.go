package exporter

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestBootIsTheLastThatWasSaid(t *testing.T) {
	state := NewTable(Config{}).Get(spoofed(1), start)
	for _, boot := range []uint64{1_000, 2_000, 0} {
		state.SetBoot(1, boot)
	}
	if boot := state.Boot(1); boot != 2_000 {
		t.Errorf("boot is %d, want 2000", boot)
	}
	if boot := state.Boot(2); boot != 0 {
		t.Errorf("boot of another domain is %d, want none", boot)
	}
}

func TestBootsOfOneExporterAreBounded(t *testing.T) {
	table := NewTable(Config{MaxSamplers: 10})
	state := table.Get(spoofed(1), start)
	before := int(testutil.ToFloat64(bootsCapacity))
	for domain := range uint32(1000) {
		state.SetBoot(domain, 1_000)
		state.SetBoot(domain, 2_000)
	}
	if n := state.boots.len(); n != 10 {
		t.Errorf("%d are kept, want 10", n)
	}
	if evicted := int(testutil.ToFloat64(bootsCapacity)) - before; evicted != 990 {
		t.Errorf("%d evictions were counted, want 990", evicted)
	}
	if want := stateBytes + keptBytes + 10*bootBytes; state.charged != want {
		t.Errorf("%d bytes are charged, want %d", state.charged, want)
	}
}
