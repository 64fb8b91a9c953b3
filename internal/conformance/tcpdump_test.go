package conformance

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/replay"
)

// What tcpdump -v writes of sFlow, one pattern for each line that says something that
// we keep.
var (
	tcpdumpDatagram = regexp.MustCompile(`sFlowv5, IPv[46] agent (\S+), agent-id (\d+), seqnum (\d+), uptime (\d+),`)
	tcpdumpSample   = regexp.MustCompile(`flow sample \(\d\), .* rate (\d+), .* input (\d+)(?: \((\d+)\),)? output (\d+)(?: \((\d+)\),)? records`)
	tcpdumpVlan     = regexp.MustCompile(`src vlan (\d+), src pri \d+, dst vlan (\d+)`)
	tcpdumpLength   = regexp.MustCompile(`protocol Ethernet \(1\), length (\d+),`)

	tcpdumpInterface = regexp.MustCompile(`ifindex (\d+), iftype (\d+), ifspeed (\d+), ifdirection (\d+)`)
	tcpdumpStatus    = regexp.MustCompile(`ifstatus (\d+),`)
	tcpdumpIn        = regexp.MustCompile(`In octets (\d+), unicast pkts (\d+), multicast pkts (\d+), broadcast pkts (\d+), discards (\d+)`)
	tcpdumpInErrors  = regexp.MustCompile(`In errors (\d+), unknown protos (\d+)`)
	tcpdumpOut       = regexp.MustCompile(`Out octets (\d+), unicast pkts (\d+), multicast pkts (\d+), broadcast pkts (\d+), discards (\d+)`)
	tcpdumpOutErrors = regexp.MustCompile(`Out errors (\d+), promisc mode (\d+)`)
)

// tcpdumpFlow is what tcpdump says about a flow sample.
type tcpdumpFlow struct {
	Agent            string
	Domain, Sequence uint32
	Rate, Bytes      uint64
	InIf, OutIf      uint32
	SrcVlan, DstVlan uint32
}

// tcpdumpReader reads tcpdump's text line by line.
type tcpdumpReader struct {
	t        *testing.T
	datagram flow.Counters // what is common to all counters of the datagram
	flows    []tcpdumpFlow
	counters []flow.Counters
}

// numbers returns the numbers in a line that the pattern finds, nil if it does not;
// one that is not there is 0.
func (r *tcpdumpReader) numbers(pattern *regexp.Regexp, line string) (list []uint64) {
	m := pattern.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	for _, text := range m[1:] {
		n, err := strconv.ParseUint("0"+text, 10, 64)
		if err != nil {
			r.t.Fatalf("tcpdump: %v in %q", err, line)
		}
		list = append(list, n)
	}
	return list
}

func (r *tcpdumpReader) line(line string) {
	if m := tcpdumpDatagram.FindStringSubmatch(line); m != nil {
		agent, err := netip.ParseAddr(m[1])
		if err != nil {
			r.t.Fatal(err)
		}
		r.datagram = flow.Counters{SamplerAddress: agent}
		fmt.Sscan(m[2]+" "+m[3]+" "+m[4], &r.datagram.ObservationDomain, &r.datagram.SequenceNum, &r.datagram.Uptime)
		return
	}
	r.flowLine(line)
	r.counterLine(line)
}

func (r *tcpdumpReader) flowLine(line string) {
	if n := r.numbers(tcpdumpSample, line); n != nil {
		inFormat, outFormat := n[2], n[4]
		if !strings.Contains(line, "expanded") { // both are in one number
			n[1], inFormat = n[1]&0x3fffffff, n[1]>>30
			n[3], outFormat = n[3]&0x3fffffff, n[3]>>30
		}
		r.flows = append(r.flows, tcpdumpFlow{
			Agent: r.datagram.SamplerAddress.String(), Domain: r.datagram.ObservationDomain, Sequence: r.datagram.SequenceNum,
			Rate: n[0], InIf: uint32(interfaceOf(n[1], inFormat)), OutIf: uint32(interfaceOf(n[3], outFormat)),
		})
	} else if n := r.numbers(tcpdumpVlan, line); n != nil {
		last := &r.flows[len(r.flows)-1]
		last.SrcVlan, last.DstVlan = uint32(n[0]), uint32(n[1])
	} else if n := r.numbers(tcpdumpLength, line); n != nil {
		r.flows[len(r.flows)-1].Bytes = n[0]
	}
}

