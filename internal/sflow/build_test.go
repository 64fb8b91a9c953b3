package sflow_test

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/sflow"
)

// Datagrams are put together from the inside out: records, samples, datagram. Only
// what the tests vary is a parameter.

func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// framed is a sample or a record: format, length, body.
func framed(format uint32, body ...[]byte) []byte {
	b := join(body...)
	return join(words(format, uint32(len(b))), b)
}

// sample is a flow sample (format 1).
type sample struct {
	source, rate, in, out uint32
	records               [][]byte
}

func (s sample) bytes() []byte {
	return framed(1, words(1, s.source, s.rate, 0, 0, s.in, s.out, uint32(len(s.records))), join(s.records...))
}

// sampleOf is a flow sample of rate 1000 from interface 3 to 5.
func sampleOf(records ...[]byte) []byte {
	return sample{source: 3, rate: 1000, in: 3, out: 5, records: records}.bytes()
}

// expanded is an expanded flow sample (format 3).
type expanded struct {
	sourceType, source, inFormat, in, outFormat, out uint32
}

func (e expanded) bytes(records ...[]byte) []byte {
	return framed(3, words(1, e.sourceType, e.source, 1000, 0, 0, e.inFormat, e.in, e.outFormat, e.out,
		uint32(len(records))), join(records...))
}

func datagramOf(samples ...[]byte) []byte {
	return datagram(words(1, 0xc000020a), samples...)
}

// datagram has sequence number 42.
func datagram(agent []byte, samples ...[]byte) []byte {
	return join(words(5), agent, words(0, 42, 0, uint32(len(samples))), join(samples...))
}

// rawHeader is a raw packet header record.
func rawHeader(protocol, frameLength uint32, header []byte) []byte {
	padding := make([]byte, -len(header)&3)
	return framed(1, words(protocol, frameLength, 4, uint32(len(header))), header, padding)
}

const (
	ethernetHex = "02000000000b 02000000000a 0800"
	ipv4Hex     = "45b8002c 12340000 40060000 c0000201 c6336402"
	tcpHex      = "c35001bb 00000001 00000002 5012ffff 00000000"
)

// tcpFrame is a frame of 54 bytes from 192.0.2.1 port 50000 to 198.51.100.2 port 443.
var tcpFrame = unhex(ethernetHex + ipv4Hex + tcpHex)

// source and received are where and when the tests' datagrams come from.
var (
	source   = netip.MustParseAddrPort("[::ffff:203.0.113.9]:50123")
	received = time.Unix(1_700_000_000, 999)
)

// decoded is what a decoder handed on, copied out of the memory that it reuses.
type decoded struct {
	flows    []flow.Record
	counters []flow.Counters
}

func (got *decoded) emit(r *flow.Record) {
	record := *r
	record.ASPath, record.Communities = slices.Clone(r.ASPath), slices.Clone(r.Communities)
	got.flows = append(got.flows, record)
}

func (got *decoded) count(c *flow.Counters) { got.counters = append(got.counters, *c) }

func decode(t testing.TB, datagram []byte) ([]flow.Record, error) {
	t.Helper()
	got, err := decodeAll(t, datagram)
	return got.flows, err
}

func decodeAll(t testing.TB, datagram []byte) (decoded, error) {
	t.Helper()
	var got decoded
	d := sflow.NewDecoder(exporter.NewTable(exporter.Config{}), got.emit, got.count)
	err := d.Decode(datagram, source, received)
	return got, err
}

// decodeOne is for datagrams without errors that hold one flow.
func decodeOne(t testing.TB, datagram []byte) flow.Record {
	t.Helper()
	records, err := decode(t, datagram)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}
