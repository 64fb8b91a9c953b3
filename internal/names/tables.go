package names

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/leoluk/NetMeta/internal/settings"
)

// contents are the rows of a table, in its order.
type contents struct {
	table      string
	dictionary string // that reads it, or empty
	rows       int
	json       []byte // JSONEachRow
	hash       [sha256.Size]byte
}

func newContents[R any](table, dictionary string, rows []R) (contents, error) {
	c := contents{table: table, dictionary: dictionary, rows: len(rows)}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for _, row := range rows {
		if err := e.Encode(row); err != nil {
			return c, fmt.Errorf("encode a row of %s: %w", table, err)
		}
	}
	c.json = out.Bytes()
	c.hash = sha256.Sum256(c.json)
	return c, nil
}

// store puts the rows in the place of those that the table has, at once: whoever asks
// sees the ones or the others. Where it fails, the table has what it had.
func (c contents) store(ctx context.Context, db *sql.DB) error {
	loading := c.table + "_loading"
	steps := []string{"CREATE OR REPLACE TABLE " + loading + " AS " + c.table}
	if c.rows > 0 {
		steps = append(steps, "INSERT INTO "+loading+" FORMAT JSONEachRow\n"+string(c.json))
	}
	for _, step := range steps {
		if _, err := db.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("load %s: %w", c.table, err)
		}
	}
	var stored int
	if err := db.QueryRowContext(ctx, "SELECT toInt64(count()) FROM "+loading).Scan(&stored); err != nil {
		return fmt.Errorf("load %s: %w", c.table, err)
	}
	if stored != c.rows {
		return fmt.Errorf("load %s: %d of %d rows are there; the table stays as it was", c.table, stored, c.rows)
	}
	for _, step := range []string{"EXCHANGE TABLES " + loading + " AND " + c.table, "DROP TABLE " + loading + " SYNC"} {
		if _, err := db.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("exchange %s: %w", c.table, err)
		}
	}
	return c.reload(ctx, db)
}

// reload has the dictionary read the table now. It would do so by itself within 90 s.
func (c contents) reload(ctx context.Context, db *sql.DB) error {
	if c.dictionary == "" {
		return nil
	}
	if _, err := db.ExecContext(ctx, "SYSTEM RELOAD DICTIONARY "+c.dictionary); err != nil {
		return fmt.Errorf("reload the dictionary %s: %w", c.dictionary, err)
	}
	return nil
}

// ipv6 is an address as tables have it.
func ipv6(a netip.Addr) string {
	if !a.IsValid() {
		return "::"
	}
	return netip.AddrFrom16(a.As16()).String()
}

type samplerRow struct {
	SamplerAddress                           string
	Name, Description, Site, Group, Boundary string
	SamplingRate, DefaultSamplingRate        uint32
	AnonymizeAddresses                       bool
}

func samplers(s *settings.Settings) (contents, error) {
	var rows []samplerRow
	for _, address := range slices.SortedFunc(maps.Keys(s.Exporters), netip.Addr.Compare) {
		e := s.Exporters[address]
		rows = append(rows, samplerRow{
			ipv6(address), e.Name, e.Description, e.Site, e.Group, e.Boundary, e.SamplingRate, e.DefaultSamplingRate,
			e.AnonymizeAddresses,
		})
	}
	return newContents("sampler_config", "SamplerConfig", rows)
}

type vlanRow struct {
	SamplerAddress string
	VLAN           uint32
	Name           string
}

func vlans(s *settings.Settings) (contents, error) {
	var rows []vlanRow
	for key, name := range s.VLANs {
		rows = append(rows, vlanRow{ipv6(key.Exporter), key.VLAN, name})
	}
	slices.SortFunc(rows, func(a, b vlanRow) int {
		return cmp.Or(cmp.Compare(a.SamplerAddress, b.SamplerAddress), cmp.Compare(a.VLAN, b.VLAN))
	})
	return newContents("vlan_names", "VlanNames", rows)
}

type autnumRow struct {
	ASN                     uint32
	Name, Country, Boundary string
}

