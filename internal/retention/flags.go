// Package retention says how long flows are kept: by age, and by how full the disk is.
package retention

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// units are those that an age can have besides Go's, the longest first.
var units = []struct {
	suffix string
	length time.Duration
}{{"y", 365 * day}, {"w", 7 * day}, {"d", day}}

// Age is a flag's value: a whole number of days, weeks or years of 365 days (30d, 6w, 2y),
// or what Go writes for a duration (12h). 0, the zero value, is none.
type Age time.Duration

// Set reads an age. It implements pflag.Value.
func (a *Age) Set(text string) error {
	for _, unit := range units {
		number, found := strings.CutSuffix(text, unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n == 0 || n > uint64(math.MaxInt64/unit.length) {
			return errAge
		}
		*a = Age(time.Duration(n) * unit.length)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errAge
	}
	*a = Age(d)
	return nil
}

var errAge = fmt.Errorf("must be a number of hours, days, weeks or years, such as 12h, 30d, 6w or 2y")

// String returns the age in days or hours, if it is a whole number of them.
func (a Age) String() string {
	switch d := time.Duration(a); {
	case d == 0:
		return "0"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	default:
		return d.String()
	}
}

// Type is what --help calls it.
func (a *Age) Type() string { return "age" }

// Share is a flag's value: a part of the disk, from 0 to 1, written as 80%. 0 is none.
type Share float64

// Set reads a share. It implements pflag.Value.
func (s *Share) Set(text string) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(percent > 0 && percent < 100) {
		return fmt.Errorf("must be a percentage between 0%% and 100%%, such as 80%%")
	}
	*s = Share(percent / 100)
	return nil
}

// String returns the share as a percentage, or nothing for none.
func (s Share) String() string {
	if s == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(s), 'g', 6, 64) + "%"
}

// Type is what --help calls it.
func (s *Share) Type() string { return "percent" }
