package weblog

import (
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/jsonline"
)

// line is a line of JSON: the fields of Caddy (https://caddyserver.com/docs/logging) and,
// with capitals, of Traefik ("Access Logs" in its documentation). Its text is valid until
// the next one.
type line struct {
	caddy, traefik             bool   // it is a request
	time                       string // seconds since 1970, or text
	remoteIP, clientIP         string
	port, version              string
	method, host, path, scheme string
	duration                   string // seconds; of Traefik, nanoseconds
	status, sent, received     uint64
	tls                        uint64
	tlsName                    string
}

type jsonField = jsonline.Field[line]

// jsonFields are those that are kept.
var jsonFields = []jsonField{
	{Name: "ts", Set: keep(func(l *line) *string { return &l.time })},
	{Name: "bytes_read", Set: number(func(l *line) *uint64 { return &l.received })},
	{Name: "duration", Set: keep(func(l *line) *string { return &l.duration })},
	{Name: "size", Set: number(func(l *line) *uint64 { return &l.sent })},
	{Name: "status", Set: number(func(l *line) *uint64 { return &l.status })},
	{Name: "request", Set: func(l *line, v []byte) bool { l.caddy = true; return v == nil }, Fields: []jsonField{
		{Name: "remote_ip", Set: keep(func(l *line) *string { return &l.remoteIP })},
		{Name: "remote_port", Set: keep(func(l *line) *string { return &l.port })},
		{Name: "client_ip", Set: keep(func(l *line) *string { return &l.clientIP })},
		{Name: "proto", Set: keep(func(l *line) *string { return &l.version })},
		{Name: "method", Set: keep(func(l *line) *string { return &l.method })},
		{Name: "host", Set: keep(func(l *line) *string { return &l.host })},
		{Name: "uri", Set: keep(func(l *line) *string { return &l.path })},
		{Name: "tls", Fields: []jsonField{{Name: "version", Set: number(func(l *line) *uint64 { return &l.tls })}}},
	}},
	{Name: "ClientHost", Set: traefikText(func(l *line) *string { return &l.clientIP })},
	{Name: "ClientPort", Set: keep(func(l *line) *string { return &l.port })},
	{Name: "DownstreamContentSize", Set: number(func(l *line) *uint64 { return &l.sent })},
	{Name: "DownstreamStatus", Set: number(func(l *line) *uint64 { return &l.status })},
	{Name: "Duration", Set: keep(func(l *line) *string { return &l.duration })},
	{Name: "RequestContentSize", Set: number(func(l *line) *uint64 { return &l.received })},
	{Name: "RequestHost", Set: keep(func(l *line) *string { return &l.host })},
	{Name: "RequestMethod", Set: traefikText(func(l *line) *string { return &l.method })},
	{Name: "RequestPath", Set: keep(func(l *line) *string { return &l.path })},
	{Name: "RequestProtocol", Set: keep(func(l *line) *string { return &l.version })},
	{Name: "RequestScheme", Set: keep(func(l *line) *string { return &l.scheme })},
	{Name: "TLSVersion", Set: keep(func(l *line) *string { return &l.tlsName })},
	{Name: "StartUTC", Set: keep(func(l *line) *string { return &l.time })},
}

func keep(of func(l *line) *string) func(*line, []byte) bool {
	return func(l *line, value []byte) bool {
		*of(l) = asText(value)
		return true
	}
}

// traefikText keeps what only requests of Traefik have.
func traefikText(of func(l *line) *string) func(*line, []byte) bool {
	return func(l *line, value []byte) bool {
		*of(l) = asText(value)
		l.traefik = l.traefik || len(value) > 0
		return true
	}
}

func number(of func(l *line) *uint64) func(*line, []byte) bool {
	return func(l *line, value []byte) bool { return setCount(of(l), asText(value)) }
}

func (d *decoder) parseJSON(record string, out *importer.Output) importer.Reason {
	if d.json == nil {
		d.json = jsonline.New(jsonFields)
	}
	l := &d.line
	*l = line{}
	if err := d.json.Read(unsafe.Slice(unsafe.StringData(record), len(record)), l); err != nil {
		out.Problem = err.Error()
		return importer.BadValue
	}
	r := &d.request
	r.method, r.host, r.path, r.version = l.method, l.host, l.path, l.version
	r.status, r.sent, r.received = uint32(min(l.status, 1<<32-1)), l.sent, l.received
	switch {
	case l.caddy:
		return caddy(l, r, d.options.Zone, out)
	case l.traefik:
		return traefik(l, r, out)
	}
	// Servers log other things to the same place.
	out.Problem = "it is no request, as Caddy or Traefik log them"
	return importer.NoFlow
}

