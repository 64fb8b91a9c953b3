package flow

// Protocol is what exporters speak.
type Protocol uint8

const (
	SFlow    Protocol = iota // sFlow version 5
	NetFlow5                 // NetFlow version 5
	NetFlow9                 // NetFlow version 9, RFC 3954
	IPFIX                    // RFC 7011
)

// Protocols are all of them, each at its own number.
var Protocols = [...]Protocol{SFlow, NetFlow5, NetFlow9, IPFIX}

// String returns the name as metrics and flags have it: sflow, netflow5, netflow9 or ipfix.
func (p Protocol) String() string {
	return [...]string{"sflow", "netflow5", "netflow9", "ipfix"}[p]
}
