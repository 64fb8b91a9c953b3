package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/skiptest"
	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/validate"
)

// Addresses in the laboratory: of the client, of the router towards client and server, and
// of the server.
const (
	client4, routerClient4, routerServer4, server4 = "10.77.1.2", "10.77.1.1", "10.77.2.1", "10.77.2.2"
	client6, routerClient6, routerServer6, server6 = "fd77:1::2", "fd77:1::1", "fd77:2::1", "fd77:2::2"

	labExporter = "192.0.2.77"
)

// lab is a client and a server in network namespaces of their own, and a router between
// them, on which agents run.
type lab struct {
	client, router, server string // names of the namespaces
	toClient, toServer     uint32 // interfaces of the router, named client and server
	brokers                []string
}

// newLab makes a lab and a Kafka that its router reaches.
func newLab(t *testing.T) *lab {
	t.Helper()
	for _, tool := range []string{"ip", "nft", "iptables", "conntrack"} {
		if _, err := exec.LookPath(tool); err != nil {
			skiptest.Missing(t, tool+" is not installed; scripts/test.sh installs it")
		}
	}
	skiptest.NeedRoot(t, "making network namespaces")
	l := &lab{}
	for letter, name := range map[string]*string{"c": &l.client, "r": &l.router, "s": &l.server} {
		*name = fmt.Sprintf("netmeta-%d-%s", os.Getpid(), letter)
		if out, err := exec.Command("ip", "netns", "add", *name).CombinedOutput(); err != nil {
			skiptest.Missing(t, fmt.Sprintf("network namespaces cannot be made: %s", out))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", *name).Run() })
		l.sh(t, *name, "ip link set lo up")
	}
	l.sh(t, l.router, fmt.Sprintf(`
		ip link add client type veth peer name eth0 netns %[1]s
		ip link add server type veth peer name eth0 netns %[2]s
		ip addr add %[3]s/24 dev client; ip addr add %[4]s/24 dev server
		ip addr add %[5]s/64 dev client nodad; ip addr add %[6]s/64 dev server nodad
		ip link set client up; ip link set server up
		sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`,
		l.client, l.server, routerClient4, routerServer4, routerClient6, routerServer6))
	l.host(t, l.client, client4, routerClient4, client6, routerClient6)
	l.host(t, l.server, server4, routerServer4, server6, routerServer6)
	l.within(t, l.router, func() {
		l.toClient, l.toServer = index(t, "client"), index(t, "server")
	})
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	l.brokers = cluster.ListenAddrs()
	return l
}

func (l *lab) host(t *testing.T, namespace, address4, gateway4, address6, gateway6 string) {
	t.Helper()
	l.sh(t, namespace, fmt.Sprintf(`
		ip addr add %s/24 dev eth0; ip addr add %s/64 dev eth0 nodad; ip link set eth0 up
		ip route add default via %s; ip -6 route add default via %s`, address4, address6, gateway4, gateway6))
}

func index(t *testing.T, name string) uint32 {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(i.Index)
}

// sh runs a script in a namespace and returns what it writes.
func (l *lab) sh(t *testing.T, namespace, script string) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", namespace, "bash", "-euc", script).CombinedOutput()
	if err != nil {
		t.Fatalf("in %s: %v\n%s\n%s", namespace, err, script, out)
	}
	return string(out)
}

// within runs f on a thread that is in a namespace. Sockets that it opens stay there.
func (l *lab) within(t *testing.T, namespace string, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	enter := func(file *os.File, err error) {
		if err == nil {
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
			file.Close()
		}
		if err != nil {
			panic(fmt.Sprintf("enter a network namespace: %v", err)) // the thread must not go on elsewhere
		}
	}
	defer enter(os.Open("/proc/thread-self/ns/net"))
	enter(os.Open(filepath.Join("/run/netns", namespace)))
	f()
}

