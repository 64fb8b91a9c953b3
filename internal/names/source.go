package names

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leoluk/NetMeta/internal/settings"
)

const (
	maxNetworks  = 500_000
	maxSource    = 64 << 20 // bytes
	fetchTimeout = 30 * time.Second
)

// source is a file or URL that lists networks. What it listed last stays until it lists
// something else that can be read.
type source struct {
	config   settings.NetworkSource
	networks map[netip.Prefix]settings.Network
	fetching chan error // of the look that is under way; nil: none is
	fetched  map[netip.Prefix]settings.Network
	at       origin
	next     time.Time // when it is looked at again
	failing  bool      // which is logged once
}

// refresh looks at the source if it is time. It waits for the answer until patience
// ends; one that takes longer is taken the next time.
func (s *source) refresh(ctx context.Context, now time.Time, patience <-chan time.Time) {
	if s.fetching == nil {
		if now.Before(s.next) {
			return
		}
		s.next = now.Add(s.config.Interval)
		s.fetching = make(chan error, 1)
		go func() { s.fetching <- s.read(ctx) }()
	}
	select {
	case err := <-s.fetching:
		s.fetching = nil
		s.finish(ctx, now, err)
	case <-patience:
	}
}

func (s *source) finish(ctx context.Context, now time.Time, err error) {
	if s.fetched != nil {
		s.networks, s.fetched = s.fetched, nil
	}
	if err == nil {
		if s.failing {
			slog.Info("names: the source of networks can be read again", "source", s.config.Name, "networks", len(s.networks))
		}
		s.failing = false
		return
	}
	sourceErrors.WithLabelValues(s.config.Name).Inc()
	s.at = origin{} // what is wrong stays wrong until it is good, also if it does not change
	// Sooner than it would be otherwise, and not so often that it hurts whoever serves it.
	s.next = now.Add(min(s.config.Interval, time.Minute))
	if !s.failing && ctx.Err() == nil {
		slog.Error("names: the networks of a source stay as they were, since it cannot be read", "source", s.config.Name, "networks", len(s.networks), "error", err)
	}
	s.failing = true
}

// read sets fetched where there is something new. Until it has returned, nothing else
// touches what it touches.
func (s *source) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	text, err := s.at.fetch(ctx, s.config.URL, s.config.File, maxSource)
	if err != nil || text == nil {
		return err
	}
	networks, bad, err := parseNetworks(s.config.Format, text)
	switch {
	case err != nil:
		return err
	case len(networks) == 0:
		return fmt.Errorf("it lists no network%s", first(bad))
	case len(bad) > len(networks):
		return fmt.Errorf("%d of %d entries are no networks%s", len(bad), len(bad)+len(networks), first(bad))
	case len(bad) > 0:
		sourceRefused.WithLabelValues(s.config.Name).Add(float64(len(bad)))
		slog.Warn("names: entries of a source of networks were left out", "source", s.config.Name, "entries", len(bad), "first", bad[0])
	}
	s.fetched = networks
	return nil
}

func first(bad []error) string {
	if len(bad) == 0 {
		return ""
	}
	return ", first: " + bad[0].Error()
}

// entry is a network as sources list it.
type entry struct {
	Network string `json:"network"`
	Prefix  string `json:"prefix"` // instead of Network
	Name    string `json:"name"`
	Role    string `json:"role"`
	Site    string `json:"site"`
	Tenant  string `json:"tenant"`

	Boundary string `json:"boundary"`
}

// parseNetworks reads a list of networks, and tells which entries were left out. JSON is
// a list of objects, or one object by network; CSV has a first line with the names of its
// columns. Other columns and keys are nobody's business here.
func parseNetworks(format string, text []byte) (map[netip.Prefix]settings.Network, []error, error) {
	if !utf8.Valid(text) {
		return nil, nil, errors.New("it is not UTF-8")
	}
	read := readJSON
	if format == "csv" {
		read = readCSV
	}
	entries, err := read(text)
	if err != nil {
		return nil, nil, err
	}
	if len(entries) > maxNetworks {
		return nil, nil, fmt.Errorf("it lists %d networks, more than %d", len(entries), maxNetworks)
	}
	var bad []error
	networks := make(map[netip.Prefix]settings.Network, len(entries))
	for i, e := range entries {
		name := e.Network
		if name == "" {
			name = e.Prefix
		}
		prefix, err := settings.ParsePrefix(name)
		if err != nil {
			bad = append(bad, fmt.Errorf("entry %d: %q %w", i+1, name, err))
			continue
		}
		if _, ok := networks[prefix]; ok {
			bad = append(bad, fmt.Errorf("entry %d: %s is there twice", i+1, prefix))
			continue
		}
		boundary := e.Boundary
		if boundary != settings.Internal && boundary != settings.External {
			boundary = ""
		}
		networks[prefix] = settings.Network{Name: clean(e.Name), Role: clean(e.Role), Site: clean(e.Site), Tenant: clean(e.Tenant), Boundary: boundary}
	}
	return networks, bad, nil
}

func readJSON(text []byte) (entries []entry, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		var byNetwork map[string]entry
		if err := json.Unmarshal(text, &byNetwork); err != nil {
			return nil, fmt.Errorf("it is no JSON of networks: %w", err)
		}
		for network, e := range byNetwork {
			e.Network = network
			entries = append(entries, e)
		}
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Network, b.Network) })
		return entries, nil
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("it is no JSON of networks: %w", err)
	}
	return entries, nil
}

func readCSV(text []byte) (entries []entry, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.Comment, r.TrimLeadingSpace = '#', true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("it is no CSV: %w", err)
	}
	columns := map[string]int{}
	for i, name := range head {
		columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	if _, ok := columns["network"]; !ok {
		if _, ok := columns["prefix"]; !ok {
			return nil, fmt.Errorf("its first line has no column network or prefix: %.80q", head)
		}
	}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, fmt.Errorf("it is no CSV: %w", err)
		}
		of := func(name string) string {
			if i, ok := columns[name]; ok {
				return strings.TrimSpace(line[i])
			}
			return ""
		}
		entries = append(entries, entry{of("network"), of("prefix"), of("name"), of("role"), of("site"), of("tenant"), of("boundary")})
	}
}
