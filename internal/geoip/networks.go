package geoip

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// MaxSize bounds a database, in bytes, also when it is decompressed. Those of cities have
// 60 to 150 MiB.
const MaxSize = 1 << 30

// Read reads a database that is in memory, compressed by gzip or not; b must not change any
// more. name is for messages. A file that somebody writes to while it is mapped into memory
// would end the program.
func Read(name string, b []byte) (*Database, error) {
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		var err error
		if b, err = decompress(b); err != nil {
			return nil, fmt.Errorf("decompress GeoIP database %s: %w", name, err)
		}
	}
	reader, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, fmt.Errorf("open GeoIP database %s: %w", name, err)
	}
	return &Database{name, reader}, nil
}

func decompress(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	b, err = io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err == nil && len(b) > MaxSize {
		err = fmt.Errorf("it has more than %d bytes", MaxSize)
	}
	return b, err
}

// Kind is what the database calls itself, such as GeoLite2-City.
func (d *Database) Kind() string { return d.reader.Metadata.DatabaseType }

// Built is when the database was made.
func (d *Database) Built() time.Time { return d.reader.Metadata.BuildTime() }

// Networks returns all networks whose country is known, in order, without its name.
// Neighbours in the same place are one network. The first error ends it.
func (d *Database) Networks() iter.Seq2[Place, error] {
	return func(yield func(Place, error) bool) {
		m := merger{yield: func(p Place) bool { return yield(p, nil) }}
		known := map[uintptr]Place{} // by where in the file they are: most networks share theirs
		// A tree has a leaf more than it has nodes. One that is damaged may go round in circles.
		left := 1 + 2*d.reader.Metadata.NodeCount
		for found := range d.reader.Networks(maxminddb.IncludeNetworksWithoutData()) {
			if left--; left == 0 {
				yield(Place{}, fmt.Errorf("read GeoIP database %s: it has more networks than its tree has nodes", d.path))
				return
			}
			place, ok := known[found.Offset()]
			if !found.Found() && found.Err() == nil {
				continue
			} else if !ok || found.Err() != nil {
				var err error
				if place, err = d.place(found); err != nil {
					yield(Place{}, fmt.Errorf("read GeoIP database %s: %w", d.path, err))
					return
				}
				known[found.Offset()] = place
			}
			if place.Country == "" {
				continue
			}
			place.Network = found.Prefix()
			if !m.add(place) {
				return
			}
		}
		m.flush()
	}
}

func (d *Database) place(found maxminddb.Result) (Place, error) {
	var record struct {
		Country struct {
			Code string `maxminddb:"iso_code"`
		} `maxminddb:"country"`
		City struct {
			Names struct {
				English string `maxminddb:"en"`
			} `maxminddb:"names"`
		} `maxminddb:"city"`
	}
	err := found.Decode(&record)
	if c := record.Country.Code; err == nil && c != "" && (len(c) != 2 || !isCapital(c[0]) || !isCapital(c[1])) {
		err = fmt.Errorf("%s: %q is no country", found.Prefix(), c)
	}
	if err == nil && !found.Prefix().IsValid() {
		err = errors.New("a network has no address")
	}
	return Place{Country: record.Country.Code, City: record.City.Names.English}, err
}

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// merger joins networks that come in order and are halves of a larger one in the same
// place.
type merger struct {
	yield   func(Place) bool
	waiting []Place // left halves in the same place, each holding the rest in its right one
	ended   bool
}

func (m *merger) add(p Place) (more bool) {
	for n := len(m.waiting); n > 0 && m.waiting[n-1].same(p) && m.waiting[n-1].right() == p.Network; n-- {
		m.waiting = m.waiting[:n-1]
		p.Network = netip.PrefixFrom(p.Network.Addr(), p.Network.Bits()-1).Masked()
	}
	if n := len(m.waiting); n > 0 && !(m.waiting[n-1].same(p) && m.waiting[n-1].right().Overlaps(p.Network)) {
		m.flush()
	}
	if m.waiting = append(m.waiting, p); !p.right().IsValid() {
		m.flush()
	}
	return !m.ended
}

// flush yields what waits, which nothing will be joined with any more.
func (m *merger) flush() {
	for _, p := range m.waiting {
		if m.ended = m.ended || !m.yield(p); m.ended {
			break
		}
	}
	m.waiting = m.waiting[:0]
}

func (p Place) same(other Place) bool { return p.Country == other.Country && p.City == other.City }

// right returns the network that is the right half of what p is the left half of; not
// valid if it is none.
func (p Place) right() netip.Prefix {
	bits := p.Network.Bits()
	if bits == 0 {
		return netip.Prefix{}
	}
	address := p.Network.Addr().AsSlice()
	at, bit := (bits-1)/8, byte(0x80)>>((bits-1)%8)
	if address[at]&bit != 0 {
		return netip.Prefix{}
	}
	address[at] |= bit
	a, _ := netip.AddrFromSlice(address)
	return netip.PrefixFrom(a, bits)
}
