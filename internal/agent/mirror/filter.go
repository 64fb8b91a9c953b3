package mirror

import "math"

// instruction is one of classic BPF (struct sock_filter of linux/filter.h).
type instruction struct {
	Code   uint16
	JT, JF uint8
	K      uint32
}

const (
	loadAbsolute  = 0x20 // BPF_LD | BPF_W | BPF_ABS
	jumpIfAtLeast = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	returnConst   = 0x06 // BPF_RET | BPF_K

	// random is where a load gives 32 random bits: SKF_AD_OFF + SKF_AD_RANDOM.
	random = 0xfffff000 + 56
)

// snapLength has room for headers with options, and for those in a tunnel.
const snapLength = 192

// MaxRate leaves an error of less than a thousandth to a probability in parts of 2^32.
const MaxRate = 1_000_000

// filter returns what takes each packet with a probability of 1 in rate, whatever became
// of others: no pattern in the traffic can agree with one in the sampling. With rate 0 it
// takes none.
func filter(rate uint32) []instruction {
	switch rate {
	case 0:
		return []instruction{{Code: returnConst, K: 0}}
	case 1:
		return []instruction{{Code: returnConst, K: snapLength}}
	}
	return []instruction{
		{Code: loadAbsolute, K: random},
		{Code: jumpIfAtLeast, JT: 1, K: threshold(rate)},
		{Code: returnConst, K: snapLength},
		{Code: returnConst, K: 0},
	}
}

// threshold is below which a random number takes a packet.
func threshold(rate uint32) uint32 { return uint32(math.Round((1 << 32) / float64(rate))) }
