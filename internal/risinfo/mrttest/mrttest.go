// Package mrttest makes routing tables for tests and benchmarks: as large as the internet's,
// with its distribution of prefix lengths, and the same for the same seed.
package mrttest

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
)

// Entry is a prefix and its origin.
type Entry struct {
	Prefix netip.Prefix
	ASN    uint32
}

// share is how many of a thousand prefixes have a length.
type share struct{ bits, permille int }

// The lengths of prefixes as collectors see them in 2026, about.
var (
	shares4 = []share{{24, 595}, {23, 98}, {22, 118}, {21, 50}, {20, 46}, {19, 27}, {18, 14}, {17, 9}, {16, 14}, {15, 2}, {14, 1}, {13, 1}, {12, 1}, {25, 8}, {26, 6}, {27, 4}, {28, 3}, {29, 2}, {32, 1}}
	shares6 = []share{{48, 470}, {32, 130}, {44, 110}, {40, 90}, {36, 40}, {46, 30}, {47, 25}, {45, 20}, {33, 20}, {34, 15}, {35, 10}, {29, 20}, {42, 10}, {64, 10}}
)

// Table returns so many IPv4 and IPv6 prefixes, each once, in the order of a routing table.
func Table(seed uint64, four, six int) []Entry {
	random := rand.New(rand.NewPCG(seed, 6396))
	entries := make([]Entry, 0, four+six)
	seen := make(map[netip.Prefix]bool, four+six)
	draw := func(shares []share, address func() netip.Addr) {
		for {
			prefix, err := address().Prefix(length(random, shares))
			if err == nil && !seen[prefix] {
				seen[prefix] = true
				entries = append(entries, Entry{prefix, 1 + random.Uint32N(60_000)%23_000 + 200_000*random.Uint32N(2)})
				return
			}
		}
	}
	for range four {
		draw(shares4, func() netip.Addr { return Address4(random) })
	}
	for range six {
		draw(shares6, func() netip.Addr { return Address6(random) })
	}
	return entries
}

func length(random *rand.Rand, shares []share) int {
	n := random.IntN(1000)
	for _, s := range shares {
		if n -= s.permille; n < 0 {
			return s.bits
		}
	}
	return shares[0].bits
}

// Address4 returns an IPv4 address of the part that is routed, evenly.
func Address4(random *rand.Rand) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 1<<24+random.Uint32N(222<<24))
	return netip.AddrFrom4(a)
}

// Address6 returns an IPv6 address in the few hundred blocks that networks have most of
// theirs in, so that a table has prefixes within prefixes.
func Address6(random *rand.Rand) netip.Addr {
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], random.Uint64())
	binary.BigEndian.PutUint64(a[8:], random.Uint64())
	blocks := [...]uint16{0x2001, 0x2400, 0x2600, 0x2604, 0x2800, 0x2a00, 0x2a02, 0x2c0f}
	binary.BigEndian.PutUint16(a[:], blocks[random.IntN(len(blocks))])
	return netip.AddrFrom16(a)
}

// Write writes entries as an MRT file of a collector with so many peers, all of which have a
// path to each prefix.
func Write(w io.Writer, entries []Entry, peers int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	index := make([]byte, 8, 8+13*peers)
	binary.BigEndian.PutUint16(index[6:], uint16(peers))
	for i := range peers {
		// IPv4 address and AS number of four bytes (RFC 6396, 4.3.1).
		index = append(index, 2, 192, 0, 2, byte(i), 192, 0, 2, byte(i))
		index = binary.BigEndian.AppendUint32(index, 64496+uint32(i))
	}
	if err := writeRecord(out, 1, index); err != nil {
		return err
	}
	var body []byte
	for i, e := range entries {
		body = binary.BigEndian.AppendUint32(body[:0], uint32(i))
		body = append(body, byte(e.Prefix.Bits()))
		body = append(body, e.Prefix.Addr().AsSlice()[:(e.Prefix.Bits()+7)/8]...)
		body = binary.BigEndian.AppendUint16(body, uint16(peers))
		for peer := range peers {
			body = appendEntry(body, peer, e)
		}
		subtype := uint16(4)
		if e.Prefix.Addr().Is4() {
			subtype = 2
		}
		if err := writeRecord(out, subtype, body); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendEntry appends the path of a peer, with the attributes that peers usually send.
func appendEntry(body []byte, peer int, e Entry) []byte {
	body = binary.BigEndian.AppendUint16(body, uint16(peer))
	body = binary.BigEndian.AppendUint32(body, 1_790_000_000)
	path := []uint32{64496 + uint32(peer), 64600 + e.ASN%50, 64700 + e.ASN%7, e.ASN}
	attributes := []byte{0x40, 1, 1, 0, 0x50, 2, 0, byte(2 + 4*len(path)), 2, byte(len(path))}
	for _, asn := range path {
		attributes = binary.BigEndian.AppendUint32(attributes, asn)
	}
	attributes = append(attributes, 0x40, 3, 4, 192, 0, 2, byte(peer))
	attributes = append(attributes, 0xc0, 8, 8, 0xfc, 0, 0, 1, 0xfc, 0, 0, 2) // communities
	body = binary.BigEndian.AppendUint16(body, uint16(len(attributes)))
	return append(body, attributes...)
}

func writeRecord(out *bufio.Writer, subtype uint16, body []byte) error {
	var header [12]byte
	binary.BigEndian.PutUint32(header[:], 1_790_000_000)
	binary.BigEndian.PutUint16(header[4:], 13)
	binary.BigEndian.PutUint16(header[6:], subtype)
	binary.BigEndian.PutUint32(header[8:], uint32(len(body)))
	if _, err := out.Write(header[:]); err != nil {
		return err
	}
	_, err := out.Write(body)
	return err
}
