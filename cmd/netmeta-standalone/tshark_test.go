package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// volume is how much of a conversation was sent.
type volume struct{ Packets, IPBytes, FrameBytes int }

// compareWithTshark makes sure that the conversations are in the pcap file as the
// test believes, by asking somebody else.
func compareWithTshark(t *testing.T, pcap string, conversations []conversation) {
	t.Helper()
	want := make(map[string]volume)
	for _, c := range append(conversations, filler) {
		var v volume
		for _, p := range c.packets {
			v.add(c.ipBytes(p), c.frameBytes(p))
		}
		want[c.String()] = v
	}
	if diff := cmp.Diff(want, tshark(t, pcap)); diff != "" {
		t.Fatalf("tshark sees other traffic in the pcap file (-test +tshark):\n%s", diff)
	}
}

func (v *volume) add(ipBytes, frameBytes int) {
	v.Packets++
	v.IPBytes += ipBytes
	v.FrameBytes += frameBytes
}

// tshark returns what tshark sees in a pcap file, by conversation.
func tshark(t *testing.T, pcap string) map[string]volume {
	t.Helper()
	args := []string{"-n", "-r", pcap, "-T", "fields", "-E", "occurrence=f"}
	for _, field := range []string{
		"ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "ip.proto", "ipv6.nxt",
		"tcp.srcport", "udp.srcport", "tcp.dstport", "udp.dstport", "ip.len", "ipv6.plen", "frame.len",
	} {
		args = append(args, "-e", field)
	}
	output, err := exec.CommandContext(t.Context(), find(t, "tshark"), args...).Output()
	if err != nil {
		t.Fatalf("tshark %s: %v", pcap, err)
	}
	seen := make(map[string]volume)
	for line := range strings.Lines(string(output)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		// One of each pair is empty.
		key := conversationKey(f[0]+f[1], f[2]+f[3], number(t, f[4]+f[5]), number(t, f[6]+f[7]), number(t, f[8]+f[9]))
		ipBytes := number(t, f[10])
		if f[11] != "" {
			ipBytes = ipv6Header + number(t, f[11])
		}
		v := seen[key]
		v.add(ipBytes, number(t, f[12]))
		seen[key] = v
	}
	return seen
}

// number is 0 where tshark found no such field.
func number(t *testing.T, text string) int {
	t.Helper()
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("number of tshark: %v", err)
	}
	return n
}

// conversationKey names a conversation in the same way whoever has seen it.
func conversationKey(src, dst string, proto, srcPort, dstPort int) string {
	return fmt.Sprintf("%s port %d to %s port %d, protocol %d", src, srcPort, dst, dstPort, proto)
}

func (c *conversation) String() string {
	return conversationKey(c.src.Addr().String(), c.dst.Addr().String(), int(c.proto), int(c.src.Port()), int(c.dst.Port()))
}