// dial opens a connection in a namespace.
func (l *lab) dial(t *testing.T, namespace, network, address string) (conn net.Conn) {
	t.Helper()
	var err error
	l.within(t, namespace, func() { conn, err = net.Dial(network, address) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connectKafka lets the router reach the broker, by the same address, until the test ends.
func (l *lab) connectKafka(t *testing.T) {
	t.Helper()
	var listener net.Listener
	var err error
	l.within(t, l.router, func() { listener, err = net.Listen("tcp", l.brokers[0]) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", l.brokers[0])
			if err != nil {
				in.Close()
				continue
			}
			go func() { defer in.Close(); _, _ = io.Copy(in, out) }()
			go func() { defer out.Close(); _, _ = io.Copy(out, in) }()
		}
	}()
}

// netmeta runs netmeta on the router.
func (l *lab) netmeta(t *testing.T, change func(*exec.Cmd), args ...string) process {
	t.Helper()
	return process{proctest.StartWith(t, func(c *exec.Cmd) {
		c.Args = append([]string{"ip", "netns", "exec", l.router, c.Path}, args...)
		var err error
		if c.Path, err = exec.LookPath("ip"); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(c)
		}
	}, args...)}
}

// agent starts an agent on the router and waits until it reads.
func (l *lab) agent(t *testing.T, args ...string) process {
	t.Helper()
	p := l.netmeta(t, nil, append([]string{"agent", "--exporter", labExporter, "--kafka", l.brokers[0], "--metrics", "127.0.0.1:0"}, args...)...)
	p.find(t, `agent: making flows`)
	return p
}

// rules has netmeta install rules on the router.
func (l *lab) rules(t *testing.T, args ...string) {
	t.Helper()
	p := l.netmeta(t, nil, append([]string{"agent", "rules"}, args...)...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("agent rules %q: exit code %d\n%s", args, code, p.Log)
	}
}

// finish stops an agent and returns all flows in the topic, each of which has to be right.
func (l *lab) finish(t *testing.T, p process) []*pb.FlowMessage {
	t.Helper()
	p.signal(t)
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.Log)
	}
	return l.flows(t)
}

func (l *lab) flows(t *testing.T) (all []*pb.FlowMessage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var broken error
	if err := (queue.Tail{Brokers: l.brokers, Topic: flow.Topic, Last: 1 << 30}).Read(ctx, func(m queue.Message) bool {
		for in := validate.NewReader(bytes.NewReader(m.Value)); ; {
			f, err := in.Next()
			if errors.Is(err, io.EOF) {
				return true
			}
			if err != nil {
				broken = err
				return false
			}
			for _, problem := range validate.Flow(f, time.Now()) {
				if problem.Severity != validate.Doubtful {
					broken = fmt.Errorf("%v: %v", problem, f)
				}
			}
			if net.IP(f.SamplerAddress).String() != labExporter {
				broken = fmt.Errorf("a flow of another exporter: %v", f)
			}
			all = append(all, f)
		}
	}); err != nil || broken != nil {
		t.Fatal(err, broken)
	}
	return all
}

// metric reads one of an agent's metrics.
func (l *lab) metric(t *testing.T, p process, name string) (value float64) {
	t.Helper()
	url := p.find(t, `serving url=(\S+)`)
	page := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			return l.dial(t, l.router, network, address), nil
		},
	}}
	response, err := page.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, name) {
			var one float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &one); err != nil {
				t.Fatalf("metric %q: %v", line, err)
			}
			value += one
		}
	}
	return value
}

// total is what flows add up to.
type total struct{ packets, bytes uint64 }

// sum adds up those that are chosen.
func sum(flows []*pb.FlowMessage, chosen func(*pb.FlowMessage) bool) (s total) {
	for _, f := range flows {
		if chosen(f) {
			s.packets += f.Packets
			s.bytes += f.Bytes
		}
	}
	return s
}

// between chooses flows by their addresses.
func between(source, destination string) func(*pb.FlowMessage) bool {
	return func(f *pb.FlowMessage) bool {
		return net.IP(f.SrcAddr).String() == source && net.IP(f.DstAddr).String() == destination
	}
}

// Sizes of headers.
const (
	udp4 = 28
	udp6 = 48
)

// datagrams sends so many datagrams of a size from one namespace to an address, slowly
// enough for nothing to be lost on the way, and returns what they are as IP packets. They
// are received by a socket in the namespace to, which counts them.
func (l *lab) datagrams(t *testing.T, from, to, address string, count, size int) total {
	t.Helper()
	var receiver net.PacketConn
	var err error
	l.within(t, to, func() { receiver, err = net.ListenPacket("udp", net.JoinHostPort(address, "0")) })
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	conn := l.dial(t, from, "udp", receiver.LocalAddr().String())
	payload, in := make([]byte, size), make([]byte, size+1)
	for i := range count {
		if _, err := conn.Write(payload); err != nil {
			t.Fatal(err)
		}
		_ = receiver.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, _, err := receiver.ReadFrom(in); err != nil {
			t.Fatalf("datagram %d of %d: %v", i, count, err)
		}
	}
	header := udp4
	if strings.Contains(address, ":") {
		header = udp6
	}
	return total{uint64(count), uint64(count * (size + header))}
}
