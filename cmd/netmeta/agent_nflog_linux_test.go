package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/pb"
)

func TestAgentStoresEveryPacketThatRulesLog(t *testing.T) {
	for _, tool := range []string{"--nft", "--iptables"} {
		t.Run(tool[2:], func(t *testing.T) {
			l := newLab(t)
			l.connectKafka(t)
			l.rules(t, tool, "--rate", "1", "--group", "5", "--install")
			p := l.agent(t, "--nflog", "5")
			want := map[[2]string]total{
				{client4, server4}:       l.datagrams(t, l.client, l.server, server4, 2000, 1000),
				{client6, server6}:       l.datagrams(t, l.client, l.server, server6, 1500, 300),
				{routerServer4, server4}: l.datagrams(t, l.router, l.server, server4, 500, 10),
				{client6, routerClient6}: l.datagrams(t, l.client, l.router, routerClient6, 300, 20),
			}
			flows := l.finish(t, p)
			for addresses, sent := range want {
				if stored := sum(flows, udpBetween(addresses)); stored != sent {
					t.Errorf("%v: stored %+v, sent %+v", addresses, stored, sent)
				}
			}
			for _, f := range flows {
				if f.SamplingRate != 1 || f.SamplingRateSource != pb.FlowMessage_RATE_PACKET || f.Type != pb.FlowMessage_NFLOG {
					t.Fatalf("a flow of another kind: %v", f)
				}
			}
			checkSides(t, l, flows)
			l.rules(t, tool, "--group", "5", "--remove")
			if left := l.sh(t, l.router, "nft list ruleset | grep -i netmeta || true"); left != "" {
				t.Errorf("rules that were not removed:\n%s", left)
			}
		})
	}
}

func udpBetween(addresses [2]string) func(*pb.FlowMessage) bool {
	of := between(addresses[0], addresses[1])
	return func(f *pb.FlowMessage) bool { return f.Proto == 17 && of(f) }
}

// checkSides checks direction, interfaces and user of what was forwarded, sent and received.
func checkSides(t *testing.T, l *lab, flows []*pb.FlowMessage) {
	t.Helper()
	type side struct {
		in, out   uint32
		direction uint32
		known     bool
		user      string
		userID    uint64
	}
	for addresses, want := range map[[2]string]side{
		{client4, server4}:       {in: l.toClient, out: l.toServer},
		{client6, server6}:       {in: l.toClient, out: l.toServer},
		{routerServer4, server4}: {out: l.toServer, direction: 1, known: true, user: "root", userID: 6 << 24},
		{client6, routerClient6}: {in: l.toClient, known: true},
	} {
		of := udpBetween(addresses)
		for _, f := range flows {
			got := side{f.InIf, f.OutIf, f.FlowDirection, f.HasFlowDirection, f.ApplicationName, f.ApplicationID}
			if of(f) && got != want {
				t.Errorf("%v: stored %+v, want %+v", addresses, got, want)
				break
			}
		}
	}
}

// bound is how far an estimate may be off: five standard deviations of the binomial
// distribution, which one run in 1.7 million exceeds.
func bound(packets int, rate float64) float64 {
	return 5 * math.Sqrt(float64(packets)/rate*(1-1/rate)) * rate
}

func TestAgentEstimatesSampledTraffic(t *testing.T) {
	const packets, size, rate = 20_000, 100, 10
	for _, source := range []struct {
		name, rules string   // what sets rules up
		args        []string // of the agent
		from        pb.FlowMessage_RateSource
	}{
		{name: "own rules of nftables", rules: "--nft", args: []string{"--nflog", "5"}, from: pb.FlowMessage_RATE_PACKET},
		{name: "own rules of iptables", rules: "--iptables", args: []string{"--nflog", "5"}, from: pb.FlowMessage_RATE_PACKET},
		{
			name: "rules of nftables that do not say their rate", from: pb.FlowMessage_RATE_CONFIGURED, args: []string{"--nflog", "6"},
			rules: `nft 'add table inet t; add chain inet t f { type filter hook forward priority 0; }; add rule inet t f numgen random mod 10 == 0 log group 6'`,
		},
		{
			name: "rules of iptables that do not say their rate", from: pb.FlowMessage_RATE_CONFIGURED, args: []string{"--nflog", "6"},
			rules: `iptables -A FORWARD -m statistic --mode random --probability 0.1 -j NFLOG --nflog-group 6`,
		},
		{name: "mirror", args: []string{"--mirror", "client", "--mirror-rate", "10"}, from: pb.FlowMessage_RATE_CONFIGURED},
	} {
		t.Run(source.name, func(t *testing.T) {
			l := newLab(t)
			l.connectKafka(t)
			switch {
			case source.rules == "":
			case source.rules[0] == '-':
				l.rules(t, source.rules, "--rate", fmt.Sprint(rate), "--group", "5", "--install")
			default:
				l.sh(t, l.router, source.rules)
			}
			p := l.agent(t, source.args...)
			l.datagrams(t, l.client, l.server, server4, packets, size)
			estimate := 0.0
			for _, f := range l.finish(t, p) {
				if !udpBetween([2]string{client4, server4})(f) {
					continue
				}
				if f.SamplingRate != rate || f.SamplingRateSource != source.from {
					t.Fatalf("sampling rate %d by %v, want %d by %v", f.SamplingRate, f.SamplingRateSource, rate, source.from)
				}
				estimate += float64(f.Packets * f.SamplingRate)
			}
			if off := math.Abs(estimate - packets); off > bound(packets, rate) || off == packets {
				t.Errorf("estimated %.0f packets of %d: %.0f off, more than %.0f", estimate, packets, off, bound(packets, rate))
			}
		})
	}
}

func TestAgentKilledAndRestartedLosesNothingThatWasSpooled(t *testing.T) {
	const packets = 3000
	l := newLab(t) // and Kafka is away
	l.rules(t, "--nft", "--rate", "1", "--group", "5", "--install")
	state := t.TempDir()
	p := l.agent(t, "--nflog", "5", "--state-dir", state)
	sent := l.datagrams(t, l.client, l.server, server4, packets, 100)
	spooled := func() float64 { return l.metric(t, p, `netmeta_queue_spool_flows{topic="flow-messages"}`) }
	for end := time.Now().Add(30 * time.Second); spooled() < packets; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%.0f of %d flows are in the spool", spooled(), packets)
		}
	}
	p.Kill()
	l.connectKafka(t)
	p = l.agent(t, "--nflog", "5", "--state-dir", state)
	sent.add(l.datagrams(t, l.client, l.server, server4, packets, 100))
	if stored := sum(l.finish(t, p), udpBetween([2]string{client4, server4})); stored != sent {
		t.Errorf("stored %+v, sent %+v", stored, sent)
	}
}

func (s *total) add(more total) {
	s.packets += more.packets
	s.bytes += more.bytes
}
