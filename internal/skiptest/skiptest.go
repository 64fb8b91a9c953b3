// Package skiptest leaves tests out where the machine lacks what they need, loudly.
package skiptest

import (
	"os"
	"testing"
)

// Missing skips the test for want of something, or fails it if NETMETA_REQUIRE=all.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("NETMETA_REQUIRE") == "all" {
		t.Fatal("NETMETA_REQUIRE=all, but: " + what)
	}
	t.Skip("SKIPPED: " + what)
}

// NeedRoot does so where the test does not run as root.
func NeedRoot(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, why+" needs root")
	}
}
