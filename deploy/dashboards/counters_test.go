package dashboards_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// The interface that has counters: flows come in and leave by it.
const (
	countedExporter  = "192.0.2.1"
	countedInterface = 3
	countedSpeed     = 1e9
	countedKey       = "192.0.2.1/3"
)

// A counter sample is what an agent says of the interface. Agents send one every 30 seconds.
type counterSample struct {
	at                          int64
	in, out                     uint64 // bytes
	inPackets, outPackets       uint32
	inDiscards, outErrors       uint32
	sequence, uptimeMillisecond uint32
}

// testCounters are of more than the time range. The counters of packets wrap in it.
var testCounters = func() []counterSample {
	c := counterSample{at: testFrom.Unix() - 53, in: 1e12, out: 2e12, inPackets: 4294960000, outPackets: 7, sequence: 100, uptimeMillisecond: 5_000_000}
	samples := []counterSample{c}
	for i := range uint64(70) {
		c.at, c.sequence, c.uptimeMillisecond = c.at+30, c.sequence+1, c.uptimeMillisecond+30_000
		c.in, c.out = c.in+3_000_000+i*1000, c.out+600_000
		c.inPackets, c.outPackets = c.inPackets+3000+uint32(i), c.outPackets+900
		c.inDiscards, c.outErrors = c.inDiscards+uint32(i%3), c.outErrors+1
		samples = append(samples, c)
	}
	return samples
}()

func insertCounters(t *testing.T, db *sql.DB) {
	t.Helper()
	var values strings.Builder
	for _, c := range testCounters {
		fmt.Fprintf(&values, "(%d, '%s', %d, 'eth3', %d, 3, %d, %d, %d, %d, %d, %d, %d, %d),\n", c.at, stored(countedExporter), countedInterface,
			int64(countedSpeed), c.sequence, c.uptimeMillisecond, c.in, c.out, c.inPackets, c.outPackets, c.inDiscards, c.outErrors)
	}
	_, err := db.ExecContext(t.Context(), `INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, Speed, Status,
		SequenceNum, Uptime, InOctets, OutOctets, InUnicastPackets, OutUnicastPackets, InDiscards, OutErrors) VALUES `+values.String())
	must(t, err)
}

// counted are the growths of a counter between samples, by when the later one came.
func counted(value func(counterSample) uint32) map[int64]float64 {
	grown := map[int64]float64{}
	for i, c := range testCounters[1:] {
		grown[c.at] = float64(value(c) - value(testCounters[i]))
	}
	return grown
}
