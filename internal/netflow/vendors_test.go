package netflow

import (
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestNATAndFirewallEventsOfCiscoASA(t *testing.T) {
	r := decodeOne(t, v9(
		set(0, template(256, field{40001, 4}, field{40002, 4}, field{40003, 2}, field{40004, 2}, field{40005, 1})),
		set(256, addr("198.51.100.7"), addr("203.0.113.9"), u16(50_000), u16(443), u8(2))))
	equal(t, netip.MustParseAddr("198.51.100.7"), r.PostNATSrcAddr)
	equal(t, netip.MustParseAddr("203.0.113.9"), r.PostNATDstAddr)
	equal(t, []uint32{50_000, 443, 2}, []uint32{r.PostNATSrcPort, r.PostNATDstPort, r.FirewallEvent})
}

// said is what the fields of a vendor can say.
type said struct {
	name           string
	id             uint64
	bytes, packets uint64
}

func saidBy(r flow.Record) said { return said{r.ApplicationName, r.ApplicationID, r.Bytes, r.Packets} }

func TestApplicationsAndCountersInFieldsOfVendors(t *testing.T) {
	octets := field{1, 4}
	withOctets := func(fields ...[]byte) []byte {
		return set(2, u16(256), u16(uint16(1+len(fields))), join(fields...), specifiers([]field{octets}))
	}
	for _, test := range []struct {
		exporter string
		datagram []byte
		want     said
	}{
		{"PAN-OS", v9(set(0, template(256, field{56701, 32}, octets)), set(256, []byte("ssl"), zeros(29), u32(100))),
			said{name: "ssl", bytes: 100}},
		{"nProbe, NetFlow v9", v9(set(0, template(256, field{57591, 16}, octets)), set(256, []byte("TLS.Google"), zeros(6), u32(100))),
			said{name: "TLS.Google", bytes: 100}},
		{"nProbe, IPFIX", ipfix10(withOctets(enterpriseField(119, variable, 35632)), set(256, u8(3), []byte("DNS"), u32(100))),
			said{name: "DNS", bytes: 100}},
		{"Ixia", ipfix10(withOctets(enterpriseField(110, 4, 3054), enterpriseField(111, variable, 3054)),
			set(256, u32(134), u8(5), []byte("Skype"), u32(100))),
			said{name: "Skype", id: 134, bytes: 100}},
		{"Procera", ipfix10(
			set(2, u16(256), u16(5), enterpriseField(1, variable, 15397), enterpriseField(3, 8, 15397), enterpriseField(4, 8, 15397),
				enterpriseField(5, 8, 15397), enterpriseField(6, 8, 15397)),
			set(256, u8(5), []byte("BGP-4"), u64(7000), u64(300), u64(70), u64(3))),
			said{name: "BGP-4", bytes: 7300, packets: 73}},
	} {
		t.Run(test.exporter, func(t *testing.T) {
			if got := saidBy(decodeOne(t, test.datagram)); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

// A number means what its vendor says, in the protocol of that number.
func TestFieldsOfVendorsAreThoseOfTheirEnterpriseAndProtocol(t *testing.T) {
	for what, datagram := range map[string][]byte{
		"PAN-OS's type in IPFIX": ipfix10(set(2, template(256, field{56701 - enterpriseBit, 8}, field{1, 4})),
			set(256, zeros(7), u8(1), u32(100))),
		"Procera's element of another enterprise": ipfix10(
			set(2, u16(256), u16(2), enterpriseField(3, 8, 15398), specifiers([]field{{1, 4}})), set(256, zeros(7), u8(1), u32(100))),
		"Procera's element in NetFlow v9": v9(set(0, template(256, field{3, 8}, field{1, 4})), set(256, zeros(7), u8(1), u32(100))),
	} {
		if got, want := saidBy(decodeOne(t, datagram)), (said{bytes: 100}); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
}

func TestFieldsOfVendorsThatAreReadAreThoseThatAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../doc/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`\| (?:NetFlow v9, type (\d+)|IPFIX, enterprise (\d+), element (\d+)) \| IE (\d+) \|`)
	number := func(text []byte) int {
		n, _ := strconv.Atoi(string(text)) // matched as digits, or empty: 0
		return n
	}
	documented := map[vendorField]uint16{}
	for _, m := range row.FindAllSubmatch(page, -1) {
		field := vendorField{9, 0, uint16(number(m[1]))}
		if m[1] == nil {
			field = vendorField{10, uint32(number(m[2])), uint16(number(m[3]))}
		}
		documented[field] = uint16(number(m[4]))
	}
	equal(t, documented, vendorFields)
}
