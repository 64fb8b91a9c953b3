package retention

import (
	"testing"
	"time"
)

func TestAgesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]struct {
		age   time.Duration
		shown string
	}{
		"30d": {30 * day, "30d"}, "2w": {14 * day, "14d"}, "1y": {365 * day, "365d"},
		"168h": {7 * day, "7d"}, "36h": {36 * time.Hour, "36h"}, "90m": {90 * time.Minute, "1h30m0s"},
	} {
		var a Age
		if err := a.Set(text); err != nil || time.Duration(a) != want.age || a.String() != want.shown {
			t.Errorf("%s: %v, %s, %v", text, time.Duration(a), a, err)
		}
	}
	for _, text := range []string{"", "d", "0", "0d", "0h", "-3d", "-3h", "1.5d", "30", "30 d", "4294967295y", "99999999999d", "forever"} {
		var a Age
		if err := a.Set(text); err == nil {
			t.Errorf("%q is taken as %s", text, a)
		}
	}
}

func TestSharesArePercentages(t *testing.T) {
	for text, want := range map[string]Share{"80%": 0.8, "80": 0.8, "99.5%": 0.995} {
		var s Share
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	var s Share
	for _, text := range []string{"", "%", "0%", "100%", "-5%", "0.0", "NaN", "1e9%", "half"} {
		if err := s.Set(text); err == nil {
			t.Errorf("%q is taken as %s", text, s)
		}
	}
	if Share(0.995).String() != "99.5%" || Share(0).String() != "" {
		t.Errorf("shown as %q and %q", Share(0.995), Share(0))
	}
}
