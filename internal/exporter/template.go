package exporter

import (
	"fmt"
	"slices"
)

// Field describes one field of a template (RFC 7011 section 3.2).
type Field struct {
	Enterprise uint32 // private enterprise number; 0: IANA's, and always 0 in NetFlow v9
	ID         uint16 // information element, without the enterprise bit
	Length     uint16 // bytes; VariableLength: said in every record
}

// VariableLength is the Length of a field whose values carry their own length
// (RFC 7011 section 7).
const VariableLength = 0xffff

// Template describes the records of one data set. It is never changed once it was
// given to SetTemplate.
type Template struct {
	Options bool    // records are options data, not flows
	Scopes  int     // so many of the first fields say what the options are about
	Fields  []Field // in the order in which a record holds them

	MinSize  int  // bytes of the shortest record: fixed fields, and 1 for each of variable length
	Variable bool // some field is of variable length
}

// NewTemplate returns a template of these fields, with its size worked out.
func NewTemplate(options bool, scopes int, fields []Field) *Template {
	t := &Template{Options: options, Scopes: scopes, Fields: fields}
	for _, f := range fields {
		if f.Length == VariableLength {
			t.Variable = true
			t.MinSize++
		} else {
			t.MinSize += int(f.Length)
		}
	}
	return t
}

// MaxFields is how many fields a template that can be used may have. Real ones have up
// to about 130.
const MaxFields = 1024

// maxRecordSize is what fits into a datagram: the largest IP packet without the headers
// of IP, of an IPFIX message and of a set.
const maxRecordSize = 65_535 - 20 - 16 - 4

// Check returns why no data set can be read by the template, nil if one can.
func (t *Template) Check() error {
	switch {
	case len(t.Fields) > MaxFields:
		return fmt.Errorf("%d fields are more than %d", len(t.Fields), MaxFields)
	case t.Scopes < 0 || t.Scopes > len(t.Fields):
		return fmt.Errorf("%d scopes among %d fields", t.Scopes, len(t.Fields))
	case t.MinSize == 0:
		// A record without bytes would be found in a data set without end.
		return fmt.Errorf("its %d fields are all of length 0", len(t.Fields))
	case t.MinSize > maxRecordSize:
		return fmt.Errorf("a record of %d bytes fits into no datagram", t.MinSize)
	}
	return nil
}

// maxTemplateBytes bounds the templates of one exporter, so that one with many
// absurdly wide ones does not drive out the others. It is enough for the default of
// MaxTemplates of 88 fields each.
const maxTemplateBytes = 4 << 20

func (t *Template) bytes() int { return templateOverhead + fieldBytes*len(t.Fields) }

func (t *Template) equal(other *Template) bool {
	return t.Options == other.Options && t.Scopes == other.Scopes && slices.Equal(t.Fields, other.Fields)
}

// templateKey: template ids are unique within an observation domain (IPFIX) or
// source id (NetFlow v9), and the two protocols know nothing of each other.
type templateKey struct {
	domain  uint32
	version uint16
	id      uint16
}

// Template returns the template by that id, or nil. Version is that of the
// protocol (9 or 10), domain the observation domain or source id.
//
// A template expires when for Config.Lifetime it was neither repeated nor asked for.
// RFC 3954 section 9 and RFC 7011 section 8.4 let it expire when it is not repeated,
// however much it is used; but exporters that send their templates only when they
// start are common, and dropping all their flows does more harm than the rare id that
// gets another meaning without its new template being seen.
func (s *State) Template(version uint16, domain uint32, id uint16) *Template {
	s.mu.Lock()
	defer s.unlock()
	t, _ := s.templates.get(templateKey{domain, version, id}, s.limits(s.table.config.MaxTemplates), s.now())
	return t
}

// SetTemplate remembers a template, in place of an earlier one by the same id. It
// reports whether that changed anything: exporters repeat their templates.
func (s *State) SetTemplate(version uint16, domain uint32, id uint16, t *Template) bool {
	s.mu.Lock()
	defer s.unlock()
	return s.setTemplate(templateKey{domain, version, id}, t, s.now())
}

func (s *State) setTemplate(key templateKey, t *Template, now int64) (changed bool) {
	l := s.limits(s.table.config.MaxTemplates)
	templatesIdle.Add(float64(s.templates.expire(l, now)))
	if old, ok := s.templates.get(key, l, now); ok && old.equal(t) {
		return false
	}
	if s.templates.set(key, t, t.bytes(), l, now) {
		templatesCapacity.Inc()
	}
	for s.templates.bytes > maxTemplateBytes && s.templates.len() > 1 {
		s.templates.removeOldest()
		templatesBytes.Inc()
	}
	s.changed()
	return true
}

// RemoveTemplate forgets a template, and reports whether there was one.
func (s *State) RemoveTemplate(version uint16, domain uint32, id uint16) bool {
	s.mu.Lock()
	defer s.unlock()
	if !s.templates.remove(templateKey{domain, version, id}) {
		return false
	}
	s.changed()
	return true
}

// RemoveTemplates forgets all templates of a domain, those for options data or
// those for flows, and returns how many there were. It looks at every template of
// the exporter.
func (s *State) RemoveTemplates(version uint16, domain uint32, options bool) int {
	s.mu.Lock()
	defer s.unlock()
	removed := 0
	for key, e := range s.templates.all() {
		if key.version == version && key.domain == domain && e.value.Options == options {
			s.templates.remove(key)
			removed++
		}
	}
	if removed > 0 {
		s.changed()
	}
	return removed
}
