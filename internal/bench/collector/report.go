//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/bench/script"
)

// report is everything that was measured, in order.
type report struct {
	rounds   int
	duration time.Duration
	climb    []step
	measured []step
}

// result is the median of the rounds of a collector.
type result struct {
	Protocol            string `json:"protocol"`
	Collector           string `json:"collector"`
	RecordsPerCPUSecond int    `json:"records_per_cpu_second"`
	Lost                int    `json:"lost"` // records of those sent in a round
	offered             int    // records a second
	ratio               float64
}

// ours is the collector that the others are compared with.
const ours = "netmeta"

// results are in the order of the first round. ratio is relative to ours, 0 where that
// was not measured.
func (r report) results() []result {
	type key struct{ protocol, collector string }
	var order []key
	runs := make(map[key][]measurement)
	for _, s := range r.measured {
		k := key{s.protocol, s.collector}
		if runs[k] == nil {
			order = append(order, k)
		}
		runs[k] = append(runs[k], s.measurement)
	}
	rate := func(k key) float64 { return median(runs[k], measurement.perCPUSecond) }
	var results []result
	for _, k := range order {
		own := rate(key{k.protocol, ours})
		ratio := 0.0
		if own > 0 {
			ratio = rate(k) / own
		}
		results = append(results, result{
			Protocol: k.protocol, Collector: k.collector,
			RecordsPerCPUSecond: int(rate(k)),
			Lost:                int(median(runs[k], func(m measurement) float64 { return float64(m.lost()) })),
			offered:             int(median(runs[k], measurement.offered)),
			ratio:               ratio,
		})
	}
	return results
}

// median returns the middle of what f says of the measurements, 0 without any. Rates
// that cannot be computed, for want of measurable time, count as 0.
func median(all []measurement, f func(measurement) float64) float64 {
	if len(all) == 0 {
		return 0
	}
	var values []float64
	for _, m := range all {
		v := f(m)
		if math.IsInf(v, 0) || math.IsNaN(v) {
			v = 0
		}
		values = append(values, v)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

func (r report) writeJSON(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r.results()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r report) writeTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "Records per second of processor time, medians of %d rounds of %s, each collector at the highest rate that it manages:\n\n", r.rounds, r.duration)
	fmt.Fprintln(table, "protocol\tcollector\trecords/CPU-s\tof ours\tlost\toffered/s\t")
	for _, s := range r.results() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%.2f\t%s\t%s\t\n", s.Protocol, s.Collector, script.Comma(s.RecordsPerCPUSecond), s.ratio, script.Comma(s.Lost), script.Comma(s.offered))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	fmt.Fprintf(w, "\nLoss in %% at increasing rates (records/s offered; * still busy %s after the last datagram; - not offered, or not reached by the sender):\n\n", onTime)
	r.writeClimb(table)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// writeClimb writes one line for each protocol and collector, one column a rate.
func (r report) writeClimb(table io.Writer) {
	var rates []float64
	type key struct{ protocol, collector string }
	var order []key
	cells := make(map[key]map[float64]string)
	for _, s := range r.climb {
		k := key{s.protocol, s.collector}
		if cells[k] == nil {
			order = append(order, k)
			cells[k] = make(map[float64]string)
		}
		if !slices.Contains(rates, s.rate) {
			rates = append(rates, s.rate)
		}
		cells[k][s.rate] = s.cell()
	}
	slices.Sort(rates)
	fmt.Fprint(table, "protocol\tcollector\t")
	for _, rate := range rates {
		fmt.Fprintf(table, "%s\t", humanize.SIWithDigits(rate, 1, ""))
	}
	fmt.Fprintln(table)
	for _, k := range order {
		fmt.Fprintf(table, "%s\t%s\t", k.protocol, k.collector)
		for _, rate := range rates {
			cell, offered := cells[k][rate]
			if !offered {
				cell = "-"
			}
			fmt.Fprintf(table, "%s\t", cell)
		}
		fmt.Fprintln(table)
	}
}

// cell is the loss of a step for the table.
func (s step) cell() string {
	switch {
	case s.offered() < reached*s.rate && s.manages():
		return "-"
	case s.behind > onTime:
		return fmt.Sprintf("%.1f*", 100*s.loss())
	}
	return fmt.Sprintf("%.1f", 100*s.loss())
}
