package geoip_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/geoip/geoiptest"
)

func TestPlacesAreThoseOfTheDatabase(t *testing.T) {
	db, err := geoip.Open(geoiptest.Database(t, map[string]geoip.Place{
		"198.51.100.0/24": {Country: "NL", Name: "Netherlands", City: "Amsterdam"},
		"2001:db8::/32":   {Country: "DE", Name: "Germany"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for address, want := range map[string]geoip.Place{
		"198.51.100.7":        {"NL", "Netherlands", "Amsterdam", netip.MustParsePrefix("198.51.100.0/24")},
		"::ffff:198.51.100.7": {"NL", "Netherlands", "Amsterdam", netip.MustParsePrefix("198.51.100.0/24")},
		"2001:db8:1::1":       {"DE", "Germany", "", netip.MustParsePrefix("2001:db8::/32")},
	} {
		if got, ok, err := db.Find(netip.MustParseAddr(address)); !ok || err != nil || got != want {
			t.Errorf("%s is in %+v, %v, %v, want %+v", address, got, ok, err, want)
		}
	}
	if got, ok, err := db.Find(netip.MustParseAddr("203.0.113.1")); ok || err != nil {
		t.Errorf("an address that is not in it is in %+v, %v", got, err)
	}
}

func TestWhatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.mmdb")
	if err := os.WriteFile(path, []byte("<!DOCTYPE html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := geoip.Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}
