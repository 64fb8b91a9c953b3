package dashboards_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// flow is a row of flows_raw.
type flow struct {
	at               int64 // seconds since 1970
	exporter         string
	in, out          uint32
	egress           bool
	rate             uint64
	bytes, packets   uint64
	source, dest     string
	sport, dport     uint32
	etype            uint16
	proto, ttl, tcp  uint8
	vlan             uint32
	sourceAS, destAS uint32
	nextHop          string
	rateSource       string
	fragment         uint32
	told
}

// told is what only some sources tell.
type told struct {
	kind             string // FlowType, SFLOW_5 where it is empty
	directionTold    bool
	domain           uint32
	event, side      uint8 // FirewallEvent, BiFlowDirection
	application      string
	natSource, natTo string
}

func (f flow) direction() string {
	if f.egress {
		return "out"
	}
	return "in"
}
func (f flow) allBytes() float64   { return float64(f.bytes) * float64(f.rate) }
func (f flow) allPackets() float64 { return float64(f.packets) * float64(f.rate) }

// The time range that tests look at begins and ends in the middle of a bucket, in the
// recent past: what is past its retention is not stored.
var (
	testFrom = time.Now().Add(-2 * time.Hour).Truncate(time.Hour).Add(7 * time.Second)
	testTo   = testFrom.Add(30 * time.Minute)
)

// testFlows is traffic of known content: in the time range, at both of its ends, and an
// equal time before it.
var testFlows = func() []flow {
	random := rand.New(rand.NewPCG(1, 2))
	var flows []flow
	exporters := []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}
	for i := range 3000 {
		f := flow{
			at:       testFrom.Unix() - 1830 + random.Int64N(1860+1800),
			exporter: exporters[i%3], rate: []uint64{1, 100, 1000}[i%3],
			in: 1 + uint32(random.IntN(3)), out: 3 + uint32(random.IntN(12)), egress: random.IntN(3) == 0,
			packets: 1 + uint64(random.IntN(4)), etype: 0x0800, proto: []uint8{6, 6, 17, 1}[random.IntN(4)],
			ttl: uint8(random.IntN(256)), vlan: []uint32{0, 0, 100, 200}[random.IntN(4)],
			sourceAS: 64500 + uint32(random.IntN(15)), destAS: 64520 + uint32(random.IntN(4)),
			nextHop: fmt.Sprintf("198.51.100.%d", 1+random.IntN(3)), rateSource: "packet",
		}
		f.bytes = f.packets * uint64(64+random.IntN(1900))
		f.source = fmt.Sprintf("203.0.113.%d", 1+random.IntN(20))
		f.dest = fmt.Sprintf("198.51.100.%d", 10+random.IntN(30))
		if random.IntN(5) == 0 {
			f.etype, f.source, f.dest = 0x86dd, fmt.Sprintf("2001:db8:1::%x", 1+random.IntN(9)), "2001:db8:2::1"
		}
		if f.proto != 1 {
			f.sport, f.dport = 1024+uint32(random.IntN(60000)), []uint32{80, 443, 53, 8080}[random.IntN(4)]
		}
		if f.proto == 6 {
			f.tcp = []uint8{2, 16, 18, 24}[random.IntN(4)]
		}
		flows = append(flows, f)
	}
	return flows
}()

// stored writes an address as the table has it.
func stored(address string) string {
	if address == "" {
		return "::"
	}
	a := netip.MustParseAddr(address)
	return netip.AddrFrom16(a.As16()).String()
}

func insert(t *testing.T, db *sql.DB, flows []flow) {
	t.Helper()
	var values strings.Builder
	for _, f := range flows {
		egress := 0
		if f.egress {
			egress = 1
		}
		source := f.rateSource
		if source == "" {
			source = "packet"
		}
		if f.kind == "" {
			f.kind = "SFLOW_5"
		}
		fmt.Fprintf(&values, "(%d, '%s', '%s', %d, '%s', %d, %d, %d, %d, %d, '%s', '%s', %d, %d, %d, %d, %d, %d, %d, %d, %d, '%s', %d, %v, %d, %d, %d, '%s', '%s', '%s'),\n",
			f.at, f.kind, stored(f.exporter), f.rate, source, egress, f.in, f.out, f.bytes, f.packets, stored(f.source), stored(f.dest),
			f.etype, f.proto, f.sport, f.dport, f.vlan, f.ttl, f.tcp, f.sourceAS, f.destAS, stored(f.nextHop), f.fragment,
			f.directionTold, f.domain, f.event, f.side, f.application, stored(f.natSource), stored(f.natTo))
	}
	_, err := db.ExecContext(t.Context(), `INSERT INTO flows_raw
		(TimeReceived, FlowType, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, InIf, OutIf, Bytes, Packets, SrcAddr, DstAddr,
		EType, Proto, SrcPort, DstPort, VlanId, IPTTL, TCPFlags, SrcAS, DstAS, NextHop, FragmentOffset,
		HasFlowDirection, ObservationDomain, FirewallEvent, BiFlowDirection, ApplicationName, PostNATSrcAddr, PostNATDstAddr) VALUES `+values.String())
	must(t, err)
}

// between returns the flows of a time range.
func between(flows []flow, from, to int64) []flow {
	var there []flow
	for _, f := range flows {
		if f.at >= from && f.at < to {
			there = append(there, f)
		}
	}
	return there
}

// total adds up flows by a key.
func total(flows []flow, key func(flow) string, value func(flow) float64) map[string]float64 {
	sums := map[string]float64{}
	for _, f := range flows {
		sums[key(f)] += value(f)
	}
	return sums
}