func (r *tcpdumpReader) counterLine(line string) {
	if n := r.numbers(tcpdumpInterface, line); n != nil {
		c := r.datagram
		c.Interface, c.Type, c.Speed, c.Duplex = uint32(n[0]), uint32(n[1]), n[2], uint32(n[3])
		r.counters = append(r.counters, c)
		return
	}
	if len(r.counters) == 0 {
		return
	}
	last := &r.counters[len(r.counters)-1]
	if n := r.numbers(tcpdumpStatus, line); n != nil {
		last.Status = uint32(n[0])
	} else if n := r.numbers(tcpdumpIn, line); n != nil {
		last.InOctets, last.InUnicastPackets, last.InMulticastPackets = n[0], uint32(n[1]), uint32(n[2])
		last.InBroadcastPackets, last.InDiscards = uint32(n[3]), uint32(n[4])
	} else if n := r.numbers(tcpdumpInErrors, line); n != nil {
		last.InErrors, last.InUnknownProtocols = uint32(n[0]), uint32(n[1])
	} else if n := r.numbers(tcpdumpOut, line); n != nil {
		last.OutOctets, last.OutUnicastPackets, last.OutMulticastPackets = n[0], uint32(n[1]), uint32(n[2])
		last.OutBroadcastPackets, last.OutDiscards = uint32(n[3]), uint32(n[4])
	} else if n := r.numbers(tcpdumpOutErrors, line); n != nil {
		last.OutErrors, last.PromiscuousMode = uint32(n[0]), uint32(n[1])
	}
}

func TestSFlowIsAsTcpdumpSeesIt(t *testing.T) {
	flows, counters := 0, 0
	for _, c := range decodeAll(t) {
		golden := strings.TrimSuffix(c.Path, ".pcap") + ".out"
		if filepath.Base(filepath.Dir(c.Path)) != "tests" || golden == c.Path+".out" {
			continue
		}
		text, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		theirs := tcpdumpReader{t: t}
		for line := range strings.Lines(string(text)) {
			theirs.line(line)
		}
		var want, got []string
		for _, f := range theirs.flows {
			want = append(want, fmt.Sprintf("flow %+v", f))
		}
		for _, block := range theirs.counters {
			want = append(want, fmt.Sprintf("counters %+v", block))
		}
		for _, d := range c.datagrams {
			if d.Protocol != replay.SFlow {
				continue
			}
			for i := range d.flows {
				got = append(got, fmt.Sprintf("flow %+v", asTcpdump(&d.flows[i])))
			}
			for _, block := range d.counters {
				got = append(got, fmt.Sprintf("counters %+v", known(block)))
			}
		}
		flows, counters = flows+len(theirs.flows), counters+len(theirs.counters)
		report(t, c, want, got, nil)
	}
	if flows < 14 || counters < 190 {
		t.Errorf("only %d flows and %d blocks of counters compared, want 14 and 190", flows, counters)
	}
}

func asTcpdump(r *flow.Record) tcpdumpFlow {
	return tcpdumpFlow{
		Agent: r.SamplerAddress.String(), Domain: r.ObservationDomain, Sequence: r.SequenceNum, Rate: r.SamplingRate,
		Bytes: r.Bytes, InIf: r.InIf, OutIf: r.OutIf, SrcVlan: r.SrcVlan, DstVlan: r.DstVlan,
	}
}
