package generate

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

// oracle reads datagrams with goflow2's decoders and gopacket, which know nothing of
// the encoders here.
type oracle struct {
	t         testing.TB
	templates map[netip.Addr]netflow.NetFlowTemplateSystem
	rates     map[samplerKey]uint64
	records   []flow.Record
}

type samplerKey struct {
	source  netip.Addr
	domain  uint32
	sampler uint64
}

func newOracle(t testing.TB) *oracle {
	return &oracle{
		t:         t,
		templates: make(map[netip.Addr]netflow.NetFlowTemplateSystem),
		rates:     make(map[samplerKey]uint64),
	}
}

// read decodes one datagram and appends its records, without TimeReceived and
// SequenceNum. sFlow records have no times.
func (o *oracle) read(p packet) {
	o.t.Helper()
	buffer := bytes.NewBuffer(p.payload)
	switch version := binary.BigEndian.Uint16(p.payload); version {
	case 0:
		o.readSFlow(buffer)
	case 5:
		o.readNetFlow5(p.source, buffer)
	case 9, 10:
		if o.templates[p.source] == nil {
			o.templates[p.source] = netflow.CreateTemplateSystem()
		}
		o.readTemplated(p.source, version, buffer)
	default:
		o.t.Fatalf("datagram of version %d", version)
	}
	if buffer.Len() != 0 {
		o.t.Fatalf("%d bytes follow the datagram's end", buffer.Len())
	}
}

func (o *oracle) readSFlow(buffer *bytes.Buffer) {
	var datagram sflow.Packet
	if err := sflow.DecodeMessageVersion(buffer, &datagram); err != nil {
		o.t.Fatal(err)
	}
	agent, _ := netip.AddrFromSlice(datagram.AgentIP)
	for _, sample := range datagram.Samples {
		r := flow.Record{
			Type: pb.FlowMessage_SFLOW_5, SamplerAddress: agent,
			SamplingRateSource: pb.FlowMessage_RATE_PACKET, Packets: 1,
		}
		var header sflow.SampleHeader
		var records []sflow.FlowRecord
		switch s := sample.(type) {
		case sflow.FlowSample:
			header, records = s.Header, s.Records
			r.SamplingRate, r.InIf, r.OutIf = uint64(s.SamplingRate), s.Input, s.Output
		case sflow.ExpandedFlowSample:
			header, records = s.Header, s.Records
			r.SamplingRate, r.InIf, r.OutIf = uint64(s.SamplingRate), s.InputIfValue, s.OutputIfValue
		case sflow.CounterSample:
			continue
		default:
			o.t.Fatalf("sample of type %T", sample)
		}
		r.HasFlowDirection = true
		r.ObservationDomain = datagram.SubAgentId
		if header.SourceIdValue == r.OutIf {
			r.FlowDirection = 1
		}
		for _, record := range records {
			o.readSFlowRecord(record.Data, &r)
		}
		o.records = append(o.records, r)
	}
}

func (o *oracle) readSFlowRecord(data any, r *flow.Record) {
	switch d := data.(type) {
	case sflow.SampledHeader:
		// OriginalLength is the length of the header; HeaderData has its padding too.
		if want := min(128, d.FrameLength-d.Stripped); d.OriginalLength != want {
			o.t.Errorf("a frame of %d bytes was sampled with %d", d.FrameLength, d.OriginalLength)
		}
		r.Bytes = uint64(d.FrameLength)
		o.readFrame(d.HeaderData[:d.OriginalLength], d.FrameLength, r)
	case sflow.ExtendedSwitch:
		r.SrcVlan, r.DstVlan = d.SrcVlan, d.DstVlan
	case sflow.ExtendedRouter:
		r.NextHop, _ = netip.AddrFromSlice(d.NextHop)
		r.SrcNet, r.DstNet = d.SrcMaskLen, d.DstMaskLen
	case sflow.ExtendedGateway:
		r.BGPNextHop, _ = netip.AddrFromSlice(d.NextHop)
		r.ASPath, r.Communities = d.ASPath, d.Communities
		r.SrcAS, r.NextHopAS, r.DstAS = d.SrcAS, d.ASPath[0], d.ASPath[len(d.ASPath)-1]
		if d.AS != ownAS || d.SrcPeerAS == 0 || d.ASPathType != 2 {
			o.t.Errorf("gateway record %+v", d)
		}
	default:
		o.t.Fatalf("flow record of type %T", data)
	}
}

