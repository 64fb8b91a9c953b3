package collect_test

import (
	"net"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/queue"
)

func TestFlowsOfEveryProtocolAreInTheTopicExactly(t *testing.T) {
	k := fakeKafka(t)
	p := openQueue(t, queue.Config{Brokers: k.ListenAddrs()})
	lost := []func() int{
		counted(t, "netmeta_listen_kernel_drops_total"),
		counted(t, "netmeta_decode_errors_total"),
		counted(t, "netmeta_queue_flows_dropped_total"),
	}
	records := counted(t, "netmeta_records_total")
	c := startCollector(t, p)
	sent := sendAll(t, c, 10_000, 10_000)
	c.Stop()
	closeQueue(t, p)

	wantSame(t, sent, readTopic(t, k.ListenAddrs(), sent.records()))
	if records() != 40_000 || sent.records() != 40_000 {
		t.Errorf("%d records sent and %d counted, want 40000", sent.records(), records())
	}
	for _, n := range lost {
		if n() != 0 {
			t.Errorf("%d counted as lost although nothing was", n())
		}
	}
}

func TestListenersAreOpenedWhereAskedFor(t *testing.T) {
	k := fakeKafka(t)
	p := openQueue(t, queue.Config{Brokers: k.ListenAddrs()})
	for _, test := range []struct {
		name   string
		config collect.Config
		want   string
	}{
		{"all", collect.Config{SFlow: anyPort, NetFlow: anyPort, NetFlowLegacy: anyPort}, "sflow netflow netflow-legacy"},
		{"sFlow left out", collect.Config{NetFlow: anyPort, NetFlowLegacy: anyPort}, "netflow netflow-legacy"},
		{"only sFlow", collect.Config{SFlow: anyPort}, "sflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.SocketBuffer = 1 << 20
			c, err := collect.Start(test.config, to(p))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Stop()
			var names []string
			for _, l := range c.Listeners() {
				names = append(names, l.Name)
				if !l.Addr.IsValid() || l.Addr.Port() == 0 {
					t.Errorf("listener %s is said to be at %v", l.Name, l.Addr)
				}
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("listeners %s, want %s", got, test.want)
			}
		})
	}
}

func TestCollectorWithoutListenersIsRefused(t *testing.T) {
	k := fakeKafka(t)
	_, err := collect.Start(collect.Config{}, to(openQueue(t, queue.Config{Brokers: k.ListenAddrs()})))
	if err == nil || !strings.Contains(err.Error(), "every listener is switched off") {
		t.Errorf("got %v, want a refusal that says why", err)
	}
}

func TestListenerThatCannotBeOpenedClosesTheOthers(t *testing.T) {
	k := fakeKafka(t)
	p := openQueue(t, queue.Config{Brokers: k.ListenAddrs()})
	taken := reserve(t)
	sflow, netflow := reserve(t), reserve(t)
	sflow.Close()
	netflow.Close()
	_, err := collect.Start(collect.Config{
		SFlow: sflow.LocalAddr().String(), NetFlow: netflow.LocalAddr().String(), NetFlowLegacy: taken.LocalAddr().String(),
		SocketBuffer: 1 << 20,
	}, to(p))
	if err == nil || !strings.Contains(err.Error(), "netflow-legacy on udp "+taken.LocalAddr().String()) {
		t.Errorf("got %v, want an error that names the listener and its address", err)
	}
	for _, address := range []string{sflow.LocalAddr().String(), netflow.LocalAddr().String()} {
		socket, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Errorf("still open: %v", err)
			continue
		}
		socket.Close()
	}
}

// reserve opens a UDP socket on a free port.
func reserve(t *testing.T) net.PacketConn {
	t.Helper()
	socket, err := net.ListenPacket("udp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}
