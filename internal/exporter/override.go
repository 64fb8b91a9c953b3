package exporter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Override is what is configured for an exporter. Zero values override nothing.
type Override struct {
	Name                string `json:"name"`                // for people, in metrics
	DefaultSamplingRate uint32 `json:"defaultSamplingRate"` // packets per sample where the exporter says nothing
	SamplingRate        uint32 `json:"samplingRate"`        // packets per sample, whatever the exporter says
	MaxFlowsPerSecond   uint32 `json:"maxFlowsPerSecond"`   // what is more is thinned out, see State.Keep

	single bool // it is for one address, not for a network
}

// Overrides are what is configured for exporters by address or network. The zero value
// overrides nothing.
type Overrides struct {
	byPrefix map[netip.Prefix]*Override
	bits     []int // the lengths of IPv4 and IPv6 prefixes that occur, the longest first
}

var noOverride = &Override{}

// Override has other overrides hold from now on, also for exporters that are known.
func (t *Table) Override(o Overrides) {
	t.overrides.Store(&o)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range []*segment{&t.newcomers, &t.established} {
		for _, s := range g.states.Values() {
			s.setOverride(o.of(s.address))
		}
	}
}

func (s *State) setOverride(o *Override) {
	if s.override.Swap(o).MaxFlowsPerSecond == o.MaxFlowsPerSecond {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limiter = nil
}

// With returns the overrides and those of single exporters, which go before them.
func (o Overrides) With(single map[netip.Addr]Override) Overrides {
	all := Overrides{byPrefix: maps.Clone(o.byPrefix), bits: slices.Clone(o.bits)}
	for address, override := range single {
		override.single = true
		all.set(netip.PrefixFrom(address, address.BitLen()), &override)
	}
	return all
}

func (o *Overrides) set(prefix netip.Prefix, override *Override) {
	if o.byPrefix == nil {
		o.byPrefix = make(map[netip.Prefix]*Override)
	}
	o.byPrefix[prefix] = override
	if !slices.Contains(o.bits, prefix.Bits()) {
		o.bits = append(o.bits, prefix.Bits())
		slices.Sort(o.bits)
		slices.Reverse(o.bits)
	}
}

// of returns what is configured for an exporter: that of the longest prefix that it is
// in, as a whole. It is never nil.
func (o *Overrides) of(address netip.Addr) *Override {
	for _, bits := range o.bits {
		// An IPv4 address has no prefix of more than 32 bits, which is an error here.
		prefix, err := address.Prefix(bits)
		if err != nil {
			continue
		}
		if override, ok := o.byPrefix[prefix]; ok {
			return override
		}
	}
	return noOverride
}

// ReadOverrides reads an object of JSON whose keys are addresses or networks:
//
//	{"192.0.2.0/24": {"name": "edge", "defaultSamplingRate": 1000},
//	 "2001:db8::1": {"samplingRate": 2000, "maxFlowsPerSecond": 5000}}
//
// It refuses what it does not know, since a key that is misspelled is a rate that does
// not hold, and names the place.
func ReadOverrides(r io.Reader) (Overrides, error) {
	o, err := readOverrides(json.NewDecoder(r))
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return Overrides{}, errors.New("read exporter overrides: the text ends before its last }; without overrides it is {}")
	case err != nil:
		return Overrides{}, fmt.Errorf("read exporter overrides: %w", err)
	}
	return o, nil
}

func readOverrides(d *json.Decoder) (Overrides, error) {
	o := Overrides{byPrefix: make(map[netip.Prefix]*Override)}
	if token, err := d.Token(); err != nil {
		return o, err
	} else if token != json.Delim('{') {
		return o, fmt.Errorf("%v where an object of addresses should begin", token)
	}
	d.DisallowUnknownFields()
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return o, err
		}
		key := token.(string) // nothing else is a key
		if err := o.read(key, d); err != nil {
			return o, fmt.Errorf("%q: %w", key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return o, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, errors.New("something follows behind the end of the object")
	}
	return o, nil
}

// read adds the override by that key, whose value is next.
func (o *Overrides) read(key string, d *json.Decoder) error {
	prefix, err := ParsePrefix(key)
	if err != nil {
		return err
	}
	if _, ok := o.byPrefix[prefix]; ok {
		return errors.New("is there twice")
	}
	override := &Override{single: prefix.IsSingleIP()}
	if err := d.Decode(override); err != nil {
		return describe(err)
	}
	o.set(prefix, override)
	return nil
}

// ParsePrefix reads an address or a network in CIDR form. IPv4 mapped into IPv6 is IPv4.
// The error does not repeat s.
func ParsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		address, err := netip.ParseAddr(s)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, errors.New("is no IP address")
		}
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("is no network: want ADDRESS/LENGTH")
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix != prefix.Masked() {
		return netip.Prefix{}, fmt.Errorf("has bits behind its length: did you mean %s?", prefix.Masked())
	}
	return prefix, nil
}

// describe says in terms of the file what encoding/json says in terms of Go.
func describe(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		if wrong.Field == "" {
			return fmt.Errorf("%s where an object should be", wrong.Value)
		}
		if wrong.Field == "name" {
			return fmt.Errorf("%s: %s is no string", wrong.Field, wrong.Value)
		}
		return fmt.Errorf("%s: %s is not a whole number from 0 to 4294967295", wrong.Field, wrong.Value)
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("unknown key %s", key)
	}
	return err
}
