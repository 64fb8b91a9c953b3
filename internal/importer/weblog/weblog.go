// Package weblog decodes access logs of web servers: those of nginx and Apache in any
// format that their configuration names, the JSON of Caddy and Traefik, and the extended
// log format of the W3C (https://www.w3.org/TR/WD-logfile), which IIS writes.
//
// A line becomes the flow of the response, from the server to the client, with what only
// the log knows of the request, and where the log has its length, the flow of the request.
package weblog

import (
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/jsonline"
	"github.com/leoluk/NetMeta/pb"
)

// Source is the name of this kind of file.
const Source = "web-log"

// NoClient is the Reason for a client that is no address: a socket of the host itself, or
// a name, where the server looks them up.
const NoClient importer.Reason = "no_client"

// Options say what a log does not.
type Options struct {
	// Format is combined, common, or a format string of nginx's log_format or Apache's
	// LogFormat. Empty: JSON, W3C, combined and common are recognised.
	Format string
	// Server is the server's address where the log does not tell; default: the first one
	// of this host.
	Server netip.Addr
	Port   uint16         // the server's, likewise; default 443 for TLS, else 80
	Host   string         // that was asked for, likewise
	Zone   *time.Location // of times without one; default UTC
}

// Formats by name, as servers define them.
const (
	common   = `%h %l %u %t "%r" %>s %b`
	combined = common + ` "%{Referer}i" "%{User-Agent}i"`
)

// Format returns how logs are read.
func Format(o Options) (importer.Format, error) {
	if !o.Server.IsValid() {
		o.Server = importer.OwnAddress()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	var first []*layout
	switch o.Format {
	case "":
		first = []*layout{must(combined), must(common)}
	case "combined":
		first = []*layout{must(combined)}
	case "common":
		first = []*layout{must(common)}
	default:
		l, err := parseLayout(o.Format)
		if err != nil {
			return importer.Format{}, err
		}
		first = []*layout{l}
	}
	return importer.Format{Source: Source, Records: "lines", New: func(state string) (importer.Decoder, error) {
		d := &decoder{options: o, layouts: first, guess: o.Format == ""}
		if state != "" {
			d.readDirective(state)
		}
		return d, nil
	}}, nil
}

func must(format string) *layout {
	l, err := parseLayout(format)
	if err != nil {
		panic(err)
	}
	return l
}

// request is what a line says.
type request struct {
	client, server         netip.Addr
	clientPort, serverPort uint32
	at                     time.Time // its end
	method, host, path     string
	version                string // HTTP/1.1
	status                 uint32
	sent, received         uint64
	duration               time.Duration
	tls                    uint32
	secure                 bool
}

// decoder decodes one file.
type decoder struct {
	importer.Lines
	options Options
	layouts []*layout // the one that matched last comes first
	guess   bool
	head    string // #Fields: of a W3C log
	w3c     *columns
	json    *jsonline.Reader[line] // nil until there is some
	line    line
	request request
	path    []byte // its group
	flow    flow.Request
	back    flow.Record
}

// State implements importer.Decoder: the names of a W3C log's columns.
func (d *decoder) State() string { return d.head }

// Decode implements importer.Decoder.
func (d *decoder) Decode(record []byte, out *importer.Output) importer.Reason {
	line, reason := d.Line(record)
	if reason != importer.Sent {
		return reason
	}
	d.request = request{}
	// What is kept of the line is encoded before it changes.
	if reason := d.parse(asText(line), out); reason != importer.Sent {
		return reason
	}
	return d.finish(out)
}

// asText returns bytes as text that changes with them.
func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (d *decoder) parse(line string, out *importer.Output) importer.Reason {
	if d.guess {
		switch {
		case line[0] == '{':
			return d.parseJSON(line, out)
		case line[0] == '#':
			d.readDirective(line)
			return importer.NoFlow
		case d.w3c != nil:
			return d.w3c.parse(line, &d.request, d.options.Zone, out)
		}
	}
	for i, l := range d.layouts {
		problem, ok := l.parse(line, &d.request, d.options.Zone)
		if ok {
			d.layouts[0], d.layouts[i] = l, d.layouts[0]
			return importer.Sent
		}
		d.request = request{}
		if i == 0 {
			out.Problem = problem
		}
	}
	return importer.BadValue
}

// finish makes flows of a request.
func (d *decoder) finish(out *importer.Output) importer.Reason {
	r := &d.request
	if !r.client.IsValid() {
		out.Problem = "the client is no address: have the server log addresses (HostnameLookups off)"
		return NoClient
	}
	end := uint64(max(r.at.Unix(), 0))
	if !importer.Plausible(end) {
		out.Problem = "there is no time, or one that cannot be"
		return importer.BadTime
	}
	d.complete(r)
	f := &d.flow
	f.Record = flow.Record{
		Type: pb.FlowMessage_WEB_LOG, TimeReceived: importer.Received(end, out.Now), TimeFlowEnd: end,
		TimeFlowStart: end - min(uint64(r.duration/time.Second), end),
		SamplingRate:  1, SamplingRateSource: pb.FlowMessage_RATE_PACKET, SamplerAddress: r.server,
		SrcAddr: r.server, SrcPort: r.serverPort, DstAddr: r.client, DstPort: r.clientPort,
		Proto: protoTCP, Etype: etherIPv4, Bytes: r.sent,
		FlowDirection: 1, HasFlowDirection: true, ApplicationName: r.host,
	}
	if f.TimeReceived != end {
		out.Ahead()
	}
	if r.client.Is6() {
		f.Etype = etherIPv6
	}
	if strings.HasPrefix(r.version, "HTTP/3") {
		f.Proto = protoUDP
	}
	d.path = appendGroup(d.path[:0], r.path)
	f.HTTPMethod, f.HTTPHost, f.HTTPPath = r.method, r.host, asText(d.path)
	f.HTTPStatus, f.HTTPDuration, f.TLSVersion = r.status, uint64(max(r.duration, 0)/time.Microsecond), r.tls
	out.Message(importer.Topic, f)
	if r.received > 0 {
		d.back = f.Record
		d.back.SrcAddr, d.back.DstAddr = f.DstAddr, f.SrcAddr
		d.back.SrcPort, d.back.DstPort = f.DstPort, f.SrcPort
		d.back.Bytes, d.back.FlowDirection = r.received, 0
		out.Flow(&d.back)
	}
	return importer.Sent
}

const (
	protoTCP  = 6
	protoUDP  = 17
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// complete fills in what the log does not tell.
func (d *decoder) complete(r *request) {
	if !r.server.IsValid() {
		r.server = d.options.Server
	}
	if r.serverPort == 0 {
		r.serverPort = uint32(d.options.Port)
	}
	if r.serverPort == 0 {
		r.serverPort = 80
		if r.secure || r.tls != 0 {
			r.serverPort = 443
		}
	}
	if r.host == "" || r.host == "-" {
		r.host = d.options.Host
	}
	r.host = text(strings.ToLower(withoutPort(r.host)))
	r.method, r.path = text(r.method), text(r.path)
	if r.method == "" || len(r.method) > 20 || strings.ContainsFunc(r.method, func(c rune) bool { return c < 'A' || c > 'Z' && c != '_' }) {
		r.method = "?" // what was sent is no request (RFC 9112): TLS to a port without, a scanner
		r.path = ""
	}
}

// text makes what ClickHouse and people can read of bytes that clients choose: UTF-8
// without control characters, of at most flow.MaxName bytes.
func text(s string) string {
	clean := true
	for i := range len(s) {
		clean = clean && s[i] >= ' ' && s[i] < 0x7f
	}
	if !clean {
		s = strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f {
				return '�'
			}
			return c
		}, strings.ToValidUTF8(s, "�"))
	}
	if len(s) > flow.MaxName {
		s = strings.ToValidUTF8(s[:flow.MaxName], "")
	}
	return s
}

