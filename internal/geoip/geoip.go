// Package geoip reads where addresses are from a database in MaxMind's format (MaxMind DB
// 2.0), such as GeoLite2-City, GeoLite2-Country, or those of others with the same fields.
package geoip

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Database is an open file. Its methods may be called by several goroutines.
type Database struct {
	path   string
	reader *maxminddb.Reader
}

// Place is where an address is. What the database does not say is empty.
type Place struct {
	Country string // two letters (ISO 3166-1)
	Name    string // of the country, in English
	City    string // in English
	Network netip.Prefix
}

// Open opens a file. It is mapped into memory, and refused if it is no such database.
func Open(path string) (*Database, error) {
	reader, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open GeoIP database %s: %w", path, err)
	}
	return &Database{path, reader}, nil
}

// Close lets go of the file.
func (d *Database) Close() error { return d.reader.Close() }

// Find returns where an address is, and whether the database knows it.
func (d *Database) Find(address netip.Addr) (Place, bool, error) {
	var record struct {
		Country struct {
			Code  string            `maxminddb:"iso_code"`
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"country"`
		City struct {
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"city"`
	}
	found := d.reader.Lookup(address.Unmap())
	if err := found.Decode(&record); err != nil {
		return Place{}, false, fmt.Errorf("look %s up in GeoIP database %s: %w", address, d.path, err)
	}
	place := Place{record.Country.Code, record.Country.Names["en"], record.City.Names["en"], found.Prefix()}
	return place, found.Found(), nil
}
