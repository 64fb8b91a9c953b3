package netflow

import (
	"errors"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/golden"
)

const variable = exporter.VariableLength

// Other decoders keep the first of these as a template of size 0, and look for its
// records in the second for ever.
func TestWithdrawalThenDataEndsAtOnce(t *testing.T) {
	for _, version := range []string{"v9", "ipfix"} {
		t.Run(version, func(t *testing.T) {
			withdrawal, data := golden.Bytes(t, "withdrawal-"+version+""), golden.Bytes(t, "data-"+version+"")
			c := newCollector(noWaiting)
			if err := c.decode(withdrawal); err != nil {
				t.Errorf("withdrawal of a template never sent: %v", err)
			}
			if err := c.decode(data); !errors.Is(err, ErrUnknownTemplate) {
				t.Errorf("data: error %v, want %v", err, ErrUnknownTemplate)
			}

			known := v9(set(0, bytesTemplate(256)))
			if version == "ipfix" {
				known = ipfix10(set(2, bytesTemplate(256)))
			}
			if err := c.decode(known, data); err != nil {
				t.Fatal(err)
			}
			if err := c.decode(withdrawal, data); !errors.Is(err, ErrUnknownTemplate) {
				t.Errorf("data after its template was withdrawn: error %v, want %v", err, ErrUnknownTemplate)
			}
			equal(t, 1, len(c.records))
		})
	}
}

func TestTemplateOfEmptyFieldsIsRefused(t *testing.T) {
	c := newCollector(noWaiting)
	empty := template(256, field{1, 0}, field{2, 0})
	if err := c.decode(ipfix10(set(2, empty)), v9(set(0, empty))); err == nil {
		t.Error("no error")
	}
	if err := c.decode(ipfix10(set(256, u32(1)))); !errors.Is(err, ErrUnknownTemplate) {
		t.Errorf("error %v, want %v", err, ErrUnknownTemplate)
	}
}

func TestWithdrawals(t *testing.T) {
	flows := []byte{}
	for id := uint16(256); id < 259; id++ {
		flows = join(flows, bytesTemplate(id))
	}
	options := optionsTemplateIPFIX(300, []field{{149, 4}}, []field{{34, 4}})
	learn := ipfix10(set(2, flows), set(3, options))
	for name, test := range map[string]struct {
		withdrawal []byte
		left       []uint16
	}{
		"one template":              {set(2, u16(257), u16(0)), []uint16{256, 258, 300}},
		"two templates":             {set(2, u16(257), u16(0), u16(258), u16(0)), []uint16{256, 300}},
		"one options template":      {set(3, u16(300), u16(0)), []uint16{256, 257, 258}},
		"all templates":             {set(2, u16(2), u16(0)), []uint16{300}},
		"all options templates":     {set(3, u16(3), u16(0)), []uint16{256, 257, 258}},
		"one that was never sent":   {set(2, u16(400), u16(0)), []uint16{256, 257, 258, 300}},
		"one and a new one":         {set(2, u16(256), u16(0), bytesTemplate(259)), []uint16{257, 258, 259, 300}},
		"unusable in its new shape": {set(2, template(256, field{1, 0})), []uint16{257, 258, 300}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			if err := c.decode(learn); err != nil {
				t.Fatal(err)
			}
			c.decode(ipfix10(test.withdrawal))
			state := c.table.Get(source.Addr(), received)
			var left []uint16
			for id := uint16(256); id < 512; id++ {
				if state.Template(10, testDomain, id) != nil {
					left = append(left, id)
				}
			}
			equal(t, test.left, left)
		})
	}
}

func TestWithdrawalLeavesOtherDomains(t *testing.T) {
	c := newCollector(exporter.Config{})
	other := ipfix10(set(2, bytesTemplate(256)))
	copy(other[12:], u32(2))
	if err := c.decode(other, ipfix10(set(2, bytesTemplate(256))), ipfix10(set(2, u16(2), u16(0)))); err != nil {
		t.Fatal(err)
	}
	state := c.table.Get(source.Addr(), received)
	if state.Template(10, 2, 256) == nil {
		t.Error("the template of domain 2 went with those of domain 1")
	}
}

