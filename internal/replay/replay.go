package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// Ports are the UDP ports of a collector.
type Ports struct {
	SFlow, NetFlow, NetFlowLegacy uint16
}

// of returns the port of a protocol, 0 for Other.
func (p Ports) of(protocol Protocol) uint16 {
	switch protocol {
	case SFlow:
		return p.SFlow
	case NetFlow5:
		return p.NetFlowLegacy
	case NetFlow9, IPFIX:
		return p.NetFlow
	default:
		return 0
	}
}

// Options says where and how fast Run sends.
type Options struct {
	// To is HOST:PORT. Without a port, or with the port "auto", each datagram goes to
	// the port of its protocol, and those of no known protocol are left out; "auto"
	// alone is on this host.
	To    string
	Ports Ports

	// Speed is how many times faster than captured pcap files are replayed; 0 means
	// at Rate, as other files always are.
	Speed float64
	Rate  float64 // datagrams a second

	// Progress, if set, is called with the datagrams sent so far, several times a second.
	Progress func(datagrams uint64)
}

// Report says what was sent, file by file.
type Report struct {
	Files   []FileReport `json:"files"`
	Refused int          `json:"refused,omitempty"` // datagrams that came back because nothing listened
}

// FileReport says what was sent of one file.
type FileReport struct {
	Path      string           `json:"path"`
	Datagrams int              `json:"datagrams"`
	Bytes     int              `json:"bytes"`
	Protocols map[Protocol]int `json:"protocols"`         // datagrams
	Skipped   int              `json:"skipped,omitempty"` // datagrams without a port to go to
	Error     string           `json:"error,omitempty"`   // why the file was not read to its end
}

// Validate says what is wrong with o.
func (o *Options) Validate() error {
	if o.Speed < 0 {
		return fmt.Errorf("speed %g: must not be negative", o.Speed)
	}
	if o.Rate <= 0 {
		return fmt.Errorf("rate %g: must be above 0 datagrams a second", o.Rate)
	}
	return nil
}

// Run sends the datagrams of the given files, in their order; see Files. A file that
// cannot be read to its end is sent as far as it goes, and its report says why it
// ends there. The error joins those of files of which nothing could be read, and of
// sending. When ctx ends, so does Run, without an error.
func Run(ctx context.Context, o Options, files []string) (Report, error) {
	report := Report{Files: []FileReport{}}
	if err := o.Validate(); err != nil {
		return report, err
	}
	s, err := newSender(o)
	if err != nil {
		return report, err
	}
	defer s.close()
	var failed error
	for _, path := range files {
		file, err := s.sendFile(ctx, path)
		report.Files = append(report.Files, file)
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	report.Refused = s.refused
	return report, failed
}

// sender holds the sockets towards a collector.
type sender struct {
	Options
	host    string
	port    uint16 // 0: by protocol
	conns   map[uint16]net.Conn
	steady  rateClock
	refused int

	sent     uint64
	reported time.Time // when Progress was last called
}

func newSender(o Options) (*sender, error) {
	host, port, err := splitTarget(o.To)
	if err != nil {
		return nil, err
	}
	address, err := net.ResolveIPAddr("ip", host) // of several, an IPv4 one
	if err != nil {
		return nil, fmt.Errorf("collector address %q: %w", o.To, err)
	}
	return &sender{Options: o, host: address.String(), port: port, conns: make(map[uint16]net.Conn)}, nil
}

// splitTarget splits Options.To; port 0 means by protocol.
func splitTarget(to string) (host string, port uint16, err error) {
	if to == "auto" {
		return "127.0.0.1", 0, nil
	}
	if _, err := netip.ParseAddr(strings.Trim(to, "[]")); err == nil || !strings.Contains(to, ":") {
		return strings.Trim(to, "[]"), 0, nil
	}
	host, service, err := net.SplitHostPort(to)
	if err != nil {
		return "", 0, fmt.Errorf("collector address %q: %w", to, err)
	}
	if service == "auto" {
		return cmp.Or(host, "127.0.0.1"), 0, nil
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil || number == 0 {
		return "", 0, fmt.Errorf("collector address %q: port %q must be 1 to 65535, or auto", to, service)
	}
	return cmp.Or(host, "127.0.0.1"), uint16(number), nil
}

// close closes all sockets. What failed to be sent was reported by the write.
func (s *sender) close() {
	for _, conn := range s.conns {
		_ = conn.Close()
	}
}

func (s *sender) conn(port uint16) (net.Conn, error) {
	if conn, open := s.conns[port]; open {
		return conn, nil
	}
	address := net.JoinHostPort(s.host, strconv.Itoa(int(port)))
	conn, err := net.Dial("udp", address)
	if err != nil {
		return nil, fmt.Errorf("open a socket towards %s: %w", address, err)
	}
	s.conns[port] = conn
	return conn, nil
}

// sendFile sends one file. The error says why nothing of it was read, or could be sent.
func (s *sender) sendFile(ctx context.Context, path string) (FileReport, error) {
	report := FileReport{Path: path, Protocols: make(map[Protocol]int)}
	var clock fileClock
	for datagram, err := range Datagrams(path) {
		if err != nil {
			report.Error = err.Error()
			if report.Datagrams+report.Skipped == 0 {
				return report, err
			}
			return report, nil
		}
		port := cmp.Or(s.port, s.Ports.of(datagram.Protocol))
		if port == 0 {
			report.Skipped++
			continue
		}
		if !s.wait(ctx, &clock, datagram.Time) {
			return report, nil
		}
		if err := s.send(port, datagram.Payload); err != nil {
			report.Error = err.Error()
			return report, fmt.Errorf("send datagram %d of %s: %w", report.Datagrams+1, path, err)
		}
		s.progress()
		report.Datagrams++
		report.Bytes += len(datagram.Payload)
		report.Protocols[datagram.Protocol]++
	}
	if report.Datagrams == 0 && report.Skipped > 0 {
		err := fmt.Errorf("send %s: nothing in it is sFlow, NetFlow or IPFIX; to send it all the same, name a port of the collector", path)
		report.Error = err.Error()
		return report, err
	}
	return report, nil
}

// progress counts a datagram and says how many there are.
func (s *sender) progress() {
	const interval = 200 * time.Millisecond
	s.sent++
	if s.Progress == nil || time.Since(s.reported) < interval {
		return
	}
	s.reported = time.Now()
	s.Progress(s.sent)
}

// send writes one datagram. The kernel tells of a refusal at the write after the
// refused one, without sending, so that one is tried once more.
func (s *sender) send(port uint16, payload []byte) error {
	conn, err := s.conn(port)
	if err != nil {
		return err
	}
	_, err = conn.Write(payload)
	if errors.Is(err, syscall.ECONNREFUSED) {
		s.refused++
		_, err = conn.Write(payload)
	}
	return err
}

// WriteTable writes r for people: one line per file.
func (r Report) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "file\tdatagrams\tbytes\tprotocols")
	for _, f := range r.Files {
		var protocols []string
		for _, p := range slices.Sorted(maps.Keys(f.Protocols)) {
			protocols = append(protocols, fmt.Sprintf("%s %d", p, f.Protocols[p]))
		}
		if f.Skipped > 0 {
			protocols = append(protocols, fmt.Sprintf("unknown %d (not sent)", f.Skipped))
		}
		_, failed := fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", f.Path, f.Datagrams, f.Bytes, strings.Join(protocols, ", "))
		err = cmp.Or(err, failed)
	}
	return cmp.Or(err, table.Flush())
}
