package generate

// option is one options data record: a sampler and its rate.
type option struct {
	domain, sampler, rate uint32
}

// optionsElement is one field of an options template and where its value comes from.
type optionsElement struct {
	id, length uint16
	value      func(option) uint32
}

func domainOf(o option) uint32  { return o.domain }
func samplerOf(o option) uint32 { return o.sampler }
func rateOf(o option) uint32    { return o.rate }

// spaceOf is how many packets are skipped after each sampled one (RFC 5477 section 8.2.5).
func spaceOf(o option) uint32 { return o.rate - 1 }

// systematic is 1-in-n sampling, "deterministic" in v9 and "systematic count-based" in
// IPFIX, and also how many packets are taken at a time.
func systematic(option) uint32 { return 1 }

// optionsElements returns how p announces sampling: the scope and the other fields.
// Each variant is one that real exporters use.
func (p *profile) optionsElements() (scope optionsElement, fields []optionsElement) {
	switch {
	case p.protocol == NetFlow9 && p.twoSamplers:
		return optionsElement{scopeSystem, 4, domainOf}, []optionsElement{
			{flowSamplerID, 2, samplerOf},
			{flowSamplerMode, 1, systematic},
			{flowSamplerInterval, 4, rateOf},
		}
	case p.protocol == NetFlow9:
		return optionsElement{scopeSystem, 4, domainOf}, []optionsElement{
			{samplingInterval, 4, rateOf},
			{samplingAlgorithm, 1, systematic},
		}
	case p.twoSamplers:
		return optionsElement{selectorID, 8, samplerOf}, []optionsElement{
			{selectorAlgorithm, 2, systematic},
			{samplingPacketInterval, 4, systematic},
			{samplingPacketSpace, 4, spaceOf},
		}
	case p.number%4 == 3: // one of two that have a rate for the whole domain
		return optionsElement{observationDomainID, 4, domainOf}, []optionsElement{
			{samplingInterval, 4, rateOf},
			{samplingAlgorithm, 1, systematic},
		}
	default:
		return optionsElement{observationDomainID, 4, domainOf}, []optionsElement{
			{samplingPacketInterval, 4, systematic},
			{samplingPacketSpace, 4, spaceOf},
		}
	}
}

// options returns the options data records that p sends.
func (p *profile) options() []option {
	var options []option
	for i, rate := range p.samplers() {
		options = append(options, option{domain: p.number, sampler: uint32(i + 1), rate: rate})
	}
	return options
}

// appendUint appends v big-endian in length bytes.
func appendUint(b []byte, v uint32, length uint16) []byte {
	for i := int(length) - 1; i >= 0; i-- {
		b = append(b, byte(uint64(v)>>(8*i)))
	}
	return b
}
