package netflow

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

var (
	source   = netip.MustParseAddrPort("192.0.2.1:2055")
	received = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// collector decodes datagrams of one exporter and collects the records.
type collector struct {
	*Decoder
	records []flow.Record
	named   []flow.Counters
}

func newCollector(config exporter.Config) *collector {
	c := &collector{}
	c.Decoder = NewDecoder(exporter.NewTable(config),
		func(r *flow.Record) { c.records = append(c.records, *r) }, func(i *flow.Counters) { c.named = append(c.named, *i) })
	return c
}

// noWaiting leaves no room for data sets that wait for their template.
var noWaiting = exporter.Config{MaxHeld: 1}

// decode returns the errors of all datagrams, joined.
func (c *collector) decode(datagrams ...[]byte) error {
	var errs []error
	for _, datagram := range datagrams {
		errs = append(errs, c.Decode(datagram, source, received))
	}
	return errors.Join(errs...)
}

// decodeAll returns the records of datagrams that must be without problems.
func decodeAll(t *testing.T, datagrams ...[]byte) []flow.Record {
	t.Helper()
	c := newCollector(exporter.Config{})
	if err := c.decode(datagrams...); err != nil {
		t.Fatal(err)
	}
	return c.records
}

// decodeOne returns the only record of such datagrams.
func decodeOne(t *testing.T, datagrams ...[]byte) flow.Record {
	t.Helper()
	records := decodeAll(t, datagrams...)
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// equal fails unless got is what was promised.
func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// bytesOf returns the counter by which tests tell records from each other.
func bytesOf(records []flow.Record) []uint64 {
	list := []uint64{}
	for _, r := range records {
		list = append(list, r.Bytes)
	}
	return list
}

func u8(v uint8) []byte      { return []byte{v} }
func u16(v uint16) []byte    { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte    { return binary.BigEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte    { return binary.BigEndian.AppendUint64(nil, v) }
func addr(s string) []byte   { return netip.MustParseAddr(s).AsSlice() }
func zeros(count int) []byte { return make([]byte, count) }

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// Headers of test datagrams say this, unless a test changes it.
const (
	testUptime   = 3_600_000 // milliseconds: an hour
	testSequence = 7
	testDomain   = 1
)

// v9 is a NetFlow v9 datagram, exported when it was received.
func v9(sets ...[]byte) []byte { return v9At(testUptime, sets...) }

func v9At(uptime uint32, sets ...[]byte) []byte {
	return join(u16(9), u16(uint16(len(sets))), u32(uptime), u32(uint32(received.Unix())),
		u32(testSequence), u32(testDomain), join(sets...))
}

// ipfix10 is an IPFIX message, exported when it was received.
func ipfix10(sets ...[]byte) []byte {
	body := join(sets...)
	return join(u16(10), u16(uint16(headerSizeIPFIX+len(body))), u32(uint32(received.Unix())),
		u32(testSequence), u32(testDomain), body)
}

func set(id uint16, parts ...[]byte) []byte {
	body := join(parts...)
	return join(u16(id), u16(uint16(setHeaderSize+len(body))), body)
}

// field is an information element and its length.
type field struct{ id, length uint16 }

func specifiers(fields []field) []byte {
	var b []byte
	for _, f := range fields {
		b = join(b, u16(f.id), u16(f.length))
	}
	return b
}

// enterpriseField is the specifier of a field that an enterprise has defined.
func enterpriseField(id, length uint16, enterprise uint32) []byte {
	return join(u16(enterpriseBit|id), u16(length), u32(enterprise))
}

// template is a template record of any version.
func template(id uint16, fields ...field) []byte {
	return join(u16(id), u16(uint16(len(fields))), specifiers(fields))
}

func optionsTemplateV9(id uint16, scopes, options []field) []byte {
	return join(u16(id), u16(uint16(4*len(scopes))), u16(uint16(4*len(options))), specifiers(scopes), specifiers(options))
}

func optionsTemplateIPFIX(id uint16, scopes, options []field) []byte {
	return join(u16(id), u16(uint16(len(scopes)+len(options))), u16(uint16(len(scopes))), specifiers(scopes), specifiers(options))
}

// bytesTemplate describes records of one field, octetDeltaCount in 4 bytes.
func bytesTemplate(id uint16) []byte { return template(id, field{1, 4}) }

// recordOf decodes one record with these fields from an exporter of each version
// whose messages are alike, and returns the record of the version.
func recordOf(t *testing.T, version int, fields []field, values ...[]byte) flow.Record {
	t.Helper()
	if version == 9 {
		return decodeOne(t, v9(set(0, template(256, fields...)), set(256, values...)))
	}
	return decodeOne(t, ipfix10(set(2, template(256, fields...)), set(256, values...)))
}
