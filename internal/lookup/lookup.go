// Package lookup tells everything that is known about an address, and where it comes from.
package lookup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/geoip"
)

// Fact is something that is known.
type Fact struct {
	What   string `json:"what"`
	Value  string `json:"value"`
	Source string `json:"source"` // where it comes from
}

// Options say where to look beside the tables of names.
type Options struct {
	Since time.Duration   // flows of so much time are looked through
	GeoIP *geoip.Database // nil: none is there
	DNS   *net.Resolver   // nil: the DNS is not asked
}

// Address returns what is known about an address: of the first kinds, each fact that
// there is, in the order in which people want to know it. Where one source fails, the
// error says so, and the facts of the others are returned.
func Address(ctx context.Context, db *sql.DB, address netip.Addr, options Options) ([]Fact, error) {
	l := lookup{ctx: ctx, db: db, address: address.Unmap(), options: options}
	l.add("address", l.address.String(), kindOf(l.address))
	for _, look := range []func() error{l.host, l.networks, l.exporter, l.flows, l.places, l.place, l.reverse} {
		if err := look(); err != nil {
			l.errs = append(l.errs, err)
		}
	}
	return l.facts, errors.Join(l.errs...)
}

type lookup struct {
	ctx     context.Context
	db      *sql.DB
	address netip.Addr
	options Options
	facts   []Fact
	errs    []error
}

func (l *lookup) add(what, value, source string) {
	if value != "" {
		l.facts = append(l.facts, Fact{what, value, source})
	}
}

// special are networks of the IANA special-purpose address registries (RFC 6890) that
// people meet.
var special = []struct {
	network netip.Prefix
	what    string
}{
	{netip.MustParsePrefix("10.0.0.0/8"), "private use (RFC 1918)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private use (RFC 1918)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private use (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space of carriers (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link local (RFC 3927)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved (RFC 1112)"},
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("::1/128"), "loopback (RFC 4291)"},
	{netip.MustParsePrefix("64:ff9b::/96"), "translation of IPv4 (RFC 6052)"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation (RFC 3849)"},
	{netip.MustParsePrefix("fc00::/7"), "unique local (RFC 4193)"},
	{netip.MustParsePrefix("fe80::/10"), "link local (RFC 4291)"},
	{netip.MustParsePrefix("ff00::/8"), "multicast (RFC 4291)"},
}

func kindOf(address netip.Addr) string {
	for _, s := range special {
		if s.network.Contains(address) {
			return s.what
		}
	}
	return "public"
}

// column is the address as an expression of SQL.
func (l *lookup) column() string { return "parseAddress('" + l.address.String() + "')" }

// rows adds a fact for each row of two columns, its value and its source.
func (l *lookup) rows(what, query string) error {
	rows, err := l.db.QueryContext(l.ctx, query)
	if err != nil {
		return fmt.Errorf("look for %s: %w", what, err)
	}
	defer rows.Close()
	for rows.Next() {
		var value, source string
		if err := rows.Scan(&value, &source); err != nil {
			return fmt.Errorf("look for %s: %w", what, err)
		}
		l.add(what, value, source)
	}
	return rows.Err()
}

func (l *lookup) host() error {
	return l.rows("host", "SELECT Name, toString(Source) FROM host_names WHERE Address = "+l.column())
}

// networks are all that the address is in, the longest first.
func (l *lookup) networks() error {
	return l.rows("network", `
		SELECT
		    concat(Prefix, if(Name = '', '', concat(' ', Name)), arrayStringConcat(arrayMap(
		        pair -> concat(', ', pair.1, ' ', pair.2),
		        arrayFilter(pair -> pair.2 != '', [('role', toString(Role)), ('site', toString(Site)), ('tenant', toString(Tenant)), ('boundary', toString(Boundary))])))),
		    toString(Source)
		FROM networks
		WHERE isIPAddressInRange('`+l.address.String()+`', Prefix)
		ORDER BY toUInt8OrZero(splitByChar('/', Prefix)[2]) DESC`)
}