func withoutPort(host string) string {
	if strings.HasPrefix(host, "[") {
		if address, after, found := strings.Cut(host[1:], "]"); found && (after == "" || after[0] == ':') {
			return address
		}
	} else if name, port, found := strings.Cut(host, ":"); found && !strings.Contains(port, ":") {
		return name
	}
	return strings.Trim(host, "[]")
}

// appendGroup appends the group of a path: without what follows ? or ;, its first segments,
// and * for those that are numbers, ids or long.
func appendGroup(b []byte, path string) []byte {
	const segments, longest = 4, 32
	if end := strings.IndexAny(path, "?;#"); end >= 0 {
		path = path[:end]
	}
	if strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") { // to a proxy
		_, path, _ = strings.Cut(path[8:], "/")
		b = append(b, '/')
	}
	for n := 0; ; n++ {
		part, rest, more := strings.Cut(path, "/")
		switch {
		case n > segments:
			return append(b, "…"...)
		case len(part) > longest || isID(part):
			b = append(b, '*')
		default:
			b = append(b, part...)
		}
		if !more {
			return b
		}
		b, path = append(b, '/'), rest
	}
}

// isID tells whether a segment is a number, or at least eight hexadecimal digits and
// dashes with a digit among them.
func isID(part string) bool {
	digits, hex := 0, 0
	for i := range len(part) {
		switch c := part[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-':
			hex++
		default:
			return false
		}
	}
	return digits > 0 && (hex == 0 || digits+hex >= 8)
}
