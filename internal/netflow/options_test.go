package netflow

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/pb"
)

// rated is a sampling rate and where it came from.
type rated struct {
	Rate   uint64
	Source pb.FlowMessage_RateSource
}

func ratesOf(t *testing.T, config exporter.Config, datagrams ...[]byte) []rated {
	t.Helper()
	c := newCollector(config)
	if err := c.decode(datagrams...); err != nil {
		t.Fatal(err)
	}
	var list []rated
	for _, r := range c.records {
		list = append(list, rated{r.SamplingRate, r.SamplingRateSource})
	}
	return list
}

// scopeSystem is a scope field by which options data are about the whole exporter.
var (
	scopeSystemV9    = field{1, 4}
	scopeSystemIPFIX = field{149, 4}
)

func TestRateOfAnyWidthAndElement(t *testing.T) {
	for name, test := range map[string]struct {
		options []field
		data    []byte
		want    uint64
	}{
		"samplingInterval in 1 byte":              {[]field{{34, 1}}, u8(100), 100},
		"samplingInterval in 2 bytes":             {[]field{{34, 2}}, u16(1000), 1000},
		"samplingInterval in 4 bytes":             {[]field{{34, 4}}, u32(1000), 1000},
		"samplingInterval in 8 bytes":             {[]field{{34, 8}}, u64(1000), 1000},
		"samplerRandomInterval":                   {[]field{{50, 4}}, u32(512), 512},
		"packet interval and space":               {[]field{{305, 4}, {306, 4}}, join(u32(1), u32(999)), 1000},
		"packet space and interval":               {[]field{{306, 4}, {305, 4}}, join(u32(15), u32(5)), 4},
		"packet interval with space 0":            {[]field{{305, 4}, {306, 4}}, join(u32(10), u32(0)), 1},
		"packet interval where space is not sent": {[]field{{305, 4}}, u32(1000), 1000},
		"size and population":                     {[]field{{309, 4}, {310, 4}}, join(u32(2), u32(512)), 256},
	} {
		t.Run(name, func(t *testing.T) {
			want := []rated{{test.want, pb.FlowMessage_RATE_OPTIONS}}
			equal(t, want, ratesOf(t, exporter.Config{},
				v9(set(0, bytesTemplate(256)), set(1, optionsTemplateV9(300, []field{scopeSystemV9}, test.options)), set(300, u32(9), test.data)),
				v9(set(256, u32(1)))))
			equal(t, want, ratesOf(t, exporter.Config{},
				ipfix10(set(2, bytesTemplate(256)), set(3, optionsTemplateIPFIX(300, []field{scopeSystemIPFIX}, test.options)), set(300, u32(9), test.data)),
				ipfix10(set(256, u32(1)))))
		})
	}
}

func TestRateCountsWhereverItStandsInTheDatagram(t *testing.T) {
	optionsTemplate := set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{34, 4}}))
	options, flows := set(300, u32(1), u32(1000)), join(set(0, bytesTemplate(256)), set(256, u32(1)))
	for name, datagram := range map[string][]byte{
		"before the data":                          v9(optionsTemplate, options, flows),
		"behind the data":                          v9(flows, optionsTemplate, options),
		"between template and its data":            v9(optionsTemplate, flows, options),
		"behind, and in front of its own template": v9(flows, options, optionsTemplate),
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, []rated{{1000, pb.FlowMessage_RATE_OPTIONS}}, ratesOf(t, exporter.Config{}, datagram))
		})
	}
}

func TestRecordNamesItsSampler(t *testing.T) {
	v9Templates := v9(
		set(0, template(256, field{1, 4}, field{48, 1}), bytesTemplate(257)),
		set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{48, 1}, {34, 2}})),
		set(300, u32(0), u8(1), u16(100), u32(0), u8(2), u16(2000)))
	ipfixTemplates := ipfix10(
		set(2, template(256, field{1, 4}, field{302, 2}), bytesTemplate(257)),
		set(3, optionsTemplateIPFIX(300, []field{{302, 8}}, []field{{305, 4}, {306, 4}})),
		set(300, u64(1), u32(1), u32(99), u64(2), u32(1), u32(1999)))
	options := func(rate uint64) rated { return rated{rate, pb.FlowMessage_RATE_OPTIONS} }
	unknown := rated{1, pb.FlowMessage_RATE_UNKNOWN}

	t.Run("v9: by flowSamplerId, whose options have it among the fields", func(t *testing.T) {
		equal(t, []rated{options(2000), options(100), unknown},
			ratesOf(t, exporter.Config{}, v9Templates, v9(set(256, u32(1), u8(2), u32(2), u8(1), u32(3), u8(3)))))
	})
	t.Run("IPFIX: by selectorId, whose options have it in the scope", func(t *testing.T) {
		equal(t, []rated{options(2000), options(100), unknown},
			ratesOf(t, exporter.Config{}, ipfixTemplates, ipfix10(set(256, u32(1), u16(2), u32(2), u16(1), u32(3), u16(3)))))
	})
	t.Run("a record that names none of several has no rate", func(t *testing.T) {
		equal(t, []rated{unknown}, ratesOf(t, exporter.Config{}, v9Templates, v9(set(257, u32(1)))))
	})
	t.Run("the configured rate stands in for it", func(t *testing.T) {
		equal(t, []rated{{50, pb.FlowMessage_RATE_CONFIGURED}},
			ratesOf(t, exporter.Config{DefaultRate: 50}, v9Templates, v9(set(257, u32(1)))))
	})
}