func (l *lookup) exporter() error {
	err := l.rows("exporter", `
		SELECT concat(Name, arrayStringConcat(arrayMap(
		        pair -> concat(', ', pair.1, ' ', pair.2),
		        arrayFilter(pair -> pair.2 != '', [('description', Description), ('site', toString(Site)), ('group', toString(Group)), ('sampling rate', if(SamplingRate = 0, '', toString(SamplingRate))), ('addresses', if(AnonymizeAddresses, 'cut off', ''))])))),
		    'settings'
		FROM sampler_config WHERE SamplerAddress = `+l.column())
	if err != nil {
		return err
	}
	return l.rows("interface", `
		SELECT concat(toString(Interface), ' ', Name, if(Speed = 0, '', concat(', ', rateToString(Speed))), if(Boundary = '', '', concat(', ', Boundary))), toString(Source)
		FROM interface_names WHERE SamplerAddress = `+l.column()+` ORDER BY Interface LIMIT 1000`)
}

// flows are what the stored flows say of the address: how much, and which AS number.
func (l *lookup) flows() error {
	since := fmt.Sprintf("TimeReceived > %d", max(0, time.Now().Add(-l.options.Since).Unix()))
	source := fmt.Sprintf("'flows of the last %v'", l.options.Since)
	for _, role := range []struct{ what, column, asn string }{{"as source", "SrcAddr", "SrcAS"}, {"as destination", "DstAddr", "DstAS"}} {
		err := l.rows(role.what, fmt.Sprintf(`
			SELECT concat(toString(count()), ' flows, ', formatReadableSize(sum(toFloat64(Bytes) * SamplingRate)), ', last ', toString(max(TimeReceived))), %s
			FROM flows_raw WHERE %s AND %s = %s HAVING count() > 0`, source, since, role.column, l.column()))
		if err != nil {
			return err
		}
		err = l.rows("AS number", fmt.Sprintf(`
			SELECT concat('AS', toString(%[1]s), if(any(own.Name) = '', '', concat(' ', any(own.Name)))), concat(%[2]s, if(any(own.Name) = '', '', ', name: settings'))
			FROM flows_raw LEFT JOIN own_asns AS own ON own.ASN = flows_raw.%[1]s
			WHERE %[3]s AND %[4]s = %[5]s AND %[1]s != 0
			GROUP BY %[1]s ORDER BY count() DESC LIMIT 3`, role.asn, source, since, role.column, l.column()))
		if err != nil {
			return err
		}
	}
	return l.rows("as exporter", fmt.Sprintf(`
		SELECT concat(toString(count()), ' flows, last ', toString(max(TimeReceived))), %s
		FROM flows_raw WHERE %s AND SamplerAddress = %s HAVING count() > 0`, source, since, l.column()))
}

// places is where the database says the address is that netmeta names has loaded. The
// table is asked, and not addressCountry: it has the network too. It is sorted by networks
// as Go writes them, so that a few are found among millions at once.
func (l *lookup) places() error {
	var networks []string
	for bits := range l.address.BitLen() + 1 {
		networks = append(networks, "'"+netip.PrefixFrom(l.address, bits).Masked().String()+"'")
	}
	return l.rows("place", `
		SELECT
		    if(City = '', '', concat(City, ', ')) || Country,
		    concat('table places, ', Prefix, (
		        SELECT if(count() = 0, '', concat(', by ', argMax(Message, Time)))
		        FROM as_loads WHERE Table = 'places' AND Outcome = 'loaded'))
		FROM places
		WHERE Prefix IN (`+strings.Join(networks, ", ")+`)
		ORDER BY toUInt8OrZero(splitByChar('/', Prefix)[2]) DESC
		LIMIT 1`)
}

// place is where the caller's database says the address is.
func (l *lookup) place() error {
	if l.options.GeoIP == nil {
		return nil
	}
	place, ok, err := l.options.GeoIP.Find(l.address)
	if err != nil || !ok {
		return err
	}
	var parts []string
	for _, part := range []string{place.City, place.Name, place.Country} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	l.add("place", strings.Join(parts, ", "), "GeoIP database, "+place.Network.String())
	return nil
}

// reverse asks the DNS for names of the address (RFC 1035 section 3.5).
func (l *lookup) reverse() error {
	if l.options.DNS == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, 5*time.Second)
	defer cancel()
	found, err := l.options.DNS.LookupAddr(ctx, l.address.String())
	if missing := (*net.DNSError)(nil); errors.As(err, &missing) && missing.IsNotFound {
		return nil
	} else if err != nil {
		return fmt.Errorf("ask the DNS: %w", err)
	}
	slices.Sort(found)
	for _, name := range found[:min(len(found), 10)] {
		l.add("DNS name", strings.TrimSuffix(name, "."), "DNS, now")
	}
	return nil
}
