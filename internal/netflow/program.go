package netflow

import (
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
	addresses4          []move[netip.Addr] // of IPv4, the first for their destinations
	addresses           []move[netip.Addr] // all others
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
			if first && f.place.size == 4 {
				p.addresses4 = append(p.addresses4, moveOf(to, f, first))
			} else {
				p.addresses = append(p.addresses, moveOf(to, f, first))
			}
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
	const plain = families | partICMP | partDirection | partStart | partEnd | partClock | partRate | partSpace | partApplication | partInterface | partToS | partDSCP
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
	if same, ok := vendorFields[vendorField{version, f.Enterprise, id}]; ok {
		return &elements[same]
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
