package names

import (
	"testing"

	"github.com/leoluk/NetMeta/internal/settings"
)

func FuzzNetworks(f *testing.F) {
	for _, text := range []string{"network,name\n192.0.2.0/24,a\n", `[{"network": "192.0.2.0/24", "name": "a"}]`, `{"::192.0.2.0/120": {"name": "a"}}`, "prefix;name\n", "<html>", "\"", "network\n\n::/0\n"} {
		f.Add("csv", []byte(text))
		f.Add("json", []byte(text))
	}
	f.Fuzz(func(t *testing.T, format string, text []byte) {
		networks, bad, err := parseNetworks(format, text)
		if err != nil && (networks != nil || bad != nil) {
			t.Fatalf("%v beside an error", networks)
		}
		for prefix, n := range networks {
			if !prefix.IsValid() || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
				t.Fatalf("%v is no network", prefix)
			}
			for _, text := range []string{n.Name, n.Role, n.Site, n.Tenant} {
				if len(text) > settings.MaxText || clean(text) != text {
					t.Fatalf("%q is no name", text)
				}
			}
		}
	})
}
