package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/pb"
)

const ethernetHeader, vlanTag = 14, 4

func TestAgentMirrorsEveryPacketOfAnInterface(t *testing.T) {
	for _, sockets := range []string{"1", "2"} {
		t.Run(sockets+" sockets", func(t *testing.T) {
			l := newLab(t)
			l.connectKafka(t)
			p := l.agent(t, "--mirror", "client", "--mirror-rate", "1", "--mirror-sockets", sockets)
			type side struct {
				in, out, direction, vlan uint32
			}
			for _, c := range []struct {
				from, to  string
				sent      total
				want      side
				linkLayer uint64
			}{
				{client4, server4, l.datagrams(t, l.client, l.server, server4, 2000, 700), side{in: l.toClient}, ethernetHeader},
				{server6, client6, l.datagrams(t, l.server, l.client, client6, 1000, 50), side{out: l.toClient, direction: 1}, ethernetHeader},
				{"10.77.100.2", "10.77.100.1", l.tagged(t, 500, 50), side{in: l.toClient, vlan: 100}, ethernetHeader + vlanTag},
			} {
				of := udpBetween([2]string{c.from, c.to})
				sent := total{c.sent.packets, c.sent.bytes + c.sent.packets*c.linkLayer}
				// A block is handed over within 200 ms, and a flow gets to Kafka within 200 more.
				var flows []*pb.FlowMessage
				for end := time.Now().Add(20 * time.Second); sum(flows, of) != sent; time.Sleep(100 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s to %s: stored %+v, sent %+v", c.from, c.to, sum(flows, of), sent)
					}
					flows = l.flows(t)
				}
				for _, f := range flows {
					got := side{f.InIf, f.OutIf, f.FlowDirection, f.VlanId}
					if of(f) && (got != c.want || !f.HasFlowDirection || f.SrcMac == 0 || f.Type != pb.FlowMessage_MIRROR) {
						t.Fatalf("%s to %s: stored %v, want %+v", c.from, c.to, f, c.want)
					}
				}
			}
			before := sum(l.flows(t), func(*pb.FlowMessage) bool { return true })
			if after := sum(l.finish(t, p), func(*pb.FlowMessage) bool { return true }); after.packets < before.packets {
				t.Errorf("%d packets stored before the end, %d after", before.packets, after.packets)
			}
		})
	}
}

// tagged has the client send datagrams from 10.77.100.2 to 10.77.100.1 in VLAN 100. The
// kernel takes the tag out of the frame when it receives it, and remembers it.
func (l *lab) tagged(t *testing.T, count, size int) total {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{10, 77, 100, 2}, DstIP: net.IP{10, 77, 100, 1}}
	udp := &layers.UDP{SrcPort: 1000, DstPort: 2000}
	_ = udp.SetNetworkLayerForChecksum(ip)
	frame := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(frame, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{255, 255, 255, 255, 255, 255}, EthernetType: layers.EthernetTypeDot1Q},
		&layers.Dot1Q{VLANIdentifier: 100, Priority: 3, Type: layers.EthernetTypeIPv4}, ip, udp, gopacket.Payload(make([]byte, size))); err != nil {
		t.Fatal(err)
	}
	l.within(t, l.client, func() {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(fd)
		to := &unix.SockaddrLinklayer{Ifindex: int(index(t, "eth0"))}
		for range count {
			if err := unix.Sendto(fd, frame.Bytes(), 0, to); err != nil {
				t.Error(err)
			}
		}
	})
	return total{uint64(count), uint64(count * (size + udp4))}
}

func TestAgentHandsOverWhatTheKernelStillHasWhenItStops(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.rules(t, "--nft", "--rate", "1", "--group", "5", "--install")
	p := l.agent(t, "--nflog", "5", "--mirror", "server", "--mirror-rate", "1")
	sent := l.datagrams(t, l.client, l.server, server4, 7, 100) // fills nothing
	flows := l.finish(t, p)
	of := udpBetween([2]string{client4, server4})
	for _, kind := range []pb.FlowMessage_FlowType{pb.FlowMessage_NFLOG, pb.FlowMessage_MIRROR} {
		stored := sum(flows, func(f *pb.FlowMessage) bool { return f.Type == kind && of(f) })
		if stored.packets != sent.packets {
			t.Errorf("%v: stored %d packets, sent %d", kind, stored.packets, sent.packets)
		}
	}
}

