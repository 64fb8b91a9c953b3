package packet

import (
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/flow"
)

// LabelSize is how many bytes an MPLS label stack entry has.
const LabelSize = 4

// Labels reads label stack entries up to the bottom of the stack and returns how many
// bytes they take (RFC 3032 section 2.1). Where the bottom is not in b, how many
// labels there are and which is the last is not known, and stays 0.
func Labels(b []byte) (labels flow.Labels, size int) {
	for n := uint32(1); len(b) >= size+LabelSize; n++ {
		const bottom = 1 << 8
		entry := binary.BigEndian.Uint32(b[size:])
		size += LabelSize
		label, ttl := SplitLabel(entry)
		switch n {
		case 1:
			labels.MPLS1Label, labels.MPLS1TTL = label, ttl
		case 2:
			labels.MPLS2Label, labels.MPLS2TTL = label, ttl
		case 3:
			labels.MPLS3Label, labels.MPLS3TTL = label, ttl
		}
		if entry&bottom != 0 {
			labels.MPLSCount = n
			labels.MPLSLastLabel, labels.MPLSLastTTL = label, ttl
			break
		}
	}
	return labels, size
}

// SplitLabel returns the label and the time to live of a label stack entry.
func SplitLabel(entry uint32) (label, ttl uint32) {
	return entry >> 12, entry & 0xff
}
