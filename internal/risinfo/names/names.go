// Package names reads who holds an AS number: name and country.
package names

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// Name is what is known of an AS.
type Name struct {
	ASN     uint32
	Name    string // empty where only the country is known
	Country string // two letters (ISO 3166-1), empty where it is not known
}

// Reasons for which a line counts.
const (
	BadLine       = "bad_line"      // it cannot be read
	BadNumber     = "bad_number"    // 0, 23456, 65535, 4294967295, or beyond 32 bits
	Contradictory = "contradictory" // another name or country was read before, which stays
	Shortened     = "shortened"     // the name was too long
)

// MaxName is how many bytes of a name are kept.
const MaxName = 200

// Registry collects names. What is added first stays: sources go from the best to the rest.
// Name and country may come from different sources. The zero value is empty.
type Registry struct {
	known   map[uint32]Name
	LeftOut map[string]int // lines that were not taken as they are, by reason
}

// maxLine is more than any line has.
const maxLine = 256 << 10

var errNoNames = errors.New("no AS numbers with names or countries")

// Read adds what r says. Each line has one of these forms:
//
//	64500 EXAMPLE-NET Example, DE                        a list of names, as RIPE NCC's asnames.txt
//	64500<tab>EXAMPLE-NET Example<tab>DE                 what netmeta risinfo serves as autnums.tsv
//	ripencc|DE|asn|64500|2|20200101|allocated|...        delegated statistics of a registry
//
// Of delegated statistics the lines about addresses, and about numbers that nobody holds, are
// skipped. It fails where nothing can be used, or most of it cannot be read; nothing is added
// then.
func (g *Registry) Read(r io.Reader) error {
	read := Registry{known: map[uint32]Name{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number, good, bad := 0, 0, 0
	var first error
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if err := read.line(string(line)); err != nil {
			if bad++; first == nil {
				first = fmt.Errorf("line %d: %w", number, err)
			}
			continue
		}
		good++
	}
	switch {
	case lines.Err() != nil:
		return fmt.Errorf("line %d: %w", number+1, lines.Err())
	case bad > good:
		return fmt.Errorf("%d of %d lines cannot be read: %w", bad, bad+good, first)
	case len(read.known) == 0:
		return errNoNames
	}
	g.merge(read)
	return nil
}

// merge adds what another registry has and this one has not.
func (g *Registry) merge(other Registry) {
	if g.known == nil {
		g.known = make(map[uint32]Name, len(other.known))
	}
	for _, n := range other.known {
		g.add(n, false)
	}
	for reason, n := range other.LeftOut {
		g.leaveOut(reason, n)
	}
}

func (g *Registry) leaveOut(reason string, n int) {
	if g.LeftOut == nil {
		g.LeftOut = map[string]int{}
	}
	g.LeftOut[reason] += n
}

// add adds what is new of n; within one source, what contradicts is counted.
func (g *Registry) add(n Name, sameSource bool) {
	have := g.known[n.ASN]
	if sameSource && (have.Name != "" && n.Name != "" && have.Name != n.Name || have.Country != "" && n.Country != "" && have.Country != n.Country) {
		g.leaveOut(Contradictory, 1)
	}
	g.known[n.ASN] = Name{ASN: n.ASN, Name: cmp.Or(have.Name, n.Name), Country: cmp.Or(have.Country, n.Country)}
}

func (g *Registry) line(line string) error {
	if strings.Contains(line, "\t") {
		fields := append(strings.Split(line, "\t"), "", "")
		return g.named(fields[0], fields[1], fields[2])
	}
	if fields := strings.Split(line, "|"); len(fields) > 3 && !strings.Contains(fields[0], " ") {
		return g.delegated(fields)
	}
	number, rest, found := strings.Cut(line, " ")
	if !found {
		g.leaveOut(BadLine, 1)
		return fmt.Errorf("%.60q has no name", line)
	}
	name, country := rest, ""
	if at := strings.LastIndex(rest, ","); at >= 0 {
		if code := strings.TrimSpace(rest[at+1:]); isCountry(code) {
			name, country = rest[:at], code
		}
	}
	return g.named(number, name, country)
}

func (g *Registry) named(number, name, country string) error {
	asn, err := route.ParseASN(number)
	if err != nil {
		if isNumber(number) {
			g.leaveOut(BadNumber, 1)
			return nil // beyond 32 bits, in a list that can be read otherwise
		}
		g.leaveOut(BadLine, 1)
		return err
	}
	if !route.IsOrigin(asn) {
		g.leaveOut(BadNumber, 1)
		return nil
	}
	name, cut := Clean(name)
	if cut {
		g.leaveOut(Shortened, 1)
	}
	country = strings.ToUpper(strings.TrimSpace(country))
	if !isCountry(country) || country == "ZZ" {
		country = ""
	}
	if name == "" && country == "" {
		g.leaveOut(BadLine, 1)
		return fmt.Errorf("AS%d has neither a name nor a country", asn)
	}
	g.add(Name{asn, name, country}, true)
	return nil
}

// maxDelegated is how many numbers a line of delegated statistics may give out: registries
// have at most a few thousand in one block.
const maxDelegated = 1 << 20

// delegated reads a line of delegated statistics, also in their extended form (the exchange
// format that the registries share).
func (g *Registry) delegated(fields []string) error {
	if len(fields) < 7 || fields[2] != "asn" || fields[3] == "*" {
		return nil // version, summary, addresses
	}
	if status := fields[6]; status != "allocated" && status != "assigned" {
		return nil
	}
	first, err := route.ParseASN(fields[3])
	if err != nil {
		g.leaveOut(BadNumber, 1)
		return err
	}
	count, err := strconv.ParseUint(fields[4], 10, 32)
	if err != nil || count > maxDelegated || uint64(first)+count > 1<<32 {
		g.leaveOut(BadLine, 1)
		return fmt.Errorf("%.30q numbers from %d on cannot be", fields[4], first)
	}
	country := strings.ToUpper(fields[1])
	if !isCountry(country) || country == "ZZ" {
		return nil
	}
	for i := range uint32(count) {
		if asn := first + i; route.IsOrigin(asn) {
			g.add(Name{ASN: asn, Country: country}, true)
		}
	}
	return nil
}

func isCountry(code string) bool {
	return len(code) == 2 && isLetter(code[0]) && isLetter(code[1])
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// Clean makes a name fit to be shown: valid UTF-8 (other bytes are read as Latin-1), without
// control characters, of at most MaxName bytes. It says whether something was cut off.
func Clean(name string) (clean string, cut bool) {
	if !utf8.ValidString(name) {
		runes := make([]rune, len(name))
		for i := range len(name) {
			runes[i] = rune(name[i])
		}
		name = string(runes)
	}
	name = strings.Join(strings.FieldsFunc(name, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if len(name) <= MaxName {
		return name, false
	}
	end := MaxName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.TrimSpace(name[:end]), true
}

// Names returns all names, sorted by number.
func (g *Registry) Names() []Name {
	all := make([]Name, 0, len(g.known))
	for _, n := range g.known {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b Name) int { return cmp.Compare(a.ASN, b.ASN) })
	return all
}

// WriteTSV writes names as lines of AS number, name and country, with tabs between.
func WriteTSV(w io.Writer, names []Name) error {
	out := bufio.NewWriter(w)
	for _, n := range names {
		if _, err := fmt.Fprintf(out, "%d\t%s\t%s\n", n.ASN, n.Name, n.Country); err != nil {
			return err
		}
	}
	return out.Flush()
}
