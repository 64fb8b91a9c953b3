package generate

// shape is how the packets of a service are sized, from the server to the client and
// the other way.
type shape uint8

const (
	bulk    shape = iota // full packets one way, acknowledgements the other
	query                // a small question and an answer of medium size
	chatter              // small packets both ways
	tunnel               // a mix of everything both ways
)

// Protocol numbers (IANA "Assigned Internet Protocol Numbers").
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// service is one share of the traffic.
type service struct {
	proto  uint8
	port   uint16 // of the server; 0: both ports are ephemeral
	weight float64
	shape  shape
	inside uint8 // share of its servers that are on the inside, of 256
}

// services is roughly the mix of an access and hosting network. ICMP stands for
// ICMPv6 too.
var services = []service{
	{proto: protoTCP, port: 443, weight: 40, shape: bulk, inside: 50},
	{proto: protoUDP, port: 443, weight: 22, shape: bulk, inside: 20},
	{proto: protoTCP, port: 80, weight: 6, shape: bulk, inside: 60},
	{proto: protoUDP, port: 53, weight: 6, shape: query, inside: 90},
	{proto: protoTCP, port: 0, weight: 5, shape: bulk, inside: 128},
	{proto: protoUDP, port: 0, weight: 5, shape: tunnel, inside: 128},
	{proto: protoUDP, port: 51820, weight: 3, shape: tunnel, inside: 100},
	{proto: protoUDP, port: 27015, weight: 3, shape: chatter, inside: 80},
	{proto: protoICMP, weight: 2, shape: chatter, inside: 128},
	{proto: protoUDP, port: 123, weight: 2, shape: chatter, inside: 60},
	{proto: protoTCP, port: 22, weight: 1.5, shape: tunnel, inside: 180},
	{proto: protoTCP, port: 993, weight: 1.2, shape: query, inside: 90},
	{proto: protoTCP, port: 25, weight: 1, shape: query, inside: 160},
	{proto: protoUDP, port: 3478, weight: 1, shape: chatter, inside: 40},
	{proto: protoUDP, port: 4500, weight: 1, shape: tunnel, inside: 120},
	{proto: protoTCP, port: 1935, weight: 0.2, shape: bulk, inside: 40},
	{proto: protoTCP, port: 179, weight: 0.1, shape: chatter, inside: 128},
}

func serviceWeights() []float64 {
	weights := make([]float64, len(services))
	for i, s := range services {
		weights[i] = s.weight
	}
	return weights
}

// sizeMix is the share, of 256, of small and of medium packets; the rest is large.
type sizeMix struct{ small, medium uint8 }

// sizes by shape: first towards the client, then towards the server.
var sizes = [...][2]sizeMix{
	bulk:    {{small: 30, medium: 30}, {small: 200, medium: 35}},
	query:   {{small: 60, medium: 150}, {small: 220, medium: 30}},
	chatter: {{small: 235, medium: 20}, {small: 240, medium: 15}},
	tunnel:  {{small: 90, medium: 50}, {small: 110, medium: 60}},
}

// flagMix are the TCP flags of sixteen equally likely packets or flows.
type flagMix [16]uint8

const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

var (
	packetFlags = flagMix{ack, ack, ack, ack, ack, ack, ack, ack, ack, ack,
		psh | ack, psh | ack, psh | ack, syn, syn | ack, fin | ack}
	flowFlags = flagMix{syn | ack | psh | fin, syn | ack | psh | fin, syn | ack | psh | fin,
		syn | ack | psh | fin, syn | ack | psh | fin, syn | ack | psh, syn | ack | psh,
		ack, ack, ack, ack | psh, ack | psh, ack | fin, syn, syn | rst | ack, rst}
)
