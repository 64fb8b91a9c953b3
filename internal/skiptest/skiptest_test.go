package skiptest

import "testing"

// recorder notes how a test ends.
type recorder struct {
	testing.TB
	fatal, skipped string
}

func (r *recorder) Helper()           {}
func (r *recorder) Fatal(args ...any) { r.fatal = args[0].(string); panic(r) }
func (r *recorder) Skip(args ...any)  { r.skipped = args[0].(string); panic(r) }

func TestWhatIsMissingSkipsLoudlyOrFailsWhereNothingMayBeSkipped(t *testing.T) {
	for require, want := range map[string]recorder{
		"":    {skipped: "SKIPPED: no browser"},
		"all": {fatal: "NETMETA_REQUIRE=all, but: no browser"},
	} {
		var r recorder
		func() {
			t.Setenv("NETMETA_REQUIRE", require)
			defer func() { _ = recover() }()
			Missing(&r, "no browser")
		}()
		if r != want {
			t.Errorf("NETMETA_REQUIRE=%q: %+v, want %+v", require, r, want)
		}
	}
}
