// Package replay reads the flow export datagrams out of captures and sends them to a
// collector. Captures are pcap and pcapng files, and files that hold the UDP payload
// of one or of several datagrams as it was on the wire.
package replay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
	"time"
)

// Protocol is a flow export protocol as told by the first bytes of a datagram.
type Protocol string

// The protocols that Detect knows.
const (
	SFlow    Protocol = "sflow"
	NetFlow5 Protocol = "netflow5"
	NetFlow9 Protocol = "netflow9"
	IPFIX    Protocol = "ipfix"
	Other    Protocol = "other"
)

// Datagram is the payload of one UDP datagram.
type Datagram struct {
	Payload  []byte
	Time     time.Time // when it was captured; zero where the file does not say
	Protocol Protocol
}

// Detect tells the protocol of a datagram by its version number: 32 bits in sFlow, 16
// in NetFlow and IPFIX.
func Detect(payload []byte) Protocol {
	if len(payload) >= 4 && binary.BigEndian.Uint32(payload) == 5 {
		return SFlow
	}
	if len(payload) < 2 {
		return Other
	}
	switch binary.BigEndian.Uint16(payload) {
	case 5:
		return NetFlow5
	case 9:
		return NetFlow9
	case 10:
		return IPFIX
	}
	return Other
}

// Datagrams reads the datagrams of a capture, in its order. The format of the file is
// told by its first bytes, not by its name. An error ends the sequence and comes with
// a zero Datagram; datagrams before it, such as those of a pcap file that ends in the
// middle of a packet, are good. Payloads may be kept.
func Datagrams(path string) iter.Seq2[Datagram, error] {
	return func(yield func(Datagram, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(Datagram{}, err)
			return
		}
		defer file.Close()
		var magic [4]byte
		n, err := io.ReadFull(file, magic[:])
		if n == 0 {
			yield(Datagram{}, fmt.Errorf("read %s: %w", path, err))
			return
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			yield(Datagram{}, fmt.Errorf("read %s: %w", path, err))
			return
		}
		if isCapture(magic[:n]) {
			readCapture(path, file, yield)
			return
		}
		content, err := io.ReadAll(file)
		if err != nil {
			yield(Datagram{}, fmt.Errorf("read %s: %w", path, err))
			return
		}
		for _, payload := range Split(content) {
			if !yield(Datagram{Payload: payload, Protocol: Detect(payload)}, nil) {
				return
			}
		}
	}
}

// captureMagics begin pcap files in both byte orders, with times in micro- and
// nanoseconds, gzip files, which are taken for compressed pcap, and pcapng files.
var captureMagics = [][]byte{
	{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1},
	{0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1},
	{0x1f, 0x8b},
	pcapngMagic,
}

var pcapngMagic = []byte{0x0a, 0x0d, 0x0d, 0x0a}

func isCapture(start []byte) bool {
	for _, magic := range captureMagics {
		if bytes.HasPrefix(start, magic) {
			return true
		}
	}
	return false
}
