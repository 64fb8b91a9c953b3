package exporter

import (
	"slices"
	"time"
)

// Held is a data set that waits for its template, with what its datagram said that
// is needed to read it later.
type Held struct {
	Received time.Time
	Exported int64  // the exporter's clock, milliseconds since 1970
	Uptime   uint32 // milliseconds
	Sequence uint32 // of the datagram
	Body     []byte // of the set, without its header
}

type heldSet struct {
	templateKey
	Held
}

const maxHeldBytes = 256 << 10

// Hold keeps a data set whose template is unknown until Release is called for that
// template. It copies the body. It reports false where there is no room: the set was
// not kept.
func (s *State) Hold(version uint16, domain uint32, id uint16, h Held) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heldBytes+len(h.Body) > maxHeldBytes {
		return false
	}
	h.Body = slices.Clone(h.Body)
	s.held = append(s.held, heldSet{templateKey{domain, version, id}, h})
	s.heldBytes += len(h.Body)
	return true
}

// Release hands back the data sets that were held for a template, oldest first, and
// forgets them. It is cheap where nothing is held.
func (s *State) Release(version uint16, domain uint32, id uint16, now time.Time) []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var released []Held
	key := templateKey{domain, version, id}
	s.held = slices.DeleteFunc(s.held, func(h heldSet) bool {
		if h.templateKey != key {
			return false
		}
		s.heldBytes -= len(h.Body)
		if now.Sub(h.Received) < s.table.config.TemplateWait {
			released = append(released, h.Held)
		}
		return true
	})
	return released
}
