package generate

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"text/tabwriter"
)

// Report says what was sent.
type Report struct {
	// Exporters has one entry per address that a collector tells apart, in the order
	// of addresses.
	Exporters []Totals `json:"exporters"`

	// Datagrams is the number of datagrams sent, those without records included.
	Datagrams uint64 `json:"-"`
	// Refused is how many of them came back because nothing listened. Their records
	// are part of Exporters.
	Refused uint64 `json:"-"`

	sockets uint64
}

// Totals sums the records of one exporter as a collector stores them.
type Totals struct {
	Address     netip.Addr `json:"address"`
	Records     uint64     `json:"records"`
	Bytes       uint64     `json:"bytes"`
	Packets     uint64     `json:"packets"`
	ScaledBytes uint64     `json:"scaled_bytes"` // sum of bytes × sampling rate
}

func (t *Totals) count(o *observation) {
	t.Records++
	t.Bytes += o.Bytes
	t.Packets += o.Packets
	t.ScaledBytes += o.Bytes * o.SamplingRate
}

func (t *Totals) add(other Totals) {
	t.Records += other.Records
	t.Bytes += other.Bytes
	t.Packets += other.Packets
	t.ScaledBytes += other.ScaledBytes
}

// newReport merges the totals of exporters that share an address.
func newReport(exporters []*exporter) Report {
	report := Report{Exporters: []Totals{}, sockets: uint64(len(exporters))}
	at := make(map[netip.Addr]int)
	for _, e := range exporters {
		report.Datagrams += e.datagrams
		report.Refused += e.refused
		i, known := at[e.sent.Address]
		if !known {
			at[e.sent.Address] = len(report.Exporters)
			report.Exporters = append(report.Exporters, e.sent)
			continue
		}
		report.Exporters[i].add(e.sent)
	}
	slices.SortFunc(report.Exporters, func(a, b Totals) int { return a.Address.Compare(b.Address) })
	return report
}

// Unheard says whether nothing listened: all datagrams came back, as far as is known
// of the last ones of each socket.
func (r Report) Unheard() bool {
	return r.Refused > 0 && r.Refused+r.sockets >= r.Datagrams
}

// WriteTable writes r for people: one line per exporter.
func (r Report) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err := fmt.Fprintln(table, "exporter\trecords\tpackets\tbytes\tbytes × rate\t")
	for _, e := range r.Exporters {
		_, failed := fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", e.Address, e.Records, e.Packets, e.Bytes, e.ScaledBytes)
		err = cmp.Or(err, failed)
	}
	return cmp.Or(err, table.Flush())
}
