package exporter

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/pb"
)

func overrides(t testing.TB, text string) Overrides {
	t.Helper()
	o, err := ReadOverrides(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestLongestPrefixOverrides(t *testing.T) {
	o := overrides(t, `{
		"192.0.2.0/24":     {"name": "network"},
		"192.0.2.1":        {"name": "address"},
		"0.0.0.0/0":        {"name": "any IPv4"},
		"2001:db8::/32":    {"name": "IPv6 network"},
		"2001:db8::1/128":  {"name": "IPv6 address"},
		"::ffff:10.0.0.0/104": {"name": "mapped network"}
	}`)
	for address, want := range map[string]string{
		"192.0.2.1":        "address",
		"192.0.2.2":        "network",
		"198.51.100.1":     "any IPv4",
		"10.1.2.3":         "mapped network",
		"2001:db8::1":      "IPv6 address",
		"2001:db8::2":      "IPv6 network",
		"2001:db9::1":      "",
		"::ffff:192.0.2.1": "address",
	} {
		if got := o.of(netip.MustParseAddr(address).Unmap()).Name; got != want {
			t.Errorf("%s is overridden by %q, want %q", address, got, want)
		}
	}
	if zero := (Overrides{}); zero.of(netip.MustParseAddr("192.0.2.1")) != noOverride {
		t.Error("the zero value overrides something")
	}
}

func TestOverridesThatAreWrongAreRefusedByName(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":        {`{"192.0.2.1": {"samplingrate ": 1}}`, `"192.0.2.1": unknown key "samplingrate "`},
		"negative rate":      {`{"192.0.2.1": {"samplingRate": -5}}`, `"192.0.2.1": samplingRate: number -5 is not a whole number from 0 to 4294967295`},
		"absurd limit":       {`{"192.0.2.1": {"maxFlowsPerSecond": 4294967296}}`, `"192.0.2.1": maxFlowsPerSecond: number 4294967296 is not`},
		"half a flow":        {`{"192.0.2.1": {"maxFlowsPerSecond": 0.5}}`, `"192.0.2.1": maxFlowsPerSecond: number 0.5 is not`},
		"rate as text":       {`{"192.0.2.1": {"defaultSamplingRate": "100"}}`, `"192.0.2.1": defaultSamplingRate: string is not`},
		"name as number":     {`{"192.0.2.1": {"name": 7}}`, `"192.0.2.1": name: number is no string`},
		"no object":          {`{"192.0.2.1": 1000}`, `"192.0.2.1": number where an object should be`},
		"no address":         {`{"edge1": {}}`, `"edge1": is no IP address`},
		"a zone":             {`{"fe80::1%eth0": {}}`, `"fe80::1%eth0": is no IP address`},
		"no network":         {`{"192.0.2.0/33": {}}`, `"192.0.2.0/33": is no network`},
		"bits behind length": {`{"192.0.2.1/24": {}}`, `"192.0.2.1/24": has bits behind its length: did you mean 192.0.2.0/24?`},
		"twice":              {`{"192.0.2.1": {}, "192.0.2.1": {}}`, `"192.0.2.1": is there twice`},
		"twice in two forms": {`{"192.0.2.1": {}, "::ffff:192.0.2.1/128": {}}`, `"::ffff:192.0.2.1/128": is there twice`},
		"a list":             {`[]`, `[ where an object of addresses should begin`},
		"nothing":            {``, `without overrides it is {}`},
		"cut off":            {`{"192.0.2.1": {}`, `ends before its last }`},
		"more":               {`{} {}`, `something follows`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadOverrides(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "read exporter overrides: ") {
				t.Errorf("got error %v, want one with %s", err, test.want)
			}
		})
	}
}

func TestRateThatIsConfiguredForTheExporter(t *testing.T) {
	const (
		packet     = pb.FlowMessage_RATE_PACKET
		options    = pb.FlowMessage_RATE_OPTIONS
		configured = pb.FlowMessage_RATE_CONFIGURED
	)
	for name, test := range map[string]struct {
		override   string
		said       uint64
		optionRate uint64
		rate       uint64
		source     pb.FlowMessage_RateSource
	}{
		"forced, against all that is said":      {`{"samplingRate": 7}`, 100, 200, 7, configured},
		"forced, before the exporter's default": {`{"samplingRate": 7, "defaultSamplingRate": 8}`, 0, 0, 7, configured},
		"what the packet says, before options":  {`{"defaultSamplingRate": 8}`, 100, 200, 100, packet},
		"options, before the default":           {`{"defaultSamplingRate": 8}`, 0, 200, 200, options},
		"the exporter's default":                {`{"defaultSamplingRate": 8}`, 0, 0, 8, configured},
		"the table's default":                   {`{}`, 0, 0, 50, configured},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable(Config{DefaultRate: 50, Overrides: overrides(t, `{"0.0.0.0/0": `+test.override+`}`)})
			state := table.Get(spoofed(1), start)
			state.SetRate(9, 0, 0, test.optionRate)
			rate, source := state.Rate(9, 0, 0, test.said)
			if rate != test.rate || source != test.source {
				t.Errorf("rate %d from %v, want %d from %v", rate, source, test.rate, test.source)
			}
		})
	}
}

func TestOverridesThatChangeHoldForExportersThatAreKnown(t *testing.T) {
	table := NewTable(Config{Overrides: overrides(t, `{"192.0.2.0/24": {"samplingRate": 10, "maxFlowsPerSecond": 1}}`)})
	now := time.Unix(1_000_000, 0)
	state := table.Get(netip.MustParseAddr("192.0.2.1"), now)
	rate := func() uint64 {
		rate, _ := state.Rate(9, 0, 0, 7)
		return rate
	}
	kept := func() (n int) {
		for range 100 {
			if keep, _ := state.Keep(now); keep {
				n++
			}
		}
		return n
	}
	if rate() != 10 || kept() > 50 {
		t.Errorf("at first the rate is %d, and %d of 100 flows are kept", rate(), kept())
	}
	table.Override(Overrides{}.With(map[netip.Addr]Override{netip.MustParseAddr("192.0.2.1"): {SamplingRate: 20}}))
	if rate() != 20 || kept() != 100 {
		t.Errorf("then the rate is %d, and %d of 100 flows are kept", rate(), kept())
	}
	table.Override(Overrides{})
	if rate() != 7 || kept() != 100 {
		t.Errorf("without overrides the rate is %d, and %d of 100 flows are kept", rate(), kept())
	}
	if other, _ := table.Get(netip.MustParseAddr("192.0.2.2"), now).Rate(9, 0, 0, 7); other != 7 {
		t.Errorf("a new exporter has the rate %d of the old overrides", other)
	}
}

func TestSingleExportersGoBeforeNetworks(t *testing.T) {
	o := overrides(t, `{"192.0.2.0/24": {"name": "network"}, "192.0.2.1": {"name": "file"}}`).With(map[netip.Addr]Override{
		netip.MustParseAddr("192.0.2.1"): {Name: "settings"}, netip.MustParseAddr("2001:db8::1"): {Name: "six"},
	})
	for address, want := range map[string]string{"192.0.2.1": "settings", "192.0.2.2": "network", "2001:db8::1": "six", "2001:db8::2": ""} {
		if got := o.of(netip.MustParseAddr(address)).Name; got != want {
			t.Errorf("%s is called %q, want %q", address, got, want)
		}
	}
}