// An interface that goes away is none of the agent's faults, and comes back.
func TestAgentGoesOnWhenAnInterfaceComesBack(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.sh(t, l.router, "ip link add later type veth peer name other; ip link set later up; ip link set other up")
	p := l.agent(t, "--mirror", "later", "--mirror-rate", "1")
	l.sh(t, l.router, "ip link del later")
	p.find(t, `a source failed, opening it again.*no such network interface|a source failed.*network is down`)
	l.sh(t, l.router, "ip link add later type veth peer name other; ip link set later up; ip link set other up; ip addr add 10.77.9.1/24 dev later; ip neigh add 10.77.9.2 lladdr 02:00:00:00:00:02 dev later")
	p.find(t, `a source is read again`)
	if _, err := l.dial(t, l.router, "udp", "10.77.9.2:9").Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if stored := sum(l.finish(t, p), between("10.77.9.1", "10.77.9.2")); stored.packets != 1 {
		t.Errorf("stored %d packets, sent 1", stored.packets)
	}
}

func TestAgentSaysWhatItIsMissing(t *testing.T) {
	l := newLab(t)
	nobody := func(c *exec.Cmd) {
		c.Env = append(os.Environ(), c.Env...)
		i := 0
		for i < len(c.Args) && !strings.Contains(c.Args[i], "netns") {
			i++
		}
		// ip netns exec NAMESPACE setpriv ... PROGRAM: entering takes the rights that the agent must not have.
		c.Args = append(c.Args[:i+3:i+3], append([]string{"setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-all"}, c.Args[i+3:]...)...)
	}
	taken := l.agent(t, "--nflog", "7")
	defer taken.signal(t)
	for _, c := range []struct {
		name   string
		change func(*exec.Cmd)
		args   []string
		want   string
	}{
		{"capability for nflog", nobody, []string{"--nflog", "5"}, "needs the capability CAP_NET_ADMIN"},
		{"capability for mirror", nobody, []string{"--mirror", "client"}, "needs the capability CAP_NET_RAW"},
		{"group", nil, []string{"--nflog", "7"}, "the group is in use by another process"},
		{"interface", nil, []string{"--mirror", "eth99"}, `"eth99".*no such network interface`},
		{"accounting", nil, []string{"--conntrack"}, "sysctl -w net.netfilter.nf_conntrack_acct=1"},
		{"anything", nil, nil, "give --nflog, --conntrack or --mirror"},
		{"exporter", nil, []string{"--conntrack", "--exporter", "router1"}, `--exporter: "router1" is no IPv4 or IPv6 address`},
		{"group number", nil, []string{"--nflog", "70000"}, "groups are 0 to 65535"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"agent", "--exporter", labExporter, "--kafka", l.brokers[0], "--metrics", "", "--flush-timeout", "0s"}, c.args...)
			p := l.netmeta(t, c.change, args...)
			p.find(t, c.want)
			if code := p.wait(t); code == 0 {
				t.Error("exit code 0")
			}
		})
	}
}

// What the kernel could not hand over is counted, and with what was stored makes up all.
func TestAgentCountsWhatTheKernelDropped(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.rules(t, "--nft", "--rate", "1", "--group", "5", "--install")
	p := l.agent(t, "--nflog", "5", "--socket-buffer", "8192")
	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	sent := l.datagrams(t, l.client, l.server, server4, 3000, 100)
	if err := p.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	dropped := func() float64 { return l.metric(t, p, `netmeta_agent_kernel_drops_total{source="nflog"}`) }
	for end := time.Now().Add(20 * time.Second); dropped() == 0; time.Sleep(100 * time.Millisecond) {
		// The next packet's number says how many are missing in front of it.
		sent.add(l.datagrams(t, l.client, l.server, server4, 1, 100))
		if time.Now().After(end) {
			t.Fatal("no drops are counted")
		}
	}
	if l.metric(t, p, `netmeta_agent_overruns_total{source="nflog"}`) == 0 {
		t.Error("no overrun is counted")
	}
	counted := dropped()
	stored := sum(l.finish(t, p), func(f *pb.FlowMessage) bool { return f.Proto == 17 })
	others := uint64(20) // neighbour discovery and the like is logged, too
	if all := stored.packets + uint64(counted); all < sent.packets || all > sent.packets+others {
		t.Errorf("stored %d packets, and %v counted as dropped, of %d", stored.packets, counted, sent.packets)
	}
}
