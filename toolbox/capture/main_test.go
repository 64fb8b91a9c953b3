package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
)

func TestCaptureShowsAndRecordsWhatArrives(t *testing.T) {
	receiver, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	_, port, err := net.SplitHostPort(receiver.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	ports, err := parsePorts("1," + port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { // until somebody listens
		sender, err := net.Dial("udp", receiver.LocalAddr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer sender.Close()
		for ctx.Err() == nil {
			sender.Write([]byte("\x00\x09\x00\x01netflow"))
			time.Sleep(10 * time.Millisecond)
		}
	}()
	var out bytes.Buffer
	err = capture(ctx, options{interfaces: "lo", ports: ports, count: 2}, &out)
	if err != nil && denied(err) && os.Getenv("NETMETA_REQUIRE") != "all" {
		t.Skip("SKIPPED: capturing needs CAP_NET_RAW")
	}
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	if want := " -> 127.0.0.1:" + port + " 11 bytes, NetFlow v9\n"; strings.Count(out.String(), want) != 2 {
		t.Errorf("shown is\n%s\nwant two lines with %q", out.String(), want)
	}

	path := filepath.Join(t.TempDir(), "a.pcap")
	if err := capture(ctx, options{interfaces: "lo", ports: ports, count: 1, write: path}, &out); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := pcapgo.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := reader.ReadPacketData()
	if line, ok := describe(data, ports); err != nil || !ok || !strings.HasSuffix(line, "NetFlow v9") {
		t.Errorf("recorded is %q, %v", line, err)
	}
}

func TestProtocolsAreToldByTheirVersion(t *testing.T) {
	for payload, want := range map[string]string{
		"\x00\x00\x00\x05": "sFlow v5", "\x00\x05": "NetFlow v5", "\x00\x09": "NetFlow v9", "\x00\x0a": "IPFIX",
		"": "neither sFlow nor NetFlow", "GET /": "neither sFlow nor NetFlow", "\x00\x00\x00\x04": "neither sFlow nor NetFlow",
	} {
		if got := protocol([]byte(payload)); got != want {
			t.Errorf("%q is %s, want %s", payload, got, want)
		}
	}
}
