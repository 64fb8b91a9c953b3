package netflow

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// margin is how many bytes of the datagram stand in front of the record at hand: the
// eight bytes that end with a number are read at once, however short it is.
const margin = 8

// program is a compiled template: where in a record each value is, and where in the
// decoder's values it goes. Records of fixed length are read without looking at the
// template again. As all records of a set store to the same places, nothing has to be
// reset between them.
type program struct {
	forward part // what the records have
	reverse part // and what of the other direction of a biflow
	fresh   bool // records must begin with values that are reset all the same

	// Numbers are stored, and those of a better rank stored over them unless they are 0.
	numbers32, better32 []move[uint32]
	numbers64, better64 []move[uint64]
	addresses           []move[netip.Addr]
	sections            []move[[]byte]

	// Where lengths vary: the places of the fields in the record at hand, of which those
	// of the first fields are the same in all records.
	places    []place
	fixed     int // so many fields
	fixedSize int // of so many bytes together
}

// place is where in a record a value is.
type place struct{ end, size uint16 }

// move takes a value from its place to where it belongs.
type move[T any] struct {
	to   *T
	mask uint64 // bits of a number that count
	place
	first   bool   // of those with the same destination
	field   uint16 // of the template
	element *element
}

// known is a field of a template whose element is read.
type known struct {
	*element
	values *values
	place
	field uint16
}

// compile makes the program of t for the values of d.
func (d *Decoder) compile(t *exporter.Template) *program {
	p := &program{}
	fields := d.knownFields(t, p)
	// From the last rank to the first, so that the first is stored last.
	slices.SortStableFunc(fields, func(a, b known) int { return b.rank - a.rank })
	stored := make(map[any]bool, len(fields))
	for _, f := range fields {
		to := f.to(f.values)
		if p.forward&families != families {
			to = f.values.ofOneFamily(to)
		}
		// What a frame says counts unless a field says it too.
		first := !stored[to] && p.forward&partPacket == 0
		stored[to] = true
		switch to := to.(type) {
		case *uint32:
			p.numbers32, p.better32 = add(p.numbers32, p.better32, moveOf(to, f, first))
		case *uint64:
			p.numbers64, p.better64 = add(p.numbers64, p.better64, moveOf(to, f, first))
		case *netip.Addr:
			p.addresses = append(p.addresses, moveOf(to, f, first))
		case *[]byte:
			p.sections = append(p.sections, moveOf(to, f, first))
		}
	}
	p.fresh = t.Options || p.reverse != 0 || !isPlain(p.forward)
	return p
}

// ofOneFamily returns where a value belongs if the template has addresses of one
// family only, so that there is nothing to choose.
func (v *values) ofOneFamily(to any) any {
	switch to {
	case &v.src4, &v.src6:
		return &v.SrcAddr
	case &v.dst4, &v.dst6:
		return &v.DstAddr
	case &v.srcMask4, &v.srcMask6:
		return &v.SrcNet
	case &v.dstMask4, &v.dstMask6:
		return &v.DstNet
	}
	return to
}

// isPlain tells whether resolve sets all that depends on these parts for every record.
func isPlain(parts part) bool {
	const plain = families | partICMP | partDirection | partStart | partEnd | partClock | partRate | partSpace | partApplication
	return parts&^plain == 0 && parts&families != families
}

// knownFields returns the fields of t that are read, and notes their parts in p.
func (d *Decoder) knownFields(t *exporter.Template, p *program) (list []known) {
	if t.Variable {
		p.places = make([]place, len(t.Fields))
		p.fixed = slices.IndexFunc(t.Fields, func(f exporter.Field) bool { return f.Length == exporter.VariableLength })
		for _, f := range t.Fields[:p.fixed] {
			p.fixedSize += int(f.Length)
		}
	}
	end := 0
	for i, f := range t.Fields {
		if f.Length != exporter.VariableLength {
			end += int(f.Length)
		}
		e := elementOf(t, i, d.version)
		if e == nil || f.Length == 0 {
			continue
		}
		k := known{e, &d.values, place{uint16(end), f.Length}, uint16(i)}
		switch {
		case f.Enterprise != reverseEnterprise:
			p.forward |= e.part
		case e.part&partPacket != 0:
			continue // one packet has one direction
		default:
			k.values = &d.reverse
			p.reverse |= e.part | partReverse
		}
		list = append(list, k)
	}
	return list
}

