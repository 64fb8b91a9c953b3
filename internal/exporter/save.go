package exporter

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"
)

// Saved state is lines of JSON: a header, one line for each exporter, newcomers and then
// the others, each the one heard of longest ago first, and an end that says how many
// there were, by which a file that was cut off is known. Readers ignore keys that they
// do not know, so that later versions may add some; formatVersion grows only when an old
// reader would get it wrong.
const (
	formatName    = "netmeta exporters"
	formatVersion = 1

	// An exporter that has reached all bounds at once takes about 20 MB.
	maxSavedLine = 32 << 20
)

type (
	savedHeader struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
		Saved   int64  `json:"saved"` // seconds since 1970, as all times here
	}
	savedEnd struct {
		Exporters *int `json:"exporters"`
	}
	savedExporter struct {
		Address      netip.Addr         `json:"address"`
		Seen         int64              `json:"seen"`
		Newcomer     bool               `json:"newcomer,omitempty"`
		Templates    []savedTemplate    `json:"templates,omitempty"`
		Rates        []savedRate        `json:"rates,omitempty"`
		Boots        []savedBoot        `json:"boots,omitempty"`
		Applications []savedApplication `json:"applications,omitempty"`
		Streams      []savedStream      `json:"streams,omitempty"`
	}
	savedTemplate struct {
		Version uint16     `json:"version"`
		Domain  uint32     `json:"domain"`
		ID      uint16     `json:"id"`
		Options bool       `json:"options,omitempty"`
		Scopes  int        `json:"scopes,omitempty"`
		Fields  [][]uint32 `json:"fields"` // [element, length], of an enterprise [element, length, enterprise]
		Used    int64      `json:"used"`
	}
	savedRate struct {
		Version uint16 `json:"version"`
		Domain  uint32 `json:"domain"`
		Sampler uint64 `json:"sampler,omitempty"`
		Rate    uint64 `json:"rate"`
		Used    int64  `json:"used"`
	}
	savedBoot struct {
		Domain uint32 `json:"domain"`
		Boot   uint64 `json:"boot"` // milliseconds since 1970
		Used   int64  `json:"used"`
	}
	savedApplication struct {
		ID   uint64 `json:"id"`
		Name string `json:"name"`
		Used int64  `json:"used"`
	}
	savedStream struct {
		Protocol string `json:"protocol"`
		Stream   uint32 `json:"stream"`
		Next     uint32 `json:"next"` // sequence number
		Used     int64  `json:"used"`
	}
)

// Save writes what is known of all exporters, for Load, but not the data sets that wait
// for a template. It holds up the exporters one by one, and only while they are copied.
func (t *Table) Save(w io.Writer, now time.Time) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	if err := encoder.Encode(savedHeader{formatName, formatVersion, now.Unix()}); err != nil {
		return fmt.Errorf("save the state of exporters: %w", err)
	}
	t.mu.Lock()
	first, then := t.newcomers.states.Values(), t.established.states.Values()
	t.mu.Unlock()
	for i, s := range slices.Concat(first, then) {
		saved := s.saved()
		saved.Newcomer = i < len(first)
		if err := encoder.Encode(saved); err != nil {
			return fmt.Errorf("save the state of exporter %s: %w", s.address, err)
		}
	}
	count := len(first) + len(then)
	if err := encoder.Encode(savedEnd{&count}); err != nil {
		return fmt.Errorf("save the state of exporters: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("save the state of exporters: %w", err)
	}
	return nil
}

func seconds(t int64) int64 { return t / nanoseconds }

// saved returns a copy of what is worth saving, of each kind the least recently used first.
func (s *State) saved() savedExporter {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := savedExporter{Address: s.address, Seen: seconds(s.now())}
	for key, v := range s.templates.all() {
		e.Templates = append(e.Templates, savedTemplate{key.version, key.domain, key.id, v.value.Options, v.value.Scopes, savedFields(v.value.Fields), seconds(v.used)})
	}
	for key, v := range s.rates.all() {
		e.Rates = append(e.Rates, savedRate{key.version, key.domain, key.sampler, v.value, seconds(v.used)})
	}
	for domain, v := range s.boots.all() {
		e.Boots = append(e.Boots, savedBoot{domain, v.value, seconds(v.used)})
	}
	for id, v := range s.applications.all() {
		e.Applications = append(e.Applications, savedApplication{id, v.value, seconds(v.used)})
	}
	for key, v := range s.streams.all() {
		if v.value.known && !v.value.open {
			e.Streams = append(e.Streams, savedStream{key.protocol.String(), key.stream, v.value.next, seconds(v.used)})
		}
	}
	return e
}

func savedFields(fields []Field) [][]uint32 {
	saved := make([][]uint32, len(fields))
	for i, f := range fields {
		saved[i] = []uint32{uint32(f.ID), uint32(f.Length)}
		if f.Enterprise != 0 {
			saved[i] = append(saved[i], f.Enterprise)
		}
	}
	return saved
}
