package exporter

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// State is what is remembered of one exporter. It is safe for concurrent use: the
// datagrams of one exporter may arrive by several sockets.
type State struct {
	table *Table

	// Guarded by table.mu.
	lastSeen time.Time
	bytes    int
	evicted  bool

	mu        sync.Mutex
	templates *simplelru.LRU[templateKey, *Template] // nil until there is one
	size      int                                    // of templates, in bytes
	rates     *simplelru.LRU[samplerKey, uint64]     // nil until there is one
	agreed    map[domainKey]uint64                   // see agreedRate; emptied when a rate changes
	boots     *simplelru.LRU[uint32, uint64]         // by domain, see SetBoot; nil until there is one

	applications *simplelru.LRU[uint64, string] // nil until there is one
	held         []heldSet                      // oldest first
	heldBytes    int
}

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

// Estimates of what entries occupy in memory, with their share of map and list.
const (
	templateOverhead = 320
	fieldBytes       = 8
	samplerBytes     = 192
	bootBytes        = 128
)

// maxTemplateBytes bounds the templates of one exporter, so that one with many
// absurdly wide ones does not drive out the others. It is enough for MaxTemplates
// of 88 fields each.
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
func (s *State) Template(version uint16, domain uint32, id uint16) *Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.templates == nil {
		return nil
	}
	t, _ := s.templates.Get(templateKey{domain, version, id})
	return t
}

// SetTemplate remembers a template, in place of an earlier one by the same id. It
// reports whether that changed anything: exporters repeat their templates.
func (s *State) SetTemplate(version uint16, domain uint32, id uint16, t *Template) bool {
	s.mu.Lock()
	key := templateKey{domain, version, id}
	if s.templates == nil {
		s.templates = newLRU[templateKey, *Template](s.table.config.MaxTemplates)
	}
	before := s.size
	if old, ok := s.templates.Get(key); ok {
		if old.equal(t) {
			s.mu.Unlock()
			return false
		}
		s.size -= old.bytes()
	} else if s.templates.Len() >= s.table.config.MaxTemplates {
		s.dropOldestTemplate()
		templatesCapacity.Inc()
	}
	s.templates.Add(key, t)
	s.size += t.bytes()
	for s.size > maxTemplateBytes && s.templates.Len() > 1 {
		s.dropOldestTemplate()
		templatesBytes.Inc()
	}
	grown := s.size - before
	s.mu.Unlock()

	s.table.charge(s, grown)
	return true
}

func (s *State) dropOldestTemplate() {
	if _, t, ok := s.templates.RemoveOldest(); ok {
		s.size -= t.bytes()
	}
}

// RemoveTemplate forgets a template, and reports whether there was one.
func (s *State) RemoveTemplate(version uint16, domain uint32, id uint16) bool {
	s.mu.Lock()
	var t *Template
	if s.templates != nil {
		key := templateKey{domain, version, id}
		if t, _ = s.templates.Peek(key); t != nil {
			s.templates.Remove(key)
			s.size -= t.bytes()
		}
	}
	s.mu.Unlock()

	if t == nil {
		return false
	}
	s.table.charge(s, -t.bytes())
	return true
}

// RemoveTemplates forgets all templates of a domain, those for options data or
// those for flows, and returns how many there were. It looks at every template of
// the exporter.
func (s *State) RemoveTemplates(version uint16, domain uint32, options bool) int {
	s.mu.Lock()
	before, removed := s.size, 0
	if s.templates != nil {
		for _, key := range s.templates.Keys() {
			t, _ := s.templates.Peek(key)
			if key.version == version && key.domain == domain && t.Options == options {
				s.templates.Remove(key)
				s.size -= t.bytes()
				removed++
			}
		}
	}
	shrunk := before - s.size
	s.mu.Unlock()

	s.table.charge(s, -shrunk)
	return removed
}
