package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/pb"
)

// Values of FirewallEvent.
const (
	begun, ended, goesOn = 1, 2, 5
)

// exchange sends datagrams through the router, so many each way, as one connection.
type exchange struct {
	server net.PacketConn
	client net.Conn
}

func (l *lab) exchange(t *testing.T, to, through string) *exchange {
	t.Helper()
	e := &exchange{}
	var err error
	l.within(t, l.server, func() { e.server, err = net.ListenPacket("udp", to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.server.Close() })
	e.client = l.dial(t, l.client, "udp", through)
	return e
}

// ask has the client send so many bytes, and the server answer with so many.
func (e *exchange) ask(t *testing.T, question, answer int) {
	t.Helper()
	if _, err := e.client.Write(make([]byte, question)); err != nil {
		t.Fatal(err)
	}
	deadline, buffer := time.Now().Add(10*time.Second), make([]byte, 2000)
	_ = e.server.SetReadDeadline(deadline)
	_, from, err := e.server.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.server.WriteTo(make([]byte, answer), from); err != nil {
		t.Fatal(err)
	}
	_ = e.client.SetReadDeadline(deadline)
	if _, err := e.client.Read(buffer); err != nil {
		t.Fatal(err)
	}
}

// translate has the router hide the client from the server, and the server behind itself.
func (l *lab) translate(t *testing.T) {
	t.Helper()
	l.sh(t, l.router, fmt.Sprintf(`nft -f - <<-END
		table ip nat {
			chain before { type nat hook prerouting priority dstnat; iifname client udp dport 5300 dnat to %s:53; }
			chain after { type nat hook postrouting priority srcnat; oifname server masquerade; }
		}
		table inet watch { chain forwarded { type filter hook forward priority 0; ct state new counter; }; }
	END`, server4))
}

func TestAgentStoresWhatConnectionsCarriedWithTheirTranslation(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.translate(t)
	p := l.agent(t, "--conntrack", "--conntrack-enable")
	var sent, answered total
	e := l.exchange(t, server4+":53", routerClient4+":5300")
	const questions = 200
	for i := range questions {
		e.ask(t, i, 3*i)
		sent.add(total{1, uint64(i + udp4)})
		answered.add(total{1, uint64(3*i + udp4)})
	}
	six := l.exchange(t, "["+server6+"]:53", "["+server6+"]:53")
	six.ask(t, 100, 1000)
	l.ping(t, 3)
	l.sh(t, l.router, "conntrack -F 2>/dev/null")
	flows := l.finish(t, p)

	there, back := between(client4, routerClient4), between(server4, routerServer4)
	port := fmt.Sprint(e.client.LocalAddr().(*net.UDPAddr).Port)
	for _, c := range []struct {
		name   string
		of     func(*pb.FlowMessage) bool
		event  uint32
		want   total
		flows  int
		before string // addresses and ports as they arrive
		after  string // as they leave
	}{
		{"begun", there, begun, total{}, 1, client4 + ":" + port + " 10.77.1.1:5300", "10.77.2.1 10.77.2.2:53"},
		{"ended", there, ended, sent, 1, client4 + ":" + port + " 10.77.1.1:5300", "10.77.2.1 10.77.2.2:53"},
		{"ended, reply", back, ended, answered, 1, "10.77.2.2:53 10.77.2.1", "10.77.1.1:5300 " + client4 + ":" + port},
		{"IPv6", between(client6, server6), ended, total{1, 100 + udp6}, 1, "", "<nil>:0 <nil>:0"},
		{"IPv6, reply", between(server6, client6), ended, total{1, 1000 + udp6}, 1, "", "<nil>:0 <nil>:0"},
		{"ICMP", between(client4, server4), ended, total{3, 3 * 128}, 1, "", "10.77.2.1"},
		{"ICMP, reply", func(f *pb.FlowMessage) bool { return f.Proto == 1 && back(f) }, ended, total{3, 3 * 128}, 1, "", client4},
	} {
		chosen := func(f *pb.FlowMessage) bool {
			return f.FirewallEvent == c.event && c.of(f) && (f.Proto != 1 || strings.HasPrefix(c.name, "ICMP"))
		}
		n := 0
		for _, f := range flows {
			if !chosen(f) {
				continue
			}
			n++
			if got := fmt.Sprintf("%v:%d %v:%d", net.IP(f.SrcAddr), f.SrcPort, net.IP(f.DstAddr), f.DstPort); !containsAll(got, c.before) {
				t.Errorf("%s: arrives as %s, want %s", c.name, got, c.before)
			}
			if got := fmt.Sprintf("%v:%d %v:%d", net.IP(f.PostNATSrcAddr), f.PostNATSrcPort, net.IP(f.PostNATDstAddr), f.PostNATDstPort); !containsAll(got, c.after) {
				t.Errorf("%s: leaves as %s, want %s", c.name, got, c.after)
			}
			if f.Type != pb.FlowMessage_CONNTRACK || f.SamplingRate != 1 {
				t.Errorf("%s: a flow of another kind: %v", c.name, f)
			}
		}
		if stored := sum(flows, chosen); stored != c.want || n != c.flows {
			t.Errorf("%s: %d flows stored with %+v, want %d with %+v", c.name, n, stored, c.flows, c.want)
		}
	}
}

// ping has the client send echo requests of 128 bytes with their IP header, and waits for
// the answers.
func (l *lab) ping(t *testing.T, count int) {
	t.Helper()
	conn := l.dial(t, l.client, "ip4:icmp", server4)
	request, in := make([]byte, 108), make([]byte, 200)
	const checksum = 0xffff - 8<<8 - 0x1234
	copy(request, []byte{8, 0, checksum >> 8, checksum & 0xff, 0x12, 0x34}) // the rest is 0
	for range count {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(in); err != nil {
			t.Fatal(err)
		}
	}
}

func containsAll(text, words string) bool {
	for _, word := range strings.Fields(words) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// A connection that lasts is reported every second, by three agents one after the other.
func TestAgentCountsNothingTwiceOfConnectionsThatLast(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.translate(t)
	state := t.TempDir()
	flags := []string{"--conntrack", "--conntrack-enable", "--conntrack-active", "1s", "--state-dir", state}
	p := l.agent(t, flags...)
	var sent, answered total
	e := l.exchange(t, server4+":53", routerClient4+":5300")
	began := time.Now()
	talk := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			e.ask(t, 100, 1000)
			sent.add(total{1, 100 + udp4})
			answered.add(total{1, 1000 + udp4})
		}
	}
	talk(3 * time.Second)
	l.finish(t, p)
	talk(time.Second) // nobody listens
	p = l.agent(t, flags...)
	talk(2 * time.Second)
	l.finish(t, p)
	p = l.agent(t, flags...)
	talk(time.Second / 2)
	l.sh(t, l.router, "conntrack -D -p udp --orig-port-dst 5300 2>/dev/null")
	flows := l.finish(t, p)

	there := between(client4, routerClient4)
	if stored := sum(flows, there); stored != sent {
		t.Errorf("stored %+v of what the client sent, %+v", stored, sent)
	}
	if stored := sum(flows, between(server4, routerServer4)); stored != answered {
		t.Errorf("stored %+v of what the server sent, %+v", stored, answered)
	}
	events := map[uint32]int{}
	for _, f := range flows {
		if !there(f) {
			continue
		}
		events[f.FirewallEvent]++
		if lasted := f.TimeFlowEnd - f.TimeFlowStart; f.FirewallEvent == ended && (lasted < 6 || lasted > uint64(time.Since(began)/time.Second)+1) {
			t.Errorf("it ended after %d s, and began %v ago", lasted, time.Since(began))
		}
	}
	if events[begun] != 1 || events[ended] != 1 || events[goesOn] < 4 {
		t.Errorf("events %v: want one that it began, one that it ended, and several in between", events)
	}
}

