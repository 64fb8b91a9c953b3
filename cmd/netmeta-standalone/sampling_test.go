package main

import (
	"fmt"
	"testing"
	"time"
)

// The sampling rate is told in three ways: in the header of v5, in options data that
// names no sampler, and in options data about the sampler that records name.
func TestExportersThatSampleAreStoredWithTheirRate(t *testing.T) {
	i := start(t, t.TempDir())
	for n, e := range []struct {
		name       string
		flowType   string
		export     exportFunc
		address    string
		rateSource string
	}{
		{"softflowd NetFlow v5", "NETFLOW_V5", softflowd("-v", "5", "-s", "10"), host, "packet"},
		{"softflowd NetFlow v9", "NETFLOW_V9", softflowd("-v", "9", "-s", "10"), host, "options"},
		{"softflowd IPFIX", "IPFIX", softflowd("-v", "10", "-s", "10"), host, "options"},
		{"pmacctd NetFlow v9", "NETFLOW_V9", nfprobe("9", nine, "sampling_rate: 10"), nine, "options"},
		{"pmacctd IPFIX", "IPFIX", nfprobe("10", ten, "sampling_rate: 10"), ten, "options"},
	} {
		t.Run(e.name, func(t *testing.T) {
			if e.address != host {
				t.Parallel()
			}
			site := byte(n + 1)
			e.export(t, record(t, traffic(site), time.Now().Add(-2*time.Minute)), i.NetFlow)
			// Which packets are taken is left to chance; that there are some is not.
			i.waitFor(t, fmt.Sprintf("10\t%s\t::ffff:%s", e.rateSource, e.address), fmt.Sprintf(`
				SELECT DISTINCT SamplingRate, SamplingRateSource, SamplerAddress FROM flows_raw
				WHERE FlowType = '%s' AND startsWith(toString(SrcAddr), '::ffff:198.18.%d.')`, e.flowType, site))
		})
	}
}

func TestExportersThatTakeEveryTenthPacketAddUpToAllOfThem(t *testing.T) {
	i := start(t, t.TempDir())
	conversations := traffic(1)
	packets := len(filler.packets)
	for _, c := range conversations {
		packets += len(c.packets)
	}
	softflowd("-v", "9", "-s", "10")(t, record(t, conversations, time.Now().Add(-2*time.Minute)), i.NetFlow)
	i.waitFor(t, "1", fmt.Sprintf("SELECT sum(Packets * SamplingRate) BETWEEN %d AND %d FROM flows_raw", packets-9, packets+9))
}