func TestRateInTheRecordGoesBeforeOptions(t *testing.T) {
	datagram := v9(
		set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{34, 4}})), set(300, u32(1), u32(1000)),
		set(0, template(256, field{1, 4}, field{34, 4})), set(256, u32(1), u32(10), u32(1), u32(0)))
	equal(t, []rated{{10, pb.FlowMessage_RATE_PACKET}, {1000, pb.FlowMessage_RATE_OPTIONS}},
		ratesOf(t, exporter.Config{}, datagram))
}

func TestRateOfZeroIsNoRate(t *testing.T) {
	templates := v9(set(0, bytesTemplate(256)), set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{34, 8}})))
	good, zero, absurd := v9(set(300, u32(1), u64(1000))), v9(set(300, u32(1), u64(0))), v9(set(300, u32(1), u64(1<<40)))
	data := v9(set(256, u32(1)))
	equal(t, []rated{{1000, pb.FlowMessage_RATE_OPTIONS}}, ratesOf(t, exporter.Config{}, templates, good, zero, absurd, data))
	equal(t, []rated{{1, pb.FlowMessage_RATE_UNKNOWN}}, ratesOf(t, exporter.Config{}, templates, zero, absurd, data))
}

// Scope types of NetFlow v9 are numbered apart from fields.
func TestScopesOfV9AreNoFields(t *testing.T) {
	c := newCollector(exporter.Config{})
	datagram := v9(set(1, optionsTemplateV9(300, []field{{2, 4}, {48, 1}}, []field{{34, 4}})), set(300, u32(77), u8(5), u32(1000)))
	if err := c.decode(datagram); err != nil {
		t.Fatal(err)
	}
	equal(t, uint64(0), c.values.Packets)
	equal(t, uint64(5), c.values.sampler)
}

// inDomain returns an IPFIX message of another domain.
func inDomain(domain uint32, message []byte) []byte {
	message = join(message)
	copy(message[12:], u32(domain))
	return message
}

func TestRateOfDomain0IsThatOfTheExporter(t *testing.T) {
	whole := inDomain(0, ipfix10(
		set(3, optionsTemplateIPFIX(300, []field{scopeSystemIPFIX}, []field{{34, 4}})), set(300, u32(1), u32(512))))
	own := ipfix10(
		set(3, optionsTemplateIPFIX(300, []field{scopeSystemIPFIX}, []field{{34, 4}})), set(300, u32(1), u32(1000)))
	flows := ipfix10(set(2, bytesTemplate(256)), set(256, u32(1)))
	for name, test := range map[string]struct {
		config    exporter.Config
		datagrams [][]byte
		want      rated
	}{
		"where the domain has none":        {exporter.Config{}, [][]byte{whole, flows}, rated{512, pb.FlowMessage_RATE_OPTIONS}},
		"not where it has one":             {exporter.Config{}, [][]byte{whole, own, flows}, rated{1000, pb.FlowMessage_RATE_OPTIONS}},
		"before the rate by configuration": {exporter.Config{DefaultRate: 50}, [][]byte{whole, flows}, rated{512, pb.FlowMessage_RATE_OPTIONS}},
		"not another domain's":             {exporter.Config{}, [][]byte{inDomain(9, own), flows}, rated{1, pb.FlowMessage_RATE_UNKNOWN}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, []rated{test.want}, ratesOf(t, test.config, test.datagrams...))
		})
	}
}

func TestRatesOfInterfaces(t *testing.T) {
	optionsV9 := func(first, second uint32) []byte {
		return v9(set(1, optionsTemplateV9(300, []field{{2, 4}}, []field{{34, 4}})), set(300, u32(1), u32(first), u32(2), u32(second)))
	}
	optionsIPFIX := func(first, second uint32) []byte {
		return ipfix10(set(3, optionsTemplateIPFIX(300, []field{{10, 4}}, []field{{34, 4}})), set(300, u32(1), u32(first), u32(2), u32(second)))
	}
	nine, ten := v9(set(0, bytesTemplate(256)), set(256, u32(1))), ipfix10(set(2, bytesTemplate(256)), set(256, u32(1)))
	same, unknown := []rated{{512, pb.FlowMessage_RATE_OPTIONS}}, []rated{{1, pb.FlowMessage_RATE_UNKNOWN}}
	equal(t, same, ratesOf(t, exporter.Config{}, optionsV9(512, 512), nine))
	equal(t, same, ratesOf(t, exporter.Config{}, optionsIPFIX(512, 512), ten))
	equal(t, unknown, ratesOf(t, exporter.Config{}, optionsV9(512, 1000), nine))
	equal(t, unknown, ratesOf(t, exporter.Config{}, optionsIPFIX(512, 1000), ten))
}
