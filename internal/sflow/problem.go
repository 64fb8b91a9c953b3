package sflow

import (
	"fmt"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
)

// problem is the first thing that is wrong with a datagram. It becomes text only when
// somebody wants to read that, which few do: datagrams full of errors shall not cost
// more than good ones.
type problem struct {
	source  netip.AddrPort
	format  string // for fmt, of the numbers
	numbers [3]uint64
	count   int // of numbers
	lack    lack
}

// Error implements error.
func (p *problem) Error() string {
	numbers := make([]any, p.count)
	for i := range numbers {
		numbers[i] = p.numbers[i]
	}
	text := fmt.Sprintf("decode sflow datagram from %s: ", p.source) + fmt.Sprintf(p.format, numbers...)
	if p.lack != (lack{}) {
		text += ": " + p.lack.String()
	}
	return text
}

// fail counts a problem, and keeps it if it is the datagram's first. Format and numbers,
// of which there are at most three, say what could not be read, and l what was missing.
func (d *Decoder) fail(reason prometheus.Counter, l lack, format string, numbers ...uint64) {
	reason.Inc()
	if d.failed {
		return
	}
	d.failed = true
	d.problem.format, d.problem.lack = format, l
	d.problem.count = copy(d.problem.numbers[:], numbers)
}
