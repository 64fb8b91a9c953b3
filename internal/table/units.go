package table

import (
	"math"
	"strconv"
)

// units are the prefixes of powers of a thousand.
var units = []string{"", "k", "M", "G", "T", "P", "E"}

// amount writes v with three digits that count and the prefix of its unit, as 1.23 G.
func amount(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	power := 0
	for math.Abs(v) >= 999.5 && power < len(units)-1 {
		v /= 1000
		power++
	}
	text := strconv.FormatFloat(v, 'g', 3, 64)
	if exact, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(exact) >= 0.001 {
		text = strconv.FormatFloat(exact, 'f', -1, 64) // no exponent
	}
	if power == 0 {
		return text
	}
	return text + " " + units[power]
}
