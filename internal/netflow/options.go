package netflow

import (
	"cmp"
	"math"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var optionsRecords = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_netflow_options_records_total",
	Help: "Records of options data, by whether they gave a sampling rate.",
}, []string{"protocol", "sampling"})

// readOptions takes the sampling rates from a set of options data, and of IPFIX the
// time of start that flows of the domain refer to. Nothing else that exporters say
// there (names of interfaces, of applications) is used.
func (d *Decoder) readOptions(set dataSet) {
	var rates, others float64
	d.readRecords(set, func() {
		if d.version == 10 {
			d.state.SetBoot(d.domain, d.values.boot)
		}
		rate := d.values.rate()
		if rate == 0 {
			others++
			return
		}
		rates++
		d.state.SetRate(d.version, d.domain, d.values.samplerID(), rate)
	})
	optionsRecords.WithLabelValues(d.protocol.label, "yes").Add(rates)
	optionsRecords.WithLabelValues(d.protocol.label, "no").Add(others)
}

// samplerID returns the sampler that the record names, 0 if none: IPFIX's
// selectorId, or the flowSamplerId of NetFlow v9.
func (v *values) samplerID() uint64 { return cmp.Or(v.selectorID, v.flowSamplerID) }

// rate returns the packets per sample that the record gives, 0 if it does not. Those
// who take m of every m+n packets (RFC 5477 sections 8.2.2 and 8.2.3) have a rate of
// (m+n)/m, rounded. A selection of m packets without a word about n is what some
// exporters send for one in m.
func (v *values) rate() uint64 {
	rate := cmp.Or(v.samplingInterval, v.samplerInterval)
	switch {
	case rate > 0:
	case v.packetInterval > 0 && !v.hasPacketSpace:
		rate = v.packetInterval
	case v.packetInterval > 0:
		rate = 1 + (v.packetSpace+v.packetInterval/2)/v.packetInterval
	case v.sampleSize > 0:
		rate = (v.population + v.sampleSize/2) / v.sampleSize
	}
	// All of these are numbers of 32 bits, however wide they are sent.
	if rate > math.MaxUint32 {
		return 0
	}
	return rate
}