func TestAgentStoresTCPConnectionsAsTheKernelCountsThem(t *testing.T) {
	l := newLab(t)
	l.connectKafka(t)
	l.sh(t, l.router, fmt.Sprintf(`nft -f - <<-END
		table inet watch { chain forwarded { type filter hook forward priority 0
			ct state invalid drop
			ip saddr %[1]s ip daddr %[2]s tcp dport 80 counter comment "there"
			ip saddr %[2]s ip daddr %[1]s tcp sport 80 counter comment "back"
		}; }
	END`, client4, server4))
	p := l.agent(t, "--conntrack", "--conntrack-enable", "--conntrack-starts=false")
	const connections = 50
	l.transfer(t, server4+":80", connections, 100_000)
	l.sh(t, l.router, "conntrack -F 2>/dev/null")
	flows := l.finish(t, p)
	for comment, of := range map[string]func(*pb.FlowMessage) bool{"there": between(client4, server4), "back": between(server4, client4)} {
		var counted total
		line := l.sh(t, l.router, "nft list table inet watch | grep "+comment)
		if _, err := fmt.Sscanf(line[strings.Index(line, "counter"):], "counter packets %d bytes %d", &counted.packets, &counted.bytes); err != nil {
			t.Fatal(err, line)
		}
		if stored := sum(flows, of); stored != counted || counted.bytes == 0 {
			t.Errorf("%s: stored %+v, the rule counted %+v", comment, stored, counted)
		}
		n := 0
		for _, f := range flows {
			if of(f) {
				n++
			}
		}
		if n != connections {
			t.Errorf("%s: %d flows, want one for each of %d connections", comment, n, connections)
		}
	}
}

// transfer makes connections one after the other, in which the server sends so many bytes.
func (l *lab) transfer(t *testing.T, address string, connections, size int) {
	t.Helper()
	var listener net.Listener
	var err error
	l.within(t, l.server, func() { listener, err = net.Listen("tcp", address) })
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write(make([]byte, size))
			c.Close()
		}
	}()
	for range connections {
		c := l.dial(t, l.client, "tcp", address)
		received := 0
		for buffer := make([]byte, 64<<10); ; {
			n, err := c.Read(buffer)
			if received += n; err != nil {
				break
			}
		}
		c.Close()
		if received != size {
			t.Fatalf("received %d bytes of %d", received, size)
		}
	}
}
