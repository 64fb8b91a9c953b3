package exporter

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Load adds what Save has written, under the bounds of t. Exporters that t knows
// already stay as they are; what has expired in the meantime is left out. On damage it
// returns an error that says which line is wrong, and has loaded what stands before it.
//
// Sequence numbers are loaded too, so that a new start of the collector is no gap. What
// exporters sent in the meantime is not counted as lost, which would point to the
// network, but apart, as netmeta_exporter_missed_while_down_total.
func (t *Table) Load(r io.Reader, now time.Time) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxSavedLine)
	loaded, ended := 0, false
	number := 0
	for lines.Scan() {
		number++
		var err error
		switch {
		case number == 1:
			err = checkHeader(lines.Bytes())
		case ended:
			err = errors.New("stands behind the end")
		default:
			ended, err = t.loadLine(lines.Bytes(), loaded, now)
			loaded++
		}
		if err != nil {
			return fmt.Errorf("load the state of exporters: line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("load the state of exporters: line %d: %w", number+1, err)
	}
	if !ended {
		return fmt.Errorf("load the state of exporters: cut off after line %d", number)
	}
	return nil
}

func checkHeader(line []byte) error {
	var h savedHeader
	if err := json.Unmarshal(line, &h); err != nil {
		return err
	}
	if h.Format != formatName || h.Version != formatVersion {
		return fmt.Errorf("format %q version %d, want %q version %d", h.Format, h.Version, formatName, formatVersion)
	}
	return nil
}

// loadLine loads an exporter, or reports the end; loaded is how many were before.
func (t *Table) loadLine(line []byte, loaded int, now time.Time) (ended bool, err error) {
	var l struct {
		savedExporter
		savedEnd
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return false, err
	}
	if l.Exporters != nil {
		if *l.Exporters != loaded {
			return true, fmt.Errorf("%d exporters were saved, but %d are there", *l.Exporters, loaded)
		}
		return true, nil
	}
	if !l.Address.IsValid() || l.Address.Zone() != "" {
		return false, fmt.Errorf("no exporter's address: %q", l.Address)
	}
	s, err := t.restore(&l.savedExporter, now)
	if err != nil {
		return false, fmt.Errorf("exporter %s: %w", l.Address, err)
	}
	if l.Newcomer {
		t.adopt(&t.newcomers, s, now)
	} else {
		t.adopt(&t.established, s, now)
	}
	return false, nil
}

// adopt takes in a state that was restored, unless it is too old or known already.
func (t *Table) adopt(g *segment, s *State, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.UnixNano()-s.now() >= int64(t.config.Idle) || t.newcomers.states.Contains(s.address) || t.established.states.Contains(s.address) {
		return
	}
	t.add(g, s)
}

// restore returns the state that was saved.
func (t *Table) restore(e *savedExporter, now time.Time) (*State, error) {
	seen := restoredTime(e.Seen, now)
	s := newState(t, e.Address.Unmap(), time.Unix(0, seen))
	templates, err := restoreTemplates(e.Templates)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, saved := range e.Templates {
		s.setTemplate(templateKey{saved.Domain, saved.Version, saved.ID}, templates[i], restoredTime(saved.Used, now))
	}
	for _, saved := range e.Rates {
		if saved.Rate > 0 {
			s.setRate(samplerKey{domainKey{saved.Domain, saved.Version}, saved.Sampler}, saved.Rate, restoredTime(saved.Used, now))
		}
	}
	for _, saved := range e.Boots {
		if saved.Boot > 0 {
			s.setBoot(saved.Domain, saved.Boot, restoredTime(saved.Used, now))
		}
	}
	for _, saved := range e.Applications {
		if saved.Name != "" {
			s.setApplication(saved.ID, saved.Name, restoredTime(saved.Used, now))
		}
	}
	for _, saved := range e.Streams {
		// A protocol that this version does not know is none of its business.
		if p := slices.IndexFunc(flow.Protocols[:], func(p flow.Protocol) bool { return p.String() == saved.Protocol }); p >= 0 {
			restored := &stream{next: saved.Next, known: true, restored: true}
			s.streams.set(streamKey{saved.Stream, flow.Protocol(p)}, restored, streamBytes, s.limits(t.config.MaxStreams), restoredTime(saved.Used, now))
		}
	}
	s.size.Store(s.measure())
	return s, nil
}

// restoredTime returns a saved time in nanoseconds. None is in the future: what was
// saved by a clock that was wrong would never expire.
func restoredTime(saved int64, now time.Time) int64 {
	return max(0, min(saved, now.Unix(), math.MaxInt64/nanoseconds)) * nanoseconds
}

// restoreTemplates checks everything that decoders rely on: the file may be damaged.
func restoreTemplates(saved []savedTemplate) ([]*Template, error) {
	templates := make([]*Template, len(saved))
	for i, s := range saved {
		fields, err := restoreFields(s.Fields)
		if err == nil {
			templates[i] = NewTemplate(s.Options, s.Scopes, fields)
			err = templates[i].Check()
		}
		if err != nil {
			return nil, fmt.Errorf("template %d of domain %d: %w", s.ID, s.Domain, err)
		}
	}
	return templates, nil
}

func restoreFields(saved [][]uint32) ([]Field, error) {
	fields := make([]Field, len(saved))
	for i, f := range saved {
		if len(f) != 2 && len(f) != 3 || cmp.Or(f[0]>>16, f[1]>>16) != 0 {
			return nil, fmt.Errorf("field %d is %v, want [element, length] or [element, length, enterprise]", i+1, f)
		}
		fields[i] = Field{ID: uint16(f[0]), Length: uint16(f[1])}
		if len(f) == 3 {
			fields[i].Enterprise = f[2]
		}
	}
	return fields, nil
}
