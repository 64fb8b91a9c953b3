package collect

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAllowListHasAddressesAndPrefixesOfBothFamilies(t *testing.T) {
	prefixes, err := parseAllow([]string{"192.0.2.0/24", "::ffff:198.51.100.7", "2001:db8::/32", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	list := newAllowList(prefixes)
	for address, want := range map[string]bool{
		"192.0.2.1": true, "192.0.3.1": false, "198.51.100.7": true, "198.51.100.8": false,
		"2001:db8:1::1": true, "2001:db9::1": false, "::1": true, "::2": false,
	} {
		if got := list.allows(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is allowed: %v, want %v", address, got, want)
		}
	}
}

func TestEmptyAllowListAllowsEverybody(t *testing.T) {
	if !newAllowList(nil).allows(netip.MustParseAddr("203.0.113.1")) {
		t.Error("refused")
	}
}

func TestEntryThatMeansSomethingElseThanItSaysIsRefused(t *testing.T) {
	for entry, want := range map[string]string{
		"router1":        `"router1" is no IP address`,
		"192.0.2.0/33":   `"192.0.2.0/33" is no network`,
		"192.0.2.1/24":   "did you mean 192.0.2.0/24?",
		"2001:db8::1/32": "did you mean 2001:db8::/32?",
		"":               "is no IP address",
	} {
		if _, err := parseAllow([]string{entry}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error that contains %q", entry, err, want)
		}
	}
}
