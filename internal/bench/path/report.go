//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/leoluk/NetMeta/internal/bench/script"
)

// report is what was measured, shape by shape.
type report []measurement

// later is after how many seconds programs have allocated what they keep.
const later = 10

// held is the memory of a program at moments of the load, in MiB.
type held struct {
	Start   float64 `json:"start"`
	Later   float64 `json:"after_10s"`
	End     float64 `json:"end"`
	Highest float64 `json:"peak"`
}

func (u usage) held() held {
	if len(u.memory) == 0 {
		return held{Highest: mebibytes(u.peak)}
	}
	last := len(u.memory) - 1
	return held{mebibytes(u.memory[0]), mebibytes(u.memory[min(later, last)]), mebibytes(u.memory[last]), mebibytes(u.peak)}
}

func mebibytes(n int) float64 { return rounded(float64(n) / (1 << 20)) }

func rounded(x float64) float64 { return math.Round(x*10) / 10 }

func (r report) writeJSON(w io.Writer) error {
	all := []any{}
	for _, m := range r {
		losses, programs := []any{}, []any{}
		for _, l := range m.losses {
			losses = append(losses, map[string]any{"stage": l.stage, "unit": l.unit, "reason": l.reason, "count": l.count})
		}
		for _, p := range m.parts {
			programs = append(programs, map[string]any{"name": p.name, "cpu_seconds": rounded(p.cpu.Seconds()), "resident_mib": p.held()})
		}
		all = append(all, map[string]any{
			"shape": m.shape, "sent": m.sent, "sent_per_second": int(m.offered()), "received": m.received, "stored": m.stored,
			"lost": m.lost(), "lost_by": losses, "stored_seconds_after_the_last": rounded(m.behind.Seconds()),
			"cpu_seconds": rounded(m.cpu().Seconds()), "flows_per_cpu_second": int(m.perCPUSecond()), "programs": programs,
		})
	}
	if err := json.NewEncoder(w).Encode(all); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r report) writeTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "shape\tsent\tsent/s\treceived\tstored\tlost\tlast row after, s\tCPU-s\tflows/CPU-s\t")
	for _, m := range r {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%.1f\t%.1f\t%s\t\n", m.shape, script.Comma(m.sent), script.Comma(int(m.offered())), script.Comma(m.received),
			script.Comma(m.stored), script.Comma(m.lost()), m.behind.Seconds(), m.cpu().Seconds(), script.Comma(int(m.perCPUSecond())))
	}
	fmt.Fprintf(out, "\nresident, MiB\tprogram\tstart\tafter %d s\tend\tpeak\tCPU-s\tflows/CPU-s\t\n", later)
	for _, m := range r {
		for _, p := range m.parts {
			h := p.held()
			fmt.Fprintf(out, "%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t\n", m.shape, p.name, h.Start, h.Later, h.End, h.Highest,
				p.cpu.Seconds(), script.Comma(int(float64(m.stored)/p.cpu.Seconds())))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, m := range r {
		for _, l := range m.losses {
			if _, err := fmt.Fprintf(w, "%s: %s %s lost: %s\n", m.shape, script.Comma(l.count), l.unit, l.where()); err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
		}
	}
	return nil
}

func (l loss) where() string {
	if l.reason == "" {
		return l.stage
	}
	return l.stage + ", " + l.reason
}