// readFrame reads the sampled header, whose frame is length bytes long with its check
// sequence.
func (o *oracle) readFrame(frame []byte, length uint32, r *flow.Record) {
	parsed := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	outside := ethernetHeader + frameCheckSequence
	for _, layer := range parsed.Layers() {
		switch l := layer.(type) {
		case *layers.Ethernet:
			r.SrcMac, r.DstMac = mac(l.SrcMAC), mac(l.DstMAC)
			r.Etype = uint32(l.EthernetType)
		case *layers.Dot1Q:
			r.VlanID, r.Etype = uint32(l.VLANIdentifier), uint32(l.Type)
			outside += vlanTag
		case *layers.IPv4:
			if checksum(l.Contents) != 0 {
				o.t.Errorf("IPv4 header % x: wrong checksum", l.Contents)
			}
			if int(l.Length)+outside != int(length) && length != shortestFrame {
				o.t.Errorf("IPv4 packet of %d bytes in a frame of %d", l.Length, length)
			}
			r.SrcAddr, _ = netip.AddrFromSlice(l.SrcIP)
			r.DstAddr, _ = netip.AddrFromSlice(l.DstIP)
			r.Proto, r.IPTos, r.IPTTL = uint32(l.Protocol), uint32(l.TOS), uint32(l.TTL)
			r.FragmentID, r.FragmentOffset = uint32(l.Id), uint32(l.FragOffset)
		case *layers.IPv6:
			if int(l.Length)+40+outside != int(length) && length != shortestFrame {
				o.t.Errorf("IPv6 payload of %d bytes in a frame of %d", l.Length, length)
			}
			r.SrcAddr, _ = netip.AddrFromSlice(l.SrcIP)
			r.DstAddr, _ = netip.AddrFromSlice(l.DstIP)
			r.Proto, r.IPTos, r.IPTTL = uint32(l.NextHeader), uint32(l.TrafficClass), uint32(l.HopLimit)
			r.IPv6FlowLabel = l.FlowLabel
		case *layers.TCP:
			r.SrcPort, r.DstPort, r.TCPFlags = uint32(l.SrcPort), uint32(l.DstPort), uint32(l.Contents[13])
		case *layers.UDP:
			r.SrcPort, r.DstPort = uint32(l.SrcPort), uint32(l.DstPort)
		case *layers.ICMPv4:
			r.IcmpType, r.IcmpCode = uint32(l.TypeCode.Type()), uint32(l.TypeCode.Code())
		case *layers.ICMPv6:
			r.IcmpType, r.IcmpCode = uint32(l.TypeCode.Type()), uint32(l.TypeCode.Code())
		}
	}
}

func mac(b []byte) uint64 { return binary.BigEndian.Uint64(append([]byte{0, 0}, b...)) }

func (o *oracle) readNetFlow5(source netip.Addr, buffer *bytes.Buffer) {
	var datagram netflowlegacy.PacketNetFlowV5
	if err := netflowlegacy.DecodeMessageVersion(buffer, &datagram); err != nil {
		o.t.Fatal(err)
	}
	now := int64(datagram.UnixSecs)*1000 + int64(datagram.UnixNSecs)/1e6
	for _, d := range datagram.Records {
		r := flow.Record{
			Type: pb.FlowMessage_NETFLOW_V5, SamplerAddress: source, Etype: 0x0800,
			SamplingRate:       uint64(datagram.SamplingInterval & 0x3fff),
			SamplingRateSource: pb.FlowMessage_RATE_PACKET,
			ObservationDomain:  uint32(datagram.EngineType)<<8 | uint32(datagram.EngineId),
			SrcAddr:            address4(d.SrcAddr), DstAddr: address4(d.DstAddr), NextHop: address4(d.NextHop),
			InIf: uint32(d.Input), OutIf: uint32(d.Output),
			Packets: uint64(d.DPkts), Bytes: uint64(d.DOctets),
			SrcPort: uint32(d.SrcPort), DstPort: uint32(d.DstPort),
			TCPFlags: uint32(d.TCPFlags), Proto: uint32(d.Proto), IPTos: uint32(d.Tos),
			SrcAS: uint32(d.SrcAS), DstAS: uint32(d.DstAS),
			SrcNet: uint32(d.SrcMask), DstNet: uint32(d.DstMask),
			TimeFlowStart: uint64(now-int64(datagram.SysUptime-d.First)) / 1000,
			TimeFlowEnd:   uint64(now-int64(datagram.SysUptime-d.Last)) / 1000,
		}
		if r.Proto == protoICMP {
			r.IcmpType, r.IcmpCode, r.DstPort = r.DstPort>>8, r.DstPort&0xff, 0
		}
		o.records = append(o.records, r)
	}
}

func address4(a netflowlegacy.IPAddress) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(a))))
}
