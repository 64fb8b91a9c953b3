package netflow

import (
	"encoding/binary"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// locate finds the fields of the record that begins at b, whose lengths vary, and
// returns its size; not ok where it is longer than b.
func (p *program) locate(t *exporter.Template, b []byte) (size int, ok bool) {
	size = p.fixedSize // which b has, being no shorter than the shortest record
	for i := p.fixed; i < len(t.Fields); i++ {
		f := &t.Fields[i]
		length := int(f.Length)
		if f.Length == exporter.VariableLength {
			var prefix int
			if length, prefix, ok = readLength(b[size:]); !ok {
				return 0, false
			}
			size += prefix
		}
		if size += length; size > len(b) {
			return 0, false
		}
		p.places[i] = place{uint16(size), uint16(length)}
	}
	relocate(p.numbers32, p)
	relocate(p.better32, p)
	relocate(p.numbers64, p)
	relocate(p.better64, p)
	relocate(p.addresses4, p)
	relocate(p.addresses, p)
	relocate(p.sections, p)
	return size, true
}

// relocate moves values from their places in the record at hand.
func relocate[T any](moves []move[T], p *program) {
	for i := range moves {
		m := &moves[i]
		if int(m.field) < p.fixed {
			continue
		}
		at := p.places[m.field]
		if at.size != m.size {
			m.mask = m.element.bits(int(at.size))
		}
		m.place = at
	}
}

// readLength reads the length in front of a value of variable length: one byte, or
// 255 and two bytes (RFC 7011 section 7). Prefix is how many that was.
func readLength(b []byte) (length, prefix int, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 255:
		return int(b[0]), 1, true
	case len(b) >= 3:
		return int(binary.BigEndian.Uint16(b[1:])), 3, true
	}
	return 0, 0, false
}

// number returns the number at its place, of which w has the eight bytes that end there.
func (m *move[T]) number(w []byte) uint64 {
	end := int(m.end)
	return binary.BigEndian.Uint64(w[end:end+margin]) & m.mask
}

// run sets the values that a record says. W is the record and the margin in front.
func (p *program) run(v *values, w []byte) {
	for i := range p.sections {
		m := &p.sections[i]
		*m.to = w[margin+int(m.end)-int(m.size) : margin+int(m.end)]
	}
	if p.forward&partPacket != 0 {
		v.readPacket()
	}
	store(p.numbers32, w)
	store(p.numbers64, w)
	improve(p.better32, w)
	improve(p.better64, w)
	for i := range p.addresses4 {
		m := &p.addresses4[i]
		end := margin + int(m.end)
		*m.to = netip.AddrFrom4([4]byte(w[end-4 : end]))
	}
	for i := range p.addresses {
		m := &p.addresses[i]
		if a := readAddress(w, m.place); m.first || isKnown(a) || !isKnown(*m.to) && a.IsValid() {
			*m.to = a
		}
	}
}

func store[T uint32 | uint64](moves []move[T], w []byte) {
	for i := range moves {
		m := &moves[i]
		*m.to = T(m.number(w))
	}
}

// improve leaves what is there where the better number is 0.
func improve[T uint32 | uint64](moves []move[T], w []byte) {
	for i := range moves {
		m := &moves[i]
		if n := T(m.number(w)); n != 0 {
			*m.to = n
		}
	}
}

// readAddress reads an IP address, whose kind is what its length says; the zero Addr
// if that is neither 4 nor 16.
func readAddress(w []byte, at place) netip.Addr {
	switch b := w[margin+int(at.end)-int(at.size):]; at.size {
	case 4:
		return netip.AddrFrom4([4]byte(b))
	case 16:
		return netip.AddrFrom16([16]byte(b))
	}
	return netip.Addr{}
}
