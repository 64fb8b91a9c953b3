package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// maxProblems is how many are told at once.
const maxProblems = 10

// problems are what is wrong in a file, each beginning with the key.
type problems struct {
	list []error
	more int
}

func (p *problems) add(key, format string, args ...any) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
}

func (p *problems) err() error {
	if p.more > 0 {
		return errors.Join(append(slices.Clip(p.list), fmt.Errorf("and %d more", p.more))...)
	}
	return errors.Join(p.list...)
}

// node is a value of the file and the key that it stands at. What is wrong with it is
// noted, and read as if it were not there.
type node struct {
	key      string
	value    any // as encoding/json gives it, numbers as json.Number; nil: not there
	problems *problems
}

func (n node) fail(format string, args ...any) { n.problems.add(n.key, format, args...) }

func (n node) child(name string, value any) node {
	if n.key == "" {
		return node{quoted(name), value, n.problems}
	}
	return node{n.key + "." + quoted(name), value, n.problems}
}

// quoted is a key as CUE writes it.
func quoted(name string) string {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return strconv.Quote(name)
		}
	}
	return name
}

// object reads a value with the given keys, each by its function.
func (n node) object(keys map[string]func(node)) {
	for key, value := range n.entries() {
		read, ok := keys[key]
		if !ok {
			n.child(key, nil).fail("there is no such key; there are %s", strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
			continue
		}
		if value != nil {
			read(n.child(key, value))
		}
	}
}

// entries are those of an object, in the order of their keys.
func (n node) entries() func(yield func(string, any) bool) {
	object, ok := n.value.(map[string]any)
	if !ok {
		n.fail("%s where there have to be keys in braces", kind(n.value))
		return func(func(string, any) bool) {}
	}
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if !yield(key, object[key]) {
				return
			}
		}
	}
}

// elements are those of a list.
func (n node) elements() []node {
	list, ok := n.value.([]any)
	if !ok {
		n.fail("%s where there has to be a list in brackets", kind(n.value))
		return nil
	}
	nodes := make([]node, len(list))
	for i, value := range list {
		nodes[i] = node{n.key + "." + strconv.Itoa(i), value, n.problems}
	}
	return nodes
}

// text reads a name for people.
func (n node) text() string {
	s, ok := n.value.(string)
	switch {
	case !ok:
		n.fail("%s is no text", kind(n.value))
	case len(s) > MaxText:
		n.fail("has %d bytes, more than %d: %.40q...", len(s), MaxText, s)
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		n.fail("%q is not UTF-8", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		n.fail("%q has a line break or another control character", s)
	default:
		return strings.TrimSpace(s)
	}
	return ""
}

// name is a text that is not empty.
func (n node) name() string {
	before := len(n.problems.list) + n.problems.more
	s := n.text()
	if s == "" && len(n.problems.list)+n.problems.more == before {
		n.fail("is empty")
	}
	return s
}

func (n node) oneOf(words ...string) string {
	s, _ := n.value.(string)
	if !slices.Contains(words, s) {
		n.fail("%s is none of %s", shown(n.value), strings.Join(words, ", "))
		return ""
	}
	return s
}

func (n node) bool() bool {
	b, ok := n.value.(bool)
	if !ok {
		n.fail("%s is neither true nor false", shown(n.value))
	}
	return b
}

// number reads a whole number from least to most.
func (n node) number(least, most uint64) uint64 {
	text, ok := n.value.(json.Number)
	if ok {
		if number, err := strconv.ParseUint(wholeNumber(text.String()), 10, 64); err == nil && number >= least && number <= most {
			return number
		}
	}
	n.fail("%s is no whole number from %d to %d", shown(n.value), least, most)
	return least
}

// wholeNumber writes 1e3 and 5.0 as people mean them.
func wholeNumber(text string) string {
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return text
}

func (n node) duration(least, most time.Duration) time.Duration {
	s, _ := n.value.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d < least || d > most {
		n.fail("%s is no time from %v to %v, such as 5m", shown(n.value), least, most)
		return least
	}
	return d
}

// address reads an address in any form that people write.
func (n node) address() (netip.Addr, bool) {
	s, _ := n.value.(string)
	a, err := ParseAddress(s)
	if err != nil {
		n.fail("%s %v", shown(n.value), err)
		return netip.Addr{}, false
	}
	return a, true
}

func (n node) prefix() (netip.Prefix, bool) {
	s, _ := n.value.(string)
	p, err := ParsePrefix(s)
	if err != nil {
		n.fail("%s %v", shown(n.value), err)
		return netip.Prefix{}, false
	}
	return p, true
}

func (n node) prefixes() (all []netip.Prefix) {
	for _, element := range n.elements() {
		if p, ok := element.prefix(); ok {
			all = append(all, p)
		}
	}
	return all
}

// keyNumber reads the number that is the key of an entry.
func (n node) keyNumber(key, what string, most uint64) (uint32, bool) {
	number, err := strconv.ParseUint(key, 10, 64)
	if err != nil || number > most {
		n.fail("%q is no %s: want a whole number from 0 to %d", key, what, most)
		return 0, false
	}
	return uint32(number), true
}

// ParseAddress reads an address as a.b.c.d, ::a.b.c.d, ::ffff:a.b.c.d, or IPv6. The
// first three are the same address. The error does not repeat s.
func ParseAddress(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if dotted, ok := strings.CutPrefix(s, "::"); ok {
		if a, err := netip.ParseAddr(dotted); err == nil && a.Is4() {
			return a, nil
		}
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, errors.New("is no IP address: want a.b.c.d, ::a.b.c.d, ::ffff:a.b.c.d or IPv6")
	}
	return a.Unmap(), nil
}

// ParsePrefix reads a network in CIDR notation, or an address. The error does not repeat s.
func ParsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	address, length, found := strings.Cut(s, "/")
	if dotted, ok := strings.CutPrefix(address, "::"); ok && strings.Count(dotted, ".") == 3 && !strings.Contains(dotted, ":") {
		if bits, err := strconv.Atoi(length); err == nil && bits > 32 {
			length = strconv.Itoa(bits - 96)
		}
		s = dotted
		if found {
			s += "/" + length
		}
	}
	return exporter.ParsePrefix(s)
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return shown(value)
}

func shown(value any) string {
	switch value := value.(type) {
	case string:
		return strconv.Quote(value)
	case map[string]any, []any, nil:
		return kind(value)
	default:
		return fmt.Sprint(value)
	}
}
