package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/ip6defrag"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// packetSource reads the packets of a pcap or pcapng file.
type packetSource struct {
	gopacket.PacketDataSource
	linkType layers.LinkType // of all packets of a pcap file; pcapng has one per interface
}

func newPacketSource(r io.Reader) (packetSource, error) {
	buffered := bufio.NewReader(r)
	start, err := buffered.Peek(len(pcapngMagic))
	if err != nil {
		return packetSource{}, err
	}
	if bytes.Equal(start, pcapngMagic) {
		options := pcapgo.DefaultNgReaderOptions
		options.WantMixedLinkType = true
		reader, err := pcapgo.NewNgReader(buffered, options)
		return packetSource{PacketDataSource: reader}, err
	}
	reader, err := pcapgo.NewReader(buffered)
	if err != nil {
		return packetSource{}, err
	}
	return packetSource{PacketDataSource: reader, linkType: reader.LinkType()}, nil
}

// next returns the next packet, of which only what is asked for will be decoded.
func (s packetSource) next() (gopacket.Packet, error) {
	data, info, err := s.ReadPacketData()
	if err != nil {
		return nil, err
	}
	linkType := s.linkType
	if len(info.AncillaryData) > 0 {
		if own, ok := info.AncillaryData[0].(layers.LinkType); ok {
			linkType = own
		}
	}
	packet := gopacket.NewPacket(data, linkType, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	packet.Metadata().CaptureInfo = info
	return packet, nil
}

// readCapture yields the UDP payloads of a pcap or pcapng file.
func readCapture(path string, r io.Reader, yield func(Datagram, error) bool) {
	source, err := newPacketSource(r)
	if err != nil {
		yield(Datagram{}, fmt.Errorf("read %s: %w", path, err))
		return
	}
	fragments := reassembler{ipv4: ip4defrag.NewIPv4Defragmenter(), ipv6: ip6defrag.NewIPv6Defragmenter()}
	for number := 1; ; number++ {
		packet, err := source.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(Datagram{}, fmt.Errorf("read packet %d of %s: %w", number, path, err))
			return
		}
		payload, ok := fragments.payload(packet)
		if !ok {
			continue
		}
		datagram := Datagram{Payload: payload, Time: packet.Metadata().Timestamp, Protocol: Detect(payload)}
		if !yield(datagram, nil) {
			return
		}
	}
}

// reassembler puts IP fragments together.
type reassembler struct {
	ipv4 *ip4defrag.IPv4Defragmenter
	ipv6 *ip6defrag.IPv6Defragmenter
}

// payload returns the UDP payload of a packet, of its outermost UDP header if it is a
// tunnel. The last fragment of a datagram stands for all of them.
func (r *reassembler) payload(packet gopacket.Packet) ([]byte, bool) {
	for _, layer := range packet.Layers() {
		switch layer := layer.(type) {
		case *layers.UDP:
			return layer.Payload, true
		case *layers.IPv4:
			if layer.Flags&layers.IPv4MoreFragments == 0 && layer.FragOffset == 0 {
				continue
			}
			// A fragment that cannot belong to any packet is lost like an incomplete one.
			whole, err := r.ipv4.DefragIPv4WithTimestamp(layer, packet.Metadata().Timestamp)
			if err != nil || whole == nil {
				return nil, false
			}
			return udpPayload(whole.Protocol, whole.Payload)
		case *layers.IPv6Fragment:
			header, ok := packet.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
			if !ok {
				return nil, false
			}
			whole := r.ipv6.DefragIPv6(header, layer)
			if whole == nil {
				return nil, false
			}
			return udpPayload(whole.NextHeader, whole.Payload)
		}
	}
	return nil, false
}

// udpPayload returns what follows the UDP header of a reassembled IP payload.
func udpPayload(protocol layers.IPProtocol, payload []byte) ([]byte, bool) {
	var udp layers.UDP
	if protocol != layers.IPProtocolUDP || udp.DecodeFromBytes(payload, gopacket.NilDecodeFeedback) != nil {
		return nil, false
	}
	return udp.Payload, true
}
