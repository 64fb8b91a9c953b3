package names

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/leoluk/NetMeta/internal/settings"
)

// learnedInterface is what devices say of an interface.
type learnedInterface struct {
	device  string // ifName
	alias   string // ifAlias
	speed   uint64 // bits per second, 0: unknown
	source  string
	updated int64 // seconds since 1970
}

// name is what people read: the device's name, with the description behind it that
// people gave it there.
func (l learnedInterface) name() string {
	switch {
	case l.device == "":
		return l.alias
	case l.alias == "" || l.alias == l.device:
		return l.device
	}
	return l.device + " (" + l.alias + ")"
}

// learnedHost is what the DNS says of an address.
type learnedHost struct {
	name    string // empty: it has none
	updated int64  // seconds since 1970
}

// ranks say whose names go before others.
var ranks = map[string]int{fromSNMP: 3, fromOptions: 2, fromSFlow: 1}

// clean makes a name of what a device says: one line of UTF-8 that is not too long.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if len(text) > settings.MaxText {
		text = strings.ToValidUTF8(text[:settings.MaxText], "")
	}
	return text
}

// restore reads what was learned before the program started from the tables: they are
// the memory of what devices, sources and the DNS said last.
func (s *Service) restore(ctx context.Context) error {
	// Where the settings have the name, who told that of the device is not known: whoever
	// tells it next does.
	err := each(ctx, s.config.DB, "SELECT toString(SamplerAddress), Interface, Device, if(Source = 'settings', '', Description), Speed, if(Source = 'settings', '"+fromSFlow+"', Source), toInt64(toUnixTimestamp(Updated)) FROM interface_names WHERE Device != ''", func(scan func(...any) error) error {
		var address string
		var index uint32
		var l learnedInterface
		if err := scan(&address, &index, &l.device, &l.alias, &l.speed, &l.source, &l.updated); err != nil {
			return err
		}
		if a, err := netip.ParseAddr(address); err == nil {
			s.learn(a.Unmap(), index, l)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read interface_names: %w", err)
	}
	err = each(ctx, s.config.DB, "SELECT toString(Address), Name, toInt64(toUnixTimestamp(Updated)) FROM host_names WHERE Source = 'dns'", func(scan func(...any) error) error {
		var address string
		var h learnedHost
		if err := scan(&address, &h.name, &h.updated); err != nil {
			return err
		}
		if a, err := netip.ParseAddr(address); err == nil {
			s.hosts[a.Unmap()] = h
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read host_names: %w", err)
	}
	s.kept = map[string]map[netip.Prefix]settings.Network{}
	err = each(ctx, s.config.DB, "SELECT Prefix, Name, Role, Site, Tenant, Boundary, Source FROM networks WHERE Source != 'settings'", func(scan func(...any) error) error {
		var prefix, source string
		var n settings.Network
		if err := scan(&prefix, &n.Name, &n.Role, &n.Site, &n.Tenant, &n.Boundary, &source); err != nil {
			return err
		}
		if p, err := netip.ParsePrefix(prefix); err == nil {
			if s.kept[source] == nil {
				s.kept[source] = map[netip.Prefix]settings.Network{}
			}
			s.kept[source][p] = n
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read networks: %w", err)
	}
	return nil
}

// learn notes what was learned of an interface, unless a better source has said so.
func (s *Service) learn(exporter netip.Addr, index uint32, l learnedInterface) {
	key := settings.InterfaceKey{Exporter: exporter, Index: index}
	if old, ok := s.learned[key]; ok && ranks[old.source] > ranks[l.source] {
		return
	} else if ok {
		// Only what is new is stored anew.
		same := old
		same.updated = l.updated
		if same == l {
			return
		}
	} else if len(s.learned) >= maxLearned || s.named[exporter] >= maxLearnedOf {
		return
	} else {
		s.named[exporter]++
	}
	s.learned[key] = l
}

// forget forgets what was learned of an interface.
func (s *Service) forget(key settings.InterfaceKey) {
	delete(s.learned, key)
	if s.named[key.Exporter]--; s.named[key.Exporter] == 0 {
		delete(s.named, key.Exporter)
	}
}

// countersEvery is how often counters are looked at: agents send them each 20 or 30 s.
// Until there is a name, it is learnEvery.
const countersEvery = time.Minute

// learnFromCounters reads the names that sFlow agents send with their counters, and those
// that come without any, out of options data of NetFlow v9 and IPFIX: of the last hour at
// first, then of what has come since.
func (s *Service) learnFromCounters(ctx context.Context, now time.Time) error {
	since := time.Hour
	if !s.counted.IsZero() {
		since = now.Sub(s.counted) + countersEvery
	}
	if since < 2*countersEvery && len(s.learned) > 0 {
		return nil
	}
	err := each(ctx, s.config.DB, fmt.Sprintf(`
		SELECT
		    toString(SamplerAddress), Interface,
		    argMax(toString(Name), TimeReceived), argMax(Speed, TimeReceived),
		    if(Uptime = 0 AND InOctets = 0xffffffffffffffff, '%s', '%s') AS Source
		FROM interface_counters
		WHERE TimeReceived > now() - %d AND Name != ''
		GROUP BY SamplerAddress, Interface, Source
		LIMIT %d BY SamplerAddress
		LIMIT %d`, fromOptions, fromSFlow, int(since.Seconds()), 2*maxLearnedOf, maxLearned), func(scan func(...any) error) error {
		var address, name string
		var index uint32
		l := learnedInterface{updated: now.Unix()}
		if err := scan(&address, &index, &name, &l.speed, &l.source); err != nil {
			return err
		}
		l.device = clean(name)
		if a, err := netip.ParseAddr(address); err == nil && l.device != "" {
			s.learn(a.Unmap(), index, l)
		}
		return nil
	})
	if err == nil {
		s.counted = now
	}
	return err
}

// each calls row for every row of the answer.
func each(ctx context.Context, db *sql.DB, query string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
