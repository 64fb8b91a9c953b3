package netflow

import (
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// rateAnswer is the last answer of the exporter's state about a sampling rate. All
// records of a datagram that ask the same get the same.
type rateAnswer struct {
	known         bool
	sampler, said uint64
	rate          uint64
	source        pb.FlowMessage_RateSource
}

// finish completes a record with its sampling rate, and emits it unless the exporter
// is over its limit. Sampler is the one that the record names, said the rate that it
// gives itself, both 0 if it does not.
func (d *Decoder) finish(r *flow.Record, sampler, said uint64) {
	if a := &d.rate; !a.known || a.sampler != sampler || a.said != said {
		d.askRate(sampler, said)
	}
	keep, factor := d.state.Keep(d.now)
	if !keep {
		return
	}
	r.SamplingRate, r.SamplingRateSource = d.rate.rate*factor, d.rate.source
	if d.rate.source == pb.FlowMessage_RATE_UNKNOWN {
		d.unrated++
	}
	d.records++
	d.emit(r)
}

// askRate asks the exporter's state. In IPFIX, what options data of domain 0 say is
// about the exporter as a whole (RFC 7011 section 3.1).
func (d *Decoder) askRate(sampler, said uint64) {
	rate, source := d.state.Rate(d.version, d.domain, sampler, said)
	if d.version == 10 && d.domain != 0 && (source == pb.FlowMessage_RATE_UNKNOWN || source == pb.FlowMessage_RATE_CONFIGURED) {
		if whole, from := d.state.Rate(d.version, 0, sampler, 0); from == pb.FlowMessage_RATE_OPTIONS {
			rate, source = whole, from
		}
	}
	d.rate = rateAnswer{true, sampler, said, rate, source}
}
