// Command capture shows and records what arrives at ports, before any socket and any
// firewall rule for input: the question "does anything come at all?".
//
// It needs CAP_NET_RAW.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

const usage = `Usage: capture [--interface eth0] [--ports 2055,2056,6343] [--count 100] [--write FILE]

Shows UDP datagrams to these ports that arrive at an interface, one on a line, until
Ctrl-C. With --write, they go to FILE (- is standard output) as pcap, which netmeta replay
and Wireshark read.
`

// snap is how much of a packet is kept: all of it, also where the network card puts
// several together.
const snap = 65536

type options struct {
	interfaces string
	ports      map[layers.UDPPort]bool
	count      int
	write      string
}

func main() {
	var o options
	var ports string
	flag.StringVar(&o.interfaces, "interface", "", "")
	flag.StringVar(&ports, "ports", "2055,2056,6343", "")
	flag.IntVar(&o.count, "count", 0, "")
	flag.StringVar(&o.write, "write", "", "")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if o.ports, err = parsePorts(ports); err == nil {
		err = capture(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func parsePorts(text string) (map[layers.UDPPort]bool, error) {
	ports := map[layers.UDPPort]bool{}
	for _, part := range strings.Split(text, ",") {
		port, err := strconv.ParseUint(strings.TrimSpace(part), 10, 16)
		if err != nil || port == 0 {
			return nil, fmt.Errorf("--ports: %q is no port", part)
		}
		ports[layers.UDPPort(port)] = true
	}
	return ports, nil
}

// firstInterface is the first that is up and leads elsewhere.
func firstInterface() (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	var names []string
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return i.Name, nil
		}
		names = append(names, i.Name)
	}
	return "", fmt.Errorf("no interface leads elsewhere; choose one with --interface: %s", strings.Join(names, ", "))
}

// capture writes what arrives to out, or to the file, until ctx ends.
func capture(ctx context.Context, o options, out io.Writer) (err error) {
	if o.interfaces == "" {
		if o.interfaces, err = firstInterface(); err != nil {
			return err
		}
	}
	handle, err := pcapgo.NewEthernetHandle(o.interfaces)
	if err != nil {
		if denied(err) {
			err = fmt.Errorf("%w (it needs CAP_NET_RAW: kubectl debug --profile=netadmin)", err)
		}
		return fmt.Errorf("listen on %s: %w", o.interfaces, err)
	}
	defer handle.Close()
	context.AfterFunc(ctx, func() { handle.Close() })
	var file *pcapgo.Writer
	if o.write != "" {
		to := os.Stdout
		if o.write != "-" {
			if to, err = os.Create(o.write); err != nil {
				return err
			}
			defer to.Close()
		}
		file = pcapgo.NewWriter(to)
		if err := file.WriteFileHeader(snap, layers.LinkTypeEthernet); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "capture: listening on %s\n", o.interfaces)
	for seen := 0; o.count == 0 || seen < o.count; {
		data, info, err := handle.ReadPacketData()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from %s: %w", o.interfaces, err)
		}
		line, ok := describe(data, o.ports)
		if !ok {
			continue
		}
		seen++
		if file == nil {
			fmt.Fprintf(out, "%s %s\n", info.Timestamp.UTC().Format(time.StampMicro), line)
		} else if err := file.WritePacket(info, data); err != nil {
			return err
		}
	}
	return nil
}

// denied tells that the right to listen is missing. The library passes the error on as
// text only.
func denied(err error) bool { return strings.Contains(err.Error(), syscall.EPERM.Error()) }

// describe is a line about a datagram to one of the ports.
func describe(data []byte, ports map[layers.UDPPort]bool) (line string, ok bool) {
	packet := gopacket.NewPacket(data, layers.LinkTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	udp, _ := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if udp == nil || !ports[udp.DstPort] {
		return "", false
	}
	from := packet.NetworkLayer().NetworkFlow()
	return fmt.Sprintf("%s -> %s %d bytes, %s",
		net.JoinHostPort(from.Src().String(), strconv.Itoa(int(udp.SrcPort))),
		net.JoinHostPort(from.Dst().String(), strconv.Itoa(int(udp.DstPort))), len(udp.Payload), protocol(udp.Payload)), true
}

// protocol goes by the version at the beginning: sFlow has 32 bits of it (sFlow Version 5,
// section 5), NetFlow and IPFIX have 16 (RFC 3954 section 5.1, RFC 7011 section 3.1).
func protocol(payload []byte) string {
	switch {
	case len(payload) >= 4 && string(payload[:4]) == "\x00\x00\x00\x05":
		return "sFlow v5"
	case len(payload) < 2 || payload[0] != 0:
		return "neither sFlow nor NetFlow"
	case payload[1] == 5:
		return "NetFlow v5"
	case payload[1] == 9:
		return "NetFlow v9"
	case payload[1] == 10:
		return "IPFIX"
	}
	return "neither sFlow nor NetFlow"
}
