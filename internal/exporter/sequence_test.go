package exporter

import (
	"math/rand/v2"
	"testing"
)

// datagram is one that was received.
type datagram struct{ sequence, units uint32 }

// singles returns datagrams with these numbers, of one unit each.
func singles(numbers ...uint32) []datagram {
	var all []datagram
	for _, n := range numbers {
		all = append(all, datagram{n, 1})
	}
	return all
}

// row returns n datagrams that follow each other.
func row(from, n, units uint32) []datagram {
	var all []datagram
	for i := range n {
		all = append(all, datagram{from + i*units, units})
	}
	return all
}

func join(parts ...[]datagram) []datagram {
	var all []datagram
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// tally is the sum of verdicts.
type tally struct{ lost, late, away, duplicates, restarts int }

func (s *stream) observeAll(datagrams []datagram) (sum tally) {
	for _, d := range datagrams {
		v := s.observe(d.sequence, d.units)
		sum.lost += int(v.lost)
		sum.late += int(v.late)
		sum.away += int(v.away)
		if v.duplicate {
			sum.duplicates++
		}
		if v.restarted {
			sum.restarts++
		}
	}
	return sum
}

func TestSequence(t *testing.T) {
	const last = 1<<32 - 1
	for _, test := range []struct {
		name      string
		datagrams []datagram
		want      tally
	}{
		{"in order", singles(5, 6, 7, 8), tally{}},
		{"begins anywhere", singles(1_000_000), tally{}},
		{"one is missing", singles(1, 2, 4), tally{lost: 1}},
		{"many are missing", singles(1, 2, 1003), tally{lost: 1000}},
		{"two are swapped", singles(1, 3, 2, 4), tally{lost: 1, late: 1}},
		{"turned around", singles(1, 6, 5, 4, 3, 2, 7), tally{lost: 4, late: 4}},
		{"the middle of a gap is late", singles(1, 10, 5, 11), tally{lost: 8, late: 1}},
		{"one is late twice", singles(1, 3, 2, 2, 4), tally{lost: 1, late: 1, duplicates: 1}},
		{"the newest is repeated", singles(1, 2, 2, 3), tally{duplicates: 1}},
		{"every one is repeated", singles(1, 1, 2, 2, 3, 3, 4, 4), tally{duplicates: 4}},
		{"from before the first", singles(100, 99, 101), tally{}},
		{"wraps", singles(last-1, last, 0, 1), tally{}},
		{"a gap across the wrap", singles(last-1, 2), tally{lost: 3}},
		{"late across the wrap", singles(last-1, 2, last, 0, 1, 3), tally{lost: 3, late: 3}},

		{"flows in order", row(100, 5, 30), tally{}},
		{"a datagram of 30 flows is missing", []datagram{{0, 30}, {60, 30}}, tally{lost: 30}},
		{"two datagrams of flows are swapped", []datagram{{0, 30}, {60, 30}, {30, 30}, {90, 30}}, tally{lost: 30, late: 30}},
		{"messages without records", []datagram{{10, 0}, {10, 0}, {10, 5}, {15, 0}, {15, 1}}, tally{}},
		{"a late message without records", []datagram{{10, 5}, {15, 5}, {15, 0}, {20, 1}}, tally{}},
		{"records that cannot be counted", []datagram{{10, 5}, {15, UnknownUnits}, {40, 5}, {45, 1}}, tally{}},
		{"a gap before them is a gap", []datagram{{10, 5}, {20, UnknownUnits}, {40, 5}}, tally{lost: 5}},

		{"the exporter starts anew", join(row(500_000, 5, 1), row(0, 5, 1)), tally{restarts: 1}},
		{"it does so early", join(row(0, 300, 1), row(0, 300, 1)), tally{restarts: 1, duplicates: rowNear - 1}},
		{"it starts anew with random numbers", join(row(500_000, 5, 1), row(3_000_000_000, 5, 1)), tally{restarts: 1}},
		{"a loss after it started anew", join(row(500_000, 5, 1), singles(0, 2, 4)), tally{restarts: 1, lost: 1}},
		{"one straggler from long ago", join(row(500_000, 5, 1), singles(3), row(500_005, 5, 1)), tally{}},
		{"stragglers now and then", join(row(500_000, 5, 1), singles(3), row(500_005, 5, 1), singles(4), row(500_010, 5, 1)), tally{}},
		{"a burst of repeated ones", join(row(0, 20, 1), row(10, 10, 1), row(20, 5, 1)), tally{duplicates: 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := new(stream).observeAll(test.datagrams); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSequenceAfterTheCollectorWasAway(t *testing.T) {
	for _, test := range []struct {
		name      string
		next      uint32
		datagrams []datagram
		want      tally
	}{
		{"nothing was sent", 100, singles(100, 101), tally{}},
		{"some was", 100, singles(150, 151), tally{away: 50}},
		{"very much was", 100, singles(100 + farthestAbsence), tally{away: farthestAbsence}},
		{"the exporter started anew", 5000, singles(3, 4), tally{restarts: 1}},
		{"gaps are gaps again", 100, singles(150, 152), tally{away: 50, lost: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &stream{next: test.next, known: true, restored: true}
			if got := s.observeAll(test.datagrams); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Whatever the network does with datagrams within a small distance, lost minus late is
// what did not arrive, and no datagram that arrived once is a duplicate.
func TestReorderingIsNoLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, units := range []uint32{1, 30} {
		sent := row(4_294_900_000, 20_000, units)
		var arrived []datagram
		dropped := 0
		for i, d := range sent {
			if i > 0 && i < len(sent)-1 && random.IntN(100) == 0 {
				dropped += int(units)
				continue
			}
			arrived = append(arrived, d)
		}
		// Neither the first nor the last is moved, by which the numbers in between are known.
		for i := 1; i+4 < len(arrived); i += 4 {
			random.Shuffle(4, func(a, b int) { arrived[i+a], arrived[i+b] = arrived[i+b], arrived[i+a] })
		}
		got := new(stream).observeAll(arrived)
		if got.lost-got.late != dropped || got.duplicates != 0 || got.restarts != 0 {
			t.Errorf("units of %d: %+v, that is %d lost, want %d", units, got, got.lost-got.late, dropped)
		}
		if got.late == 0 {
			t.Error("nothing was late; the test shows nothing")
		}
	}
}

// More gaps than are remembered: what comes late into a forgotten one is neither late
// nor a duplicate, because nobody knows.
func TestForgottenGapsAreNotGuessedAt(t *testing.T) {
	s := new(stream)
	var numbers []uint32
	for i := range uint32(maxGaps + 2) {
		numbers = append(numbers, 2*i) // every odd one is missing
	}
	if got := s.observeAll(singles(numbers...)); got.lost != maxGaps+1 {
		t.Fatalf("%d lost, want %d", got.lost, maxGaps+1)
	}
	for _, test := range []struct {
		name   string
		number uint32
		want   verdict
	}{
		{"missing, forgotten", 1, verdict{}},
		{"received, forgotten", 0, verdict{}},
		{"missing, remembered", 3, verdict{late: 1}},
		{"received, remembered", 4, verdict{duplicate: true}},
	} {
		if got := s.observe(test.number, 1); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// Numbers of any kind must not break it: it reads what anybody may send.
func FuzzSequence(f *testing.F) {
	f.Add([]byte{1, 1, 2, 1, 9, 1, 5, 1, 200, 255})
	f.Fuzz(func(t *testing.T, steps []byte) {
		s := new(stream)
		var sum tally
		sequence := uint32(0)
		for i := 0; i+1 < len(steps); i += 2 {
			sequence += uint32(int32(int8(steps[i]))) << (steps[i+1] >> 4 * 2)
			units := uint32(steps[i+1] & 15)
			if units == 15 {
				units = UnknownUnits
			}
			v := s.observe(sequence, units)
			sum.lost += int(v.lost)
			sum.late += int(v.late)
			if sum.late > sum.lost {
				t.Fatalf("%d late of %d lost", sum.late, sum.lost)
			}
			if len(s.gaps) > maxGaps || s.span > farthestBack {
				t.Fatalf("%d gaps, span %d", len(s.gaps), s.span)
			}
		}
	})
}
