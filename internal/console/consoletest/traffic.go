package consoletest

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
)

// Traffic is what a test has stored, counted by the test itself.
type Traffic struct {
	Records int
	// Bytes are multiplied by the sampling rate, by host, as source and as destination.
	From, To map[netip.Addr]uint64
	// sources are the distinct ones that each host heard from in each minute.
	sources map[minute]map[netip.Addr]struct{}
}

type minute struct {
	host netip.Addr
	unix uint64
}

// Top returns the hosts of From or To, most bytes first.
func Top(bytes map[netip.Addr]uint64) []netip.Addr {
	return slices.SortedFunc(maps.Keys(bytes), func(a, b netip.Addr) int { return cmp.Or(cmp.Compare(bytes[b], bytes[a]), a.Compare(b)) })
}

// Victim returns the host that heard from the most sources within a minute, which is
// whom an attack from spoofed addresses hits, the minute in seconds since 1970, and
// how many sources there were.
func (t *Traffic) Victim() (host netip.Addr, at uint64, sources int) {
	for m, from := range t.sources {
		if len(from) > sources {
			host, at, sources = m.host, m.unix, len(from)
		}
	}
	return host, at, sources
}

// rowsPerInsert keeps a statement below the size that ClickHouse's parser takes.
const rowsPerInsert = 2000

// StoreHistory stores the synthetic traffic of package generate in flows_raw of db,
// as the collector of the demo would have, and returns what it was.
func StoreHistory(t testing.TB, db *sql.DB, options generate.HistoryOptions) *Traffic {
	t.Helper()
	traffic := &Traffic{From: map[netip.Addr]uint64{}, To: map[netip.Addr]uint64{}, sources: map[minute]map[netip.Addr]struct{}{}}
	var values strings.Builder
	flush := func() error {
		if values.Len() == 0 {
			return nil
		}
		_, err := db.Exec("INSERT INTO flows_raw (" + columns + ") VALUES " + values.String())
		values.Reset()
		return err
	}
	err := generate.History(t.Context(), options, func(r *flow.Record) error {
		traffic.count(r)
		if values.Len() > 0 {
			values.WriteByte(',')
		}
		writeRow(&values, r)
		if traffic.Records%rowsPerInsert == 0 {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		t.Fatalf("store the synthetic traffic: %v", err)
	}
	return traffic
}

func (t *Traffic) count(r *flow.Record) {
	t.Records++
	t.From[r.SrcAddr] += r.Bytes * r.SamplingRate
	t.To[r.DstAddr] += r.Bytes * r.SamplingRate
	m := minute{r.DstAddr, r.TimeReceived / 60 * 60}
	if t.sources[m] == nil {
		t.sources[m] = map[netip.Addr]struct{}{}
	}
	t.sources[m][r.SrcAddr] = struct{}{}
}

const columns = "TimeReceived, FlowType, SequenceNum, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, " +
	"TimeFlowStart, TimeFlowEnd, Bytes, Packets, SrcAddr, DstAddr, NextHop, EType, Proto, SrcPort, DstPort, InIf, OutIf, " +
	"SrcVlan, DstVlan, VlanId, IPTos, IPTTL, TCPFlags, IcmpType, IcmpCode, FragmentOffset, SrcAS, DstAS, NextHopAS, SrcNet, DstNet"

func writeRow(w *strings.Builder, r *flow.Record) {
	fmt.Fprintf(w, "(%d,'%s',%d,'%s',%d,'packet',%d,%d,%d,%d,%d,'%s','%s','%s',%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d)",
		r.TimeReceived, r.Type, r.SequenceNum, stored(r.SamplerAddress), r.SamplingRate, r.FlowDirection,
		r.TimeFlowStart, r.TimeFlowEnd, r.Bytes, r.Packets, stored(r.SrcAddr), stored(r.DstAddr), stored(r.NextHop), r.Etype, r.Proto, r.SrcPort, r.DstPort, r.InIf, r.OutIf,
		r.SrcVlan, r.DstVlan, r.VlanID, r.IPTos, r.IPTTL, r.TCPFlags, r.IcmpType, r.IcmpCode, r.FragmentOffset, r.SrcAS, r.DstAS, r.NextHopAS, r.SrcNet, r.DstNet)
}

// stored writes an address as the tables have it.
func stored(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "::"
	case a.Is4():
		return "::ffff:" + a.String()
	}
	return a.String()
}