func autnums(s *settings.Settings) (contents, error) {
	var rows []autnumRow
	for _, number := range slices.Sorted(maps.Keys(s.Autnums)) {
		rows = append(rows, autnumRow{number, s.Autnums[number].Name, s.Autnums[number].Country, s.Autnums[number].Boundary})
	}
	return newContents("own_asns", "OwnAutnums", rows)
}

type networkRow struct {
	Prefix                                     string
	Name, Role, Site, Tenant, Boundary, Source string
}

// networks are those of the settings, then those of sources in their order.
func networks(s *settings.Settings, sources []*source) (contents, error) {
	all := map[netip.Prefix]networkRow{}
	add := func(from string, networks map[netip.Prefix]settings.Network) {
		for prefix, n := range networks {
			if _, ok := all[prefix]; !ok {
				all[prefix] = networkRow{prefix.String(), n.Name, n.Role, n.Site, n.Tenant, n.Boundary, from}
			}
		}
	}
	add(fromSettings, s.Networks)
	for _, source := range sources {
		add(source.config.Name, source.networks)
	}
	addOthers(all)
	var rows []networkRow
	for _, prefix := range slices.SortedFunc(maps.Keys(all), netip.Prefix.Compare) {
		rows = append(rows, all[prefix])
	}
	return newContents("networks", "Networks", rows)
}

// addOthers says of all other addresses that they are of others, where there are own networks.
func addOthers(all map[netip.Prefix]networkRow) {
	for _, n := range all {
		if n.Boundary == settings.Internal {
			for _, text := range []string{"0.0.0.0/0", "::/0"} {
				row := all[netip.MustParsePrefix(text)]
				row.Prefix, row.Boundary, row.Source = text, cmp.Or(row.Boundary, settings.External), cmp.Or(row.Source, fromSettings)
				all[netip.MustParsePrefix(text)] = row
			}
			return
		}
	}
}

// Where names come from, as tables have it.
const (
	fromSettings = "settings"
	fromSNMP     = "snmp"
	fromOptions  = "options"
	fromSFlow    = "sflow"
	fromDNS      = "dns"
)

type hostRow struct {
	Address, Name, Source string
	Updated               int64
}

// hosts are those of the settings, then those of the DNS.
func hosts(s *settings.Settings, learned map[netip.Addr]learnedHost) (contents, error) {
	var rows []hostRow
	for address, name := range s.Hosts {
		rows = append(rows, hostRow{ipv6(address), name, fromSettings, 0})
	}
	for address, host := range learned {
		if _, ok := s.Hosts[address]; !ok && host.name != "" {
			rows = append(rows, hostRow{ipv6(address), host.name, fromDNS, host.updated})
		}
	}
	slices.SortFunc(rows, func(a, b hostRow) int { return cmp.Compare(a.Address, b.Address) })
	return newContents("host_names", "HostNames", rows)
}

type interfaceRow struct {
	SamplerAddress            string
	Interface                 uint32
	Name, Device, Description string
	Speed                     uint64
	Group, Boundary, Source   string
	Updated                   int64
}

// interfaces are those of the settings and those that were learned.
func interfaces(s *settings.Settings, learned map[settings.InterfaceKey]learnedInterface) (contents, error) {
	var rows []interfaceRow
	for key, i := range s.Interfaces {
		l := learned[key]
		row := interfaceRow{
			ipv6(key.Exporter), key.Index, i.Description, l.device, cmp.Or(i.Description, l.alias), cmp.Or(i.Speed, l.speed),
			i.Group, i.Boundary, fromSettings, l.updated,
		}
		if row.Name == "" {
			row.Name, row.Source = l.name(), l.source
		}
		// Of an interface that has only a group, the number is the name.
		row.Name = cmp.Or(row.Name, fmt.Sprint(key.Index))
		rows = append(rows, row)
	}
	for key, l := range learned {
		if _, ok := s.Interfaces[key]; !ok && l.name() != "" {
			rows = append(rows, interfaceRow{ipv6(key.Exporter), key.Index, l.name(), l.device, l.alias, l.speed, "", "", l.source, l.updated})
		}
	}
	slices.SortFunc(rows, func(a, b interfaceRow) int {
		return cmp.Or(cmp.Compare(a.SamplerAddress, b.SamplerAddress), cmp.Compare(a.Interface, b.Interface))
	})
	return newContents("interface_names", "InterfaceNames", rows)
}
