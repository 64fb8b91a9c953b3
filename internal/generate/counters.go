package generate

import "encoding/binary"

// Formats of counter samples and of what is in them (sFlow version 5 section 5.3;
// port_name: sflow.org, "Structure Numbers", 1005), and values of struct if_counters.
const (
	counterSample    = 2
	genericCounters  = 1
	portName         = 1005
	ifTypeEthernet   = 6 // IANA ifType-MIB
	ifSpeed          = 100_000_000_000
	fullDuplex       = 1
	adminAndOperUp   = 3
	notPromiscuous   = 2
	genericBlockSize = 88
)

// octetsAndPackets is what one direction of an interface has carried.
type octetsAndPackets struct {
	octets  uint64
	packets uint32
}

// interfaceCounters are what an exporter counts on one interface: all of its traffic,
// of which the samples are a part. It carries exactly what the samples stand for.
type interfaceCounters struct {
	sequence uint32
	in, out  octetsAndPackets
}

func (c *octetsAndPackets) count(o *observation) {
	c.octets += uint64(o.frameLength()) * o.SamplingRate
	c.packets += uint32(o.SamplingRate)
}

// appendCounterSample appends the generic counters and the name of an interface.
func appendCounterSample(b []byte, i Interface, c *interfaceCounters) []byte {
	c.sequence++
	b = binary.BigEndian.AppendUint32(b, counterSample)
	b = append(b, 0, 0, 0, 0)
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, c.sequence)
	b = binary.BigEndian.AppendUint32(b, i.Index)
	b = binary.BigEndian.AppendUint32(b, 2) // records
	b = appendGenericCounters(b, i.Index, c)
	b = appendPortName(b, i.Name)
	binary.BigEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

func appendGenericCounters(b []byte, index uint32, c *interfaceCounters) []byte {
	b = binary.BigEndian.AppendUint32(b, genericCounters)
	b = binary.BigEndian.AppendUint32(b, genericBlockSize)
	b = binary.BigEndian.AppendUint32(b, index)
	b = binary.BigEndian.AppendUint32(b, ifTypeEthernet)
	b = binary.BigEndian.AppendUint64(b, ifSpeed)
	b = binary.BigEndian.AppendUint32(b, fullDuplex)
	b = binary.BigEndian.AppendUint32(b, adminAndOperUp)
	b = binary.BigEndian.AppendUint64(b, c.in.octets)
	b = binary.BigEndian.AppendUint32(b, c.in.packets)
	b = append(b, make([]byte, 5*4)...) // multicast, broadcast, discards, errors, unknown protocols
	b = binary.BigEndian.AppendUint64(b, c.out.octets)
	b = binary.BigEndian.AppendUint32(b, c.out.packets)
	b = append(b, make([]byte, 4*4)...) // multicast, broadcast, discards, errors
	return binary.BigEndian.AppendUint32(b, notPromiscuous)
}

func appendPortName(b []byte, name string) []byte {
	padded := (len(name) + 3) &^ 3
	b = binary.BigEndian.AppendUint32(b, portName)
	b = binary.BigEndian.AppendUint32(b, uint32(4+padded))
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	b = append(b, name...)
	return append(b, make([]byte, padded-len(name))...)
}
