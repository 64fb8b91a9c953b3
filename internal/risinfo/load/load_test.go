package load_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
	"github.com/leoluk/NetMeta/internal/risinfo/mrttest"
	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// A database with the schema takes long to make: these share one.
func TestLoading(t *testing.T) {
	write, read := clickhousetest.Migrated(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, write, read *sql.DB)
	}{
		{"names are shown, or the number itself", testNamesAreShownOrTheNumberItself},
		{"the view for people has names", testViewForPeopleHasNames},
		{"special addresses are named", testSpecialAddressesAreNamed},
		{"what exporters do not tell is resolved on insert", testWhatExportersDoNotTellIsResolvedOnInsert},
		{"a table replaces the one before as a whole", testATableReplacesTheOneBeforeAsAWhole},
		{"the longest prefix match agrees with a linear one", testLongestPrefixMatchAgreesWithALinearOne},
		{"dictionaries heal", testDictionariesHeal},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, write, read) })
	}
}

func table(entries []mrttest.Entry) []route.Route {
	var b route.Builder
	for _, e := range entries {
		b.Add(e.Prefix, []mrt.Origin{{ASN: e.ASN, Peers: 1}})
	}
	return b.Routes()
}

func ask[T any](t testing.TB, db *sql.DB, statement string, args ...any) (value T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement, args...).Scan(&value); err != nil {
		t.Fatalf("%.200s: %v", statement, err)
	}
	return value
}

func exec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%.200s: %v", statement, err)
	}
}

// linear is the longest prefix match that nobody can get wrong.
func linear(entries []mrttest.Entry, address netip.Addr) (asn uint32) {
	longest := -1
	for _, e := range entries {
		if e.Prefix.Bits() > longest && e.Prefix.Contains(address) {
			longest, asn = e.Prefix.Bits(), e.ASN
		}
	}
	return asn
}

// addresses returns random ones, most of them in or right beside some prefix.
func addresses(random *rand.Rand, entries []mrttest.Entry, n int) []netip.Addr {
	all := make([]netip.Addr, n)
	for i := range all {
		prefix := entries[random.IntN(len(entries))].Prefix
		bytes := prefix.Addr().As16()
		first := 16 - prefix.Addr().BitLen()/8
		free := prefix.Addr().BitLen() - prefix.Bits() + random.IntN(3) // also bits of the prefix
		for bit := range min(free, prefix.Addr().BitLen()) {
			if random.IntN(2) == 0 {
				bytes[15-bit/8] ^= 1 << (bit % 8)
			}
		}
		if all[i] = netip.AddrFrom16(bytes); first == 12 {
			all[i] = all[i].Unmap()
		}
	}
	return all
}

// The prefixes lie in one another: of a few blocks, and all lengths.
func nested(random *rand.Rand, n int) (entries []mrttest.Entry) {
	seen := map[netip.Prefix]bool{}
	for len(entries) < n {
		address, bits := netip.AddrFrom4([4]byte{198, byte(random.IntN(4)), byte(random.IntN(6)), byte(random.IntN(256))}), 8+random.IntN(25)
		if random.IntN(2) == 0 {
			bytes := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(random.IntN(3)), byte(random.IntN(3))}
			bytes[15] = byte(random.IntN(256))
			address, bits = netip.AddrFrom16(bytes), 16+random.IntN(113)
		}
		prefix := netip.PrefixFrom(address, bits).Masked()
		if !seen[prefix] {
			seen[prefix] = true
			entries = append(entries, mrttest.Entry{Prefix: prefix, ASN: 1 + random.Uint32N(4_000_000)})
		}
	}
	return entries
}

// NETMETA_LOOKUPS asks for more addresses than a quick run has.
func testLongestPrefixMatchAgreesWithALinearOne(t *testing.T, write, read *sql.DB) {
	lookups := 40_000
	if text := os.Getenv("NETMETA_LOOKUPS"); text != "" {
		var err error
		if lookups, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(8, 8))
	for name, entries := range map[string][]mrttest.Entry{
		"as in the internet": mrttest.Table(1, 2000, 500),
		"nested":             nested(random, 1500),
	} {
		t.Run(name, func(t *testing.T) {
			if err := load.New(write).Routes(t.Context(), table(entries), time.Now(), "test"); err != nil {
				t.Fatal(err)
			}
			exec(t, write, "DROP TABLE IF EXISTS asked")
			exec(t, write, "CREATE TABLE asked (Address IPv6, ASN UInt32) ENGINE = Memory")
			found := 0
			var rows []string
			for _, a := range addresses(random, entries, lookups/2) {
				asn := linear(entries, a)
				if asn != 0 {
					found++
				}
				rows = append(rows, fmt.Sprintf("('%s', %d)", netip.AddrFrom16(a.As16()), asn))
			}
			for batch := range slices.Chunk(rows, 50_000) {
				exec(t, write, "INSERT INTO asked VALUES "+strings.Join(batch, ","))
			}
			if found < lookups/8 {
				t.Errorf("only %d of %d addresses are in the table: they test little", found, lookups/2)
			}
			wrong := ask[string](t, read, `SELECT arrayStringConcat(groupArray(5)(concat(addressToString(Address), ': ', toString(asOfAddress(Address)), ', not ', toString(ASN))), '; ')
				FROM asked WHERE asOfAddress(Address) != ASN`)
			if wrong != "" {
				t.Errorf("the dictionaries answer otherwise than a linear search: %s", wrong)
			}
		})
	}
}