// Scope types of NetFlow v9 (RFC 3954 section 6.1) are numbered apart from the field
// types: scope 2 is an interface, field 2 a count of packets. Exporters that go beyond
// the last one mean field types.
const (
	scopeInterfaceV9 = 2
	lastScopeV9      = 5
	ingressInterface = 10 // the field type
)

// asaElements are field types that Cisco's ASA sends in NetFlow v9 (NSEL), and the
// elements that mean the same: they are older than those.
var asaElements = map[uint16]uint16{
	40001: 225, // NF_F_XLATE_SRC_ADDR_IPV4
	40002: 226, // NF_F_XLATE_DST_ADDR_IPV4
	40003: 227, // NF_F_XLATE_SRC_PORT
	40004: 228, // NF_F_XLATE_DST_PORT
	40005: 233, // NF_F_FW_EVENT
}

// elementOf returns the element of a template's field, nil if it is not read.
func elementOf(t *exporter.Template, field int, version uint16) *element {
	f := t.Fields[field]
	id := f.ID
	if version == 9 && field < t.Scopes && id <= lastScopeV9 {
		if id != scopeInterfaceV9 {
			return nil
		}
		id = ingressInterface
	}
	if same, ok := asaElements[id]; ok && version == 9 {
		id = same
	}
	if f.Enterprise != 0 && f.Enterprise != reverseEnterprise || int(id) >= len(elements) || elements[id].to == nil {
		return nil
	}
	return &elements[id]
}

func moveOf[T any](to *T, f known, first bool) move[T] {
	return move[T]{to, f.bits(int(f.place.size)), f.place, first, f.field, f.element}
}

// add appends m to those that are stored, or to those that are stored over them.
func add[T any](stored, better []move[T], m move[T]) (_, _ []move[T]) {
	if m.first {
		return append(stored, m), better
	}
	return stored, append(better, m)
}

// bits returns which of eight bytes are those of a number that ends there and has so
// many bytes. Exporters may leave out leading zero bytes (RFC 7011 section 6.2). What
// is wider than any number is none: 0.
func (e *element) bits(size int) uint64 {
	if size > 8 || e.only != 0 && e.only != size {
		return 0
	}
	bits := uint64(1)<<(8*size) - 1
	if e.mask != 0 {
		bits &= e.mask
	}
	return bits
}

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

// run sets the values that a record says. W is the record and the margin in front.
func (p *program) run(v *values, w []byte) {
	for i := range p.sections {
		m := &p.sections[i]
		*m.to = w[margin+int(m.end)-int(m.size) : margin+int(m.end)]
	}
	if p.forward&partPacket != 0 {
		v.readPacket()
	}
	for i := range p.numbers32 {
		m := &p.numbers32[i]
		*m.to = uint32(binary.BigEndian.Uint64(w[m.end:]) & m.mask)
	}
	for i := range p.numbers64 {
		m := &p.numbers64[i]
		*m.to = binary.BigEndian.Uint64(w[m.end:]) & m.mask
	}
	for i := range p.better32 {
		m := &p.better32[i]
		if n := uint32(binary.BigEndian.Uint64(w[m.end:]) & m.mask); n != 0 {
			*m.to = n
		}
	}
	for i := range p.better64 {
		m := &p.better64[i]
		if n := binary.BigEndian.Uint64(w[m.end:]) & m.mask; n != 0 {
			*m.to = n
		}
	}
	for i := range p.addresses {
		m := &p.addresses[i]
		if a := readAddress(w, m.place); m.first || isKnown(a) || !isKnown(*m.to) && a.IsValid() {
			*m.to = a
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
