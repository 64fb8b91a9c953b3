package generate

import (
	"math"
	"math/rand/v2"
)

// alias draws from a discrete distribution in constant time (Walker's alias method):
// a uniformly chosen column holds at most two outcomes, split at its threshold.
type alias struct {
	columns []aliasColumn
}

type aliasColumn struct {
	threshold uint32 // share of the column that is its own, of 2^32
	other     uint32
}

// newAlias prepares drawing index i with a probability proportional to weights[i].
func newAlias(weights []float64) alias {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	scaled := make([]float64, len(weights))
	var small, large []int
	for i, w := range weights {
		scaled[i] = w / total * float64(len(weights))
		if scaled[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	columns := make([]aliasColumn, len(weights))
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		columns[s] = aliasColumn{threshold: uint32(scaled[s] * math.MaxUint32), other: uint32(l)}
		scaled[l] -= 1 - scaled[s]
		if scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	// What is left misses 1 only by rounding.
	for _, i := range append(small, large...) {
		columns[i] = aliasColumn{threshold: math.MaxUint32, other: uint32(i)}
	}
	return alias{columns: columns}
}

func (a alias) pick(rng *rand.Rand) int {
	draw := rng.Uint64()
	column := uint32((draw >> 32) * uint64(len(a.columns)) >> 32)
	if uint32(draw) <= a.columns[column].threshold {
		return int(column)
	}
	return int(a.columns[column].other)
}