func testATableReplacesTheOneBeforeAsAWhole(t *testing.T, write, read *sql.DB) {
	l := load.New(write)
	for i, entries := range [][]mrttest.Entry{
		{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), ASN: 64500}, {Prefix: netip.MustParsePrefix("2001:db8::/32"), ASN: 64501}},
		{{Prefix: netip.MustParsePrefix("192.0.2.0/25"), ASN: 64502}},
	} {
		built := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		if err := l.Routes(t.Context(), table(entries), built, "test"); err != nil {
			t.Fatal(err)
		}
		got := ask[string](t, read, "SELECT arrayStringConcat(arrayMap(a -> toString(asOfAddress(parseAddress(a))), ['192.0.2.1', '192.0.2.200', '2001:db8::1']), ' ')")
		if want := []string{"64500 64500 64501", "64502 0 0"}[i]; got != want {
			t.Errorf("table %d: got %s, want %s", i, got, want)
		}
		if got, err := l.Built(t.Context(), load.Prefixes); err != nil || !got.Equal(built) {
			t.Errorf("table %d was built %v, %v, want %v", i, got, err, built)
		}
	}
	if n := ask[uint64](t, read, "SELECT count() FROM as_prefixes_next"); n != 0 {
		t.Errorf("%d rows are left over", n)
	}
	if got := ask[string](t, read, "SELECT arrayStringConcat(groupArray(concat(toString(Outcome), ' ', toString(Rows))), ', ') FROM (SELECT * FROM as_loads WHERE Table = 'as_prefixes' ORDER BY Built LIMIT 2)"); got != "loaded 2, loaded 1" {
		t.Errorf("as_loads has %s", got)
	}
}

