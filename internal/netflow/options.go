package netflow

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/exporter"
)

var optionsRecords = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_netflow_options_records_total",
	Help: "Records of options data, by whether they gave a sampling rate.",
}, []string{"protocol", "sampling"})

// readOptions takes from a set of options data the sampling rates, the names of
// applications and interfaces, and of IPFIX the time of start that flows of the domain
// refer to. What else exporters say there (names of VRFs) is not used.
func (d *Decoder) readOptions(set dataSet) {
	perInterface := d.isPerInterface(set.template)
	var rates, others, named float64
	d.readRecords(set, func() {
		v := &d.values
		if d.version == 10 {
			d.state.SetBoot(d.domain, v.boot)
		}
		if name := d.name(v.applicationName); name != "" && v.ApplicationID != 0 {
			d.state.SetApplication(v.ApplicationID, name)
		}
		if d.nameInterface(v) {
			named++
		}
		rate := v.rate()
		if rate == 0 {
			others++
			return
		}
		rates++
		sampler := v.sampler
		if sampler == 0 && perInterface {
			sampler = interfaceSampler | uint64(v.InIf)
		}
		d.state.SetRate(d.version, d.domain, sampler, rate)
	})
	optionsRecords.WithLabelValues(d.protocol.String(), "yes").Add(rates)
	optionsRecords.WithLabelValues(d.protocol.String(), "no").Add(others)
	interfaceNames.WithLabelValues(d.protocol.String()).Add(named)
}

// isPerInterface tells whether options data are about single interfaces.
func (d *Decoder) isPerInterface(t *exporter.Template) bool {
	for i := range t.Scopes {
		if elementOf(t, i, d.version) == &elements[ingressInterface] {
			return true
		}
	}
	return false
}

// interfaceSampler marks a sampler that is an interface: its number is the ifIndex. No
// record names it, but where all interfaces have the same rate, the domain has it.
const interfaceSampler = 1 << 63

// rate returns the packets per sample that the record gives, 0 if it does not. Those
// who take m of every m+n packets (RFC 5477 sections 8.2.2 and 8.2.3) have a rate of
// (m+n)/m, rounded. A selection of m packets without a word about n is what some
// exporters send for one in m.
func (v *values) rate() uint64 {
	if v.parts&partRate == 0 {
		return 0
	}
	rate := v.samplingInterval
	switch {
	case rate > 0:
	case v.packetInterval > 0 && v.parts&partSpace == 0:
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
