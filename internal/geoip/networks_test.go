package geoip_test

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/geoip/geoiptest"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func networks(t *testing.T, db *geoip.Database) (all []geoip.Place) {
	t.Helper()
	for place, err := range db.Networks() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, place)
	}
	return all
}

func TestNeighboursInTheSamePlaceAreOneNetwork(t *testing.T) {
	amsterdam, delft := geoip.Place{Country: "NL", City: "Amsterdam"}, geoip.Place{Country: "NL", City: "Delft"}
	db, err := geoip.Read("test", read(t, geoiptest.Database(t, map[string]geoip.Place{
		"192.0.2.0/26": amsterdam, "192.0.2.64/26": amsterdam, "192.0.2.128/25": amsterdam, // one /24
		"198.51.100.64/26": amsterdam, "198.51.100.128/26": amsterdam, // no halves of the same
		"203.0.113.0/25": amsterdam, "203.0.113.128/25": delft,
		"2001:db8::/33": delft, "2001:db8:8000::/34": delft, "2001:db8:c000::/34": delft,
	})))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, place := range networks(t, db) {
		got = append(got, place.Network.String()+" "+place.City)
	}
	want := []string{"192.0.2.0/24 Amsterdam", "198.51.100.64/26 Amsterdam", "198.51.100.128/26 Amsterdam", "203.0.113.0/25 Amsterdam", "203.0.113.128/25 Delft", "2001:db8::/32 Delft"}
	if !slices.Equal(got, want) {
		t.Errorf("networks\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(db.Kind(), "City") || db.Built().IsZero() {
		t.Errorf("kind %q, built %v", db.Kind(), db.Built())
	}
}

// What is joined must say of every address what the database says.
func TestNetworksSayOfEveryAddressWhatTheDatabaseSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cities := []string{"Amsterdam", "Delft", ""}
	places := map[string]geoip.Place{}
	for range 3000 {
		bits := 16 + random.IntN(17)
		a := netip.AddrFrom4([4]byte{10, 1, byte(random.IntN(256)), byte(random.IntN(256))})
		places[netip.PrefixFrom(a, bits).Masked().String()] = geoip.Place{Country: "NL", City: cities[random.IntN(3)]}
	}
	db, err := geoip.Read("test", read(t, geoiptest.Database(t, places)))
	if err != nil {
		t.Fatal(err)
	}
	all := networks(t, db)
	for i := range 65536 {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		want, ok, err := db.Find(a)
		if err != nil {
			t.Fatal(err)
		}
		at, found := slices.BinarySearchFunc(all, a, func(p geoip.Place, a netip.Addr) int {
			if p.Network.Contains(a) {
				return 0
			}
			return p.Network.Addr().Compare(a)
		})
		if found != ok || found && (all[at].City != want.City || all[at].Country != want.Country) {
			t.Fatalf("%s: found %v in the networks, %v in the database, which says %+v", a, found, ok, want)
		}
	}
}

func TestDatabaseMayBeCompressed(t *testing.T) {
	plain := read(t, geoiptest.Database(t, map[string]geoip.Place{"192.0.2.0/24": {Country: "NL"}}))
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(plain)
	w.Close()
	db, err := geoip.Read("test", b.Bytes())
	if err != nil || len(networks(t, db)) != 1 {
		t.Error(err)
	}
}

func TestDamagedDatabaseIsRefused(t *testing.T) {
	good := read(t, geoiptest.Database(t, map[string]geoip.Place{"192.0.2.0/24": {Country: "NL", City: "Delft"}, "2001:db8::/32": {Country: "DE"}}))
	text := bytes.ReplaceAll(good, []byte("NL"), []byte("??"))
	for name, b := range map[string][]byte{
		"empty": nil, "a page": []byte("<!DOCTYPE html>"), "cut off": good[:len(good)/2], "without its beginning": good[len(good)/2:],
		"half of a compressed one": {0x1f, 0x8b, 8, 0}, "a country that is none": text,
	} {
		db, err := geoip.Read(name, b)
		if err == nil {
			for _, err = range db.Networks() {
				if err != nil {
					break
				}
			}
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	good, err := os.ReadFile(geoiptest.Database(f, map[string]geoip.Place{"192.0.2.0/24": {Country: "NL", City: "Delft"}, "2001:db8::/32": {Country: "DE"}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		db, err := geoip.Read("fuzz", b)
		if err != nil {
			return
		}
		n := 0
		for range db.Networks() {
			if n++; n > 1<<16 {
				break
			}
		}
	})
}
