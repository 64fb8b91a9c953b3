package lookup_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/geoip/geoiptest"
	"github.com/leoluk/NetMeta/internal/lookup"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

func TestEverythingThatIsKnownIsToldWithItsSource(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	last := time.Now().UTC().Add(-time.Minute).Format(time.DateTime)
	for _, statement := range []string{
		"INSERT INTO host_names VALUES ('::ffff:198.51.100.7', 'www', 'settings', now()), ('2001:db8::7', 'six.example', 'dns', now())",
		"INSERT INTO networks VALUES ('198.51.100.0/24', 'office', 'lan', 'AMS1', 'us', 'internal', 'settings'), ('198.51.0.0/16', 'wide', '', '', '', '', 'https://ipam.example'), ('::/0', '', '', '', '', 'external', 'settings')",
		"INSERT INTO own_asns VALUES (64500, 'OURS', 'NL', '')",
		"INSERT INTO sampler_config (SamplerAddress, Name, Site, SamplingRate) VALUES ('::ffff:192.0.2.1', 'ams-core-1', 'AMS1', 2000)",
		"INSERT INTO interface_names (SamplerAddress, Interface, Name, Speed, Source) VALUES ('::ffff:192.0.2.1', 7, 'eth0', 10000000000, 'snmp')",
		"INSERT INTO places VALUES ('198.51.0.0/16', 'BE', ''), ('198.51.100.0/24', 'NL', 'Utrecht'), ('2001:db8::/32', 'DE', ''), ('::/1', 'FR', '')",
		"INSERT INTO as_loads VALUES (now64(3) - 5, 'places', 'loaded', 4, now(), 'an older one'), (now64(3) - 3, 'places', 'loaded', 4, now(), 'GeoLite2-City of 2026-11-24 10:00, 1234 bytes'), (now64(3), 'places', 'failed', 0, now(), 'damaged')",
		"INSERT INTO flows_raw (TimeReceived, SamplerAddress, SrcAddr, DstAddr, SrcAS, Bytes, SamplingRate) VALUES (toDateTime('" + last + "', 'UTC'), '::ffff:192.0.2.1', '::ffff:198.51.100.7', '2001:db8::7', 64500, 1024, 1024)",
	} {
		if _, err := write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	places, err := geoip.Open(geoiptest.Database(t, map[string]geoip.Place{"198.51.100.0/25": {Country: "NL", Name: "Netherlands", City: "Amsterdam"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer places.Close()
	options := lookup.Options{Since: 2 * time.Hour, GeoIP: places}
	for address, want := range map[string][]string{
		"198.51.100.7": {
			"address | 198.51.100.7 | documentation (RFC 5737)",
			"host | www | settings",
			"network | 198.51.100.0/24 office, role lan, site AMS1, tenant us, boundary internal | settings",
			"network | 198.51.0.0/16 wide | https://ipam.example",
			"as source | 1 flows, 1.00 MiB, last " + last + " | flows of the last 2h0m0s",
			"AS number | AS64500 OURS | flows of the last 2h0m0s, name: settings",
			"place | Utrecht, NL | table places, 198.51.100.0/24, by GeoLite2-City of 2026-11-24 10:00, 1234 bytes",
			"place | Amsterdam, Netherlands, NL | GeoIP database, 198.51.100.0/25",
		},
		"2001:db8::7": {
			"address | 2001:db8::7 | documentation (RFC 3849)",
			"host | six.example | dns",
			"network | ::/0, boundary external | settings",
			"as destination | 1 flows, 1.00 MiB, last " + last + " | flows of the last 2h0m0s",
			"place | DE | table places, 2001:db8::/32, by GeoLite2-City of 2026-11-24 10:00, 1234 bytes",
		},
		"::ffff:192.0.2.1": {
			"address | 192.0.2.1 | documentation (RFC 5737)",
			"exporter | ams-core-1, site AMS1, sampling rate 2000 | settings",
			"interface | 7 eth0, 10.00 Gbit/s | snmp",
			"as exporter | 1 flows, last " + last + " | flows of the last 2h0m0s",
		},
		"8.8.8.8": {"address | 8.8.8.8 | public"},
	} {
		facts, err := lookup.Address(t.Context(), read, netip.MustParseAddr(address), options)
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
		var got []string
		for _, f := range facts {
			got = append(got, fmt.Sprintf("%s | %s | %s", f.What, f.Value, f.Source))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", address, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