func TestTemplateAppliesFromItsPlaceInTheDatagram(t *testing.T) {
	narrow, wide := bytesTemplate(256), template(256, field{1, 8})
	for name, test := range map[string]struct {
		sets [][]byte
		want []uint64
	}{
		"data before its template":        {[][]byte{set(256, u32(100)), set(2, narrow)}, []uint64{100}},
		"data, then another template":     {[][]byte{set(2, narrow), set(256, u32(100)), set(2, wide), set(256, u64(200))}, []uint64{100, 200}},
		"data, then its template is gone": {[][]byte{set(2, narrow), set(256, u32(100)), set(2, u16(256), u16(0))}, []uint64{100}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, test.want, bytesOf(decodeAll(t, ipfix10(test.sets...))))
		})
	}
}

func TestFieldsOfVariableLength(t *testing.T) {
	long := append([]byte{255, 0, 200}, zeros(200)...)
	for name, test := range map[string]struct {
		fields []field
		data   []byte
		want   []uint64
	}{
		"among others":             {[]field{{82, variable}, {1, 4}}, join([]byte{2, 'e', 't'}, u32(100), []byte{0}, u32(200)), []uint64{100, 200}},
		"with a length of 3 bytes": {[]field{{82, variable}, {1, 4}}, join(long, u32(100)), []uint64{100}},
		"a counter":                {[]field{{1, variable}, {2, 1}}, []byte{1, 100, 1, 2, 0, 200, 1}, []uint64{100, 200}},
		"nothing else":             {[]field{{1, variable}, {82, variable}}, []byte{1, 100, 0, 1, 200, 2, 'e', 't'}, []uint64{100, 200}},
		"nothing else, padded":     {[]field{{1, variable}}, []byte{1, 100, 1, 200, 0, 0}, []uint64{100, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, test.want, bytesOf(decodeAll(t, ipfix10(set(2, template(256, test.fields...)), set(256, test.data)))))
		})
	}
}

func TestEnterpriseFieldsAreSkipped(t *testing.T) {
	// Element 1 of an enterprise is not octetDeltaCount, and the enterprise bit must
	// not become part of a number in options templates either.
	enterprise := func(id, length uint16) []byte { return enterpriseField(id, length, 35632) }
	datagram := ipfix10(
		set(2, u16(256), u16(3), enterprise(1, 4), specifiers([]field{{1, 4}}), enterprise(2, variable)),
		set(3, u16(300), u16(3), u16(1), enterprise(149, 4), enterprise(34, 4), specifiers([]field{{34, 4}})),
		set(300, u32(1), u32(5), u32(1000)),
		set(256, u32(7), u32(100), u8(2), u16(9)))
	c := newCollector(exporter.Config{})
	if err := c.decode(datagram); err != nil {
		t.Fatal(err)
	}
	equal(t, []uint64{100}, bytesOf(c.records))
	equal(t, uint64(0), c.records[0].Packets)
	equal(t, uint64(1000), c.records[0].SamplingRate)
	equal(t, []exporter.Field{{ID: 149, Length: 4, Enterprise: 35632}, {ID: 34, Length: 4, Enterprise: 35632}, {ID: 34, Length: 4}},
		c.table.Get(source.Addr(), received).Template(10, testDomain, 300).Fields)
}

func TestTemplatesOfVersionsAndDomainsAreApart(t *testing.T) {
	c := newCollector(noWaiting)
	otherDomain := v9(set(256, u32(1)))
	copy(otherDomain[16:], u32(2))
	if err := c.decode(v9(set(0, bytesTemplate(256))), v9(set(256, u32(100)))); err != nil {
		t.Fatal(err)
	}
	for name, datagram := range map[string][]byte{"IPFIX": ipfix10(set(256, u32(1))), "another domain": otherDomain} {
		if err := c.decode(datagram); !errors.Is(err, ErrUnknownTemplate) {
			t.Errorf("%s: error %v, want %v", name, err, ErrUnknownTemplate)
		}
	}
}