func testNamesAreShownOrTheNumberItself(t *testing.T, write, read *sql.DB) {
	const texts = "SELECT arrayStringConcat(arrayMap(n -> concat(asName(n), '/', asCountry(n), '/', asText(n)), [64500, 64512, 4200000000, 23456, 65535, 13335, 0]), ', ')"
	const nothing = "documentation//AS64500 documentation, private use//AS64512 private use, private use//AS4200000000 private use, AS_TRANS, a number that an exporter could not tell//AS23456 AS_TRANS, a number that an exporter could not tell, reserved//AS65535 reserved, 13335//AS13335, 0//unknown"
	if got := ask[string](t, read, texts); got != nothing {
		t.Errorf("without names: got %s", got)
	}
	all := []names.Name{{ASN: 13335, Name: "EXAMPLE 'quoted' ünd", Country: "US"}, {ASN: 64512, Name: "our data centre"}}
	if err := load.New(write).Names(t.Context(), all, time.Now(), "test"); err != nil {
		t.Fatal(err)
	}
	got := ask[string](t, read, "SELECT arrayStringConcat(arrayMap(n -> concat(asName(n), '/', asCountry(n), '/', asText(n)), [64512, 13335]), ', ')")
	if want := "our data centre//AS64512 our data centre, EXAMPLE 'quoted' ünd/US/AS13335 EXAMPLE 'quoted' ünd"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func testViewForPeopleHasNames(t *testing.T, write, read *sql.DB) {
	if err := load.New(write).Names(t.Context(), []names.Name{{ASN: 13335, Name: "EXAMPLE", Country: "DE"}}, time.Now(), "test"); err != nil {
		t.Fatal(err)
	}
	exec(t, write, "INSERT INTO flows_raw (TimeReceived, SrcAS, DstAS, SrcAddr, DstAddr) VALUES (now(), 13335, 0, '1.1.1.1', '10.0.0.1')")
	if got := ask[string](t, read, "SELECT concat(SrcASName, '|', SrcASCountry, '|', DstASName, '|', DstASCountry) FROM flows"); got != "EXAMPLE|DE|private use|" {
		t.Errorf("the view has %s", got)
	}
	if n := ask[uint64](t, read, "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'flows' AND name LIKE '%AS%' AND type LIKE 'Nullable%'"); n != 0 {
		t.Errorf("%d columns can be NULL", n)
	}
}

// What an exporter tells stays; 23456 is what one with 16 bits for an AS number tells of
// larger ones.
func testWhatExportersDoNotTellIsResolvedOnInsert(t *testing.T, write, read *sql.DB) {
	entries := []mrttest.Entry{
		{Prefix: netip.MustParsePrefix("192.0.2.0/24"), ASN: 64500}, {Prefix: netip.MustParsePrefix("192.0.2.64/26"), ASN: 64501},
		{Prefix: netip.MustParsePrefix("2001:db8::/32"), ASN: 4200000000},
	}
	if err := load.New(write).Routes(t.Context(), table(entries), time.Now(), "test"); err != nil {
		t.Fatal(err)
	}
	exec(t, write, "TRUNCATE TABLE flows_raw")
	for i, test := range []struct {
		as      int
		address string // in hexadecimal, as exporters send it
		want    string
	}{
		{0, "C0000201", "64500 true"}, {0, "C0000241", "64501 true"}, {0, "20010DB8000000000000000000000001", "4200000000 true"},
		{0, "00000000000000000000FFFFC0000241", "64501 true"},
		{23456, "C0000201", "64500 true"}, {23456, "08080808", "23456 false"},
		{65000, "C0000201", "65000 false"}, {0, "08080808", "0 false"}, {0, "", "0 false"}, {0, "C00002", "0 false"},
	} {
		exec(t, write, fmt.Sprintf("INSERT INTO flows_received (SequenceNum, SrcAS, SrcAddr, DstAS, DstAddr) SELECT %d, %d, unhex('%s'), %[2]d, unhex('%[3]s')", i, test.as, test.address))
		for _, side := range []string{"Src", "Dst"} {
			got := ask[string](t, read, fmt.Sprintf("SELECT concat(toString(%sAS), ' ', toString(%[1]sASResolved)) FROM flows_raw WHERE SequenceNum = %d", side, i))
			if got != test.want {
				t.Errorf("%sAS %d of address %s: got %s, want %s", side, test.as, test.address, got, test.want)
			}
		}
	}
	if got := ask[uint64](t, read, "SELECT sum(Flows) FROM flows_1m WHERE SrcAS = 64500 AND DstAS = 64500"); got != 2 {
		t.Errorf("the sums have %d flows of the AS that was resolved, want 2", got)
	}
	exec(t, write, "TRUNCATE TABLE flows_raw")
}

func testSpecialAddressesAreNamed(t *testing.T, write, read *sql.DB) {
	for address, want := range map[string]string{
		"10.255.0.1": "private use", "172.31.255.255": "private use", "172.32.0.0": "", "192.168.0.0": "private use", "100.64.0.1": "shared address space",
		"169.254.1.1": "link-local", "127.0.0.1": "loopback", "0.1.2.3": "this network", "192.0.2.9": "documentation", "198.19.255.255": "benchmarking",
		"224.0.0.251": "multicast", "255.255.255.255": "broadcast", "250.0.0.1": "reserved", "8.8.8.8": "",
		"fe80::1": "link-local", "fd00::1": "private use", "ff02::1": "multicast", "2001:db8::1": "documentation", "3fff::1": "documentation", "2a00::1": "", "::1": "loopback",
	} {
		if got := ask[string](t, read, "SELECT addressScope(parseAddress(?))", address); got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
}

// What a person drops, and what ClickHouse cannot load, comes back; flows are stored without
// it meanwhile.
func testDictionariesHeal(t *testing.T, write, read *sql.DB) {
	l := load.New(write)
	entries := []mrttest.Entry{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), ASN: 64500}}
	lookup := func() uint32 {
		return ask[uint32](t, read, "SELECT asOfAddress(parseAddress('192.0.2.1'))")
	}
	for name, damage := range map[string][]string{
		"dropped":          {"DROP DICTIONARY as_of_ipv4 SYNC", "DROP DICTIONARY as_of_prefix SYNC", "DROP DICTIONARY as_registry SYNC"},
		"cannot be loaded": {"CREATE OR REPLACE DICTIONARY as_of_ipv4 (Network UInt64, ASN UInt32) PRIMARY KEY Network SOURCE(CLICKHOUSE(QUERY 'SELECT 1, 2 FROM nowhere')) LAYOUT(FLAT) LIFETIME(0)"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := l.Routes(t.Context(), table(entries), time.Now(), "test"); err != nil {
				t.Fatal(err)
			}
			if got := lookup(); got != 64500 {
				t.Fatalf("before: got %d", got)
			}
			for _, statement := range damage {
				exec(t, write, statement)
			}
			if err := read.QueryRowContext(t.Context(), "SELECT asOfAddress(parseAddress('192.0.2.1'))").Scan(new(uint32)); err == nil {
				t.Fatal("nothing is damaged")
			}
			if healed, err := l.Heal(t.Context()); !healed || err != nil {
				t.Fatalf("healed: %v, %v", healed, err)
			}
			if got := lookup(); got != 0 {
				t.Errorf("healed: got %d, want 0", got)
			}
			if built, err := l.Built(t.Context(), load.Prefixes); err != nil || !built.IsZero() {
				t.Errorf("healed: the table was built %v, %v; it is to be loaded again", built, err)
			}
			if healed, err := l.Heal(t.Context()); healed || err != nil {
				t.Errorf("healed again: %v, %v", healed, err)
			}
		})
	}
}