func caddy(l *line, r *request, zone *time.Location, out *importer.Output) importer.Reason {
	if !setUnixTime(r, l.time, zone) && !setISOTime(r, l.time, zone) {
		out.Problem = fmt.Sprintf("ts is %+q: use Caddy's time format unix_seconds_float or rfc3339", l.time)
		return importer.BadTime
	}
	client := l.clientIP // behind proxies that Caddy trusts
	if client == "" {
		client = l.remoteIP
	} else if client != l.remoteIP {
		l.port = ""
	}
	_ = setAddress(&r.client, client)
	_ = setPort(&r.clientPort, l.port)
	_ = setSeconds(r, l.duration, zone)
	r.tls = uint32(min(l.tls, 1<<16-1))
	return importer.Sent
}

func traefik(l *line, r *request, out *importer.Output) importer.Reason {
	start, err := time.Parse(time.RFC3339Nano, l.time)
	if err != nil {
		out.Problem = fmt.Sprintf("StartUTC is %+q", l.time)
		return importer.BadTime
	}
	_ = setDuration(r, l.duration, time.Nanosecond)
	r.at = start.Add(r.duration)
	_ = setAddress(&r.client, l.clientIP)
	_ = setPort(&r.clientPort, l.port)
	r.tls, r.secure = tlsVersions[l.tlsName], l.scheme == "https"
	return importer.Sent
}

// columns are those of a W3C log.
type columns struct {
	names  []string
	sets   []setter
	moment []byte // date and time
}

// readDirective reads a line that begins with #, of which #Fields: matters.
func (d *decoder) readDirective(text string) {
	list, found := strings.CutPrefix(text, "#Fields:")
	if !found {
		return
	}
	d.head = strings.Clone(text)
	d.w3c = &columns{names: strings.Fields(strings.Clone(list))}
	for _, name := range d.w3c.names {
		d.w3c.sets = append(d.w3c.sets, w3cSetters[name])
	}
}

// w3cSetters has the fields that are kept, by their names. Times are UTC.
var w3cSetters = map[string]setter{
	"c-ip":          setClient,
	"c-port":        func(r *request, v string, _ *time.Location) bool { return setPort(&r.clientPort, v) },
	"s-ip":          func(r *request, v string, _ *time.Location) bool { return setAddress(&r.server, v) },
	"s-port":        func(r *request, v string, _ *time.Location) bool { return setPort(&r.serverPort, v) },
	"cs-method":     func(r *request, v string, _ *time.Location) bool { r.method = v; return true },
	"cs-uri-stem":   func(r *request, v string, _ *time.Location) bool { r.path = v; return true },
	"cs-uri":        setPathIfNone,
	"cs-host":       setHost,
	"cs(Host)":      setHost,
	"x-host-header": setHost, // of CloudFront
	"cs-version":    func(r *request, v string, _ *time.Location) bool { r.version = v; return true },
	"cs-protocol":   setScheme,
	"sc-status":     setStatus,
	"sc-bytes":      func(r *request, v string, _ *time.Location) bool { return setCount(&r.sent, v) },
	"cs-bytes":      func(r *request, v string, _ *time.Location) bool { return setCount(&r.received, v) },
	"time-taken":    setTimeTaken,
	"ssl-protocol":  setTLS,
}

// setTimeTaken reads seconds with a fraction, as the draft has them, and milliseconds
// without, as IIS writes them.
func setTimeTaken(r *request, v string, _ *time.Location) bool {
	if strings.Contains(v, ".") {
		return setDuration(r, v, time.Second)
	}
	return setDuration(r, v, time.Millisecond)
}

func (c *columns) parse(text string, r *request, zone *time.Location, out *importer.Output) importer.Reason {
	tabs := strings.Contains(text, "\t") // between the fields of CloudFront
	count := countFields(text, tabs)
	if count != len(c.names) {
		out.Problem = fmt.Sprintf("%d fields, and #Fields: names %d", count, len(c.names))
		return importer.Fields
	}
	date, clock, v := "", "", ""
	for n, name := range c.names {
		v, text, _ = nextField(text, tabs)
		switch name {
		case "date":
			date = v
		case "time":
			clock = v
		default:
			if set := c.sets[n]; set != nil && v != "-" && !set(r, v, zone) {
				out.Problem = fmt.Sprintf("%s is %+q", name, v[:min(len(v), 60)])
				return importer.BadValue
			}
		}
	}
	c.moment = append(append(append(c.moment[:0], date...), ' '), clock...)
	at, err := time.ParseInLocation(time.DateTime, asText(c.moment), zone)
	if err != nil {
		out.Problem = fmt.Sprintf("date and time are %+q", c.moment)
		return importer.BadTime
	}
	r.at = at
	return importer.Sent
}

// countFields returns how many fields a line of a W3C log has.
func countFields(text string, tabs bool) (n int) {
	for more := true; more; {
		var v string
		if v, text, more = nextField(text, tabs); more || v != "" || tabs {
			n++
		}
	}
	return n
}

// nextField cuts the first field off, behind which there may be more.
func nextField(text string, tabs bool) (field, rest string, more bool) {
	if tabs {
		return strings.Cut(text, "\t")
	}
	field, rest, _ = strings.Cut(strings.TrimLeft(text, " "), " ")
	rest = strings.TrimLeft(rest, " ")
	return field, rest, rest != ""
}
