package weblog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/importer"
)

// line is a line of JSON: the fields of Caddy (https://caddyserver.com/docs/logging) and,
// with capitals, of Traefik ("Access Logs" in its documentation).
type line struct {
	Time    json.RawMessage `json:"ts"` // seconds since 1970, or text
	Request *struct {
		RemoteIP   string `json:"remote_ip"`
		RemotePort string `json:"remote_port"`
		ClientIP   string `json:"client_ip"`
		Proto      string `json:"proto"`
		Method     string `json:"method"`
		Host       string `json:"host"`
		URI        string `json:"uri"`
		TLS        *struct {
			Version uint32 `json:"version"`
		} `json:"tls"`
	} `json:"request"`
	BytesRead uint64  `json:"bytes_read"`
	Duration  float64 `json:"duration"` // seconds
	Size      uint64  `json:"size"`
	Status    uint32  `json:"status"`

	ClientHost            string `json:"ClientHost"`
	ClientPort            string `json:"ClientPort"`
	DownstreamContentSize uint64 `json:"DownstreamContentSize"`
	DownstreamStatus      uint32 `json:"DownstreamStatus"`
	Nanoseconds           int64  `json:"Duration"`
	RequestContentSize    uint64 `json:"RequestContentSize"`
	RequestHost           string `json:"RequestHost"`
	RequestMethod         string `json:"RequestMethod"`
	RequestPath           string `json:"RequestPath"`
	RequestProtocol       string `json:"RequestProtocol"`
	RequestScheme         string `json:"RequestScheme"`
	TLSVersion            string `json:"TLSVersion"`
	StartUTC              string `json:"StartUTC"`
}

func (d *decoder) parseJSON(record string, out *importer.Output) importer.Reason {
	var l line
	if err := json.Unmarshal([]byte(record), &l); err != nil {
		out.Problem = err.Error()
		return importer.BadValue
	}
	r := &d.request
	switch {
	case l.Request != nil:
		return caddy(&l, r, d.options.Zone, out)
	case l.ClientHost != "" || l.RequestMethod != "":
		return traefik(&l, r, out)
	}
	// Servers log other things to the same place.
	out.Problem = "it is no request, as Caddy or Traefik log them"
	return importer.NoFlow
}

func caddy(l *line, r *request, zone *time.Location, out *importer.Output) importer.Reason {
	q := l.Request
	r.at = time.Time{}
	moment := strings.Trim(string(l.Time), `"`)
	if !setUnixTime(r, moment, zone) && !setISOTime(r, moment, zone) {
		out.Problem = fmt.Sprintf("ts is %+q: use Caddy's time format unix_seconds_float or rfc3339", moment)
		return importer.BadTime
	}
	client := q.ClientIP // behind proxies that Caddy trusts
	if client == "" {
		client = q.RemoteIP
	} else if client != q.RemoteIP {
		q.RemotePort = ""
	}
	_ = setAddress(&r.client, client)
	_ = setPort(&r.clientPort, q.RemotePort)
	r.method, r.host, r.path, r.version = q.Method, q.Host, q.URI, q.Proto
	r.status, r.sent, r.received = l.Status, l.Size, l.BytesRead
	r.duration = time.Duration(max(l.Duration, 0) * float64(time.Second))
	if q.TLS != nil {
		r.tls = q.TLS.Version
	}
	return importer.Sent
}

func traefik(l *line, r *request, out *importer.Output) importer.Reason {
	start, err := time.Parse(time.RFC3339Nano, l.StartUTC)
	if err != nil {
		out.Problem = fmt.Sprintf("StartUTC is %+q", l.StartUTC)
		return importer.BadTime
	}
	r.duration = time.Duration(max(l.Nanoseconds, 0))
	r.at = start.Add(r.duration)
	_ = setAddress(&r.client, l.ClientHost)
	_ = setPort(&r.clientPort, l.ClientPort)
	r.method, r.host, r.path, r.version = l.RequestMethod, l.RequestHost, l.RequestPath, l.RequestProtocol
	r.status, r.sent, r.received = l.DownstreamStatus, l.DownstreamContentSize, l.RequestContentSize
	r.tls, r.secure = tlsVersions[l.TLSVersion], l.RequestScheme == "https"
	return importer.Sent
}

// columns are those of a W3C log.
type columns struct {
	names []string
	sets  []setter
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
	values := strings.Fields(text)
	if strings.Contains(text, "\t") { // CloudFront
		values = strings.Split(text, "\t")
	}
	if len(values) != len(c.names) {
		out.Problem = fmt.Sprintf("%d fields, and #Fields: names %d", len(values), len(c.names))
		return importer.Fields
	}
	date, clock := "", ""
	for i, v := range values {
		switch c.names[i] {
		case "date":
			date = v
		case "time":
			clock = v
		default:
			if set := c.sets[i]; set != nil && v != "-" && !set(r, v, zone) {
				out.Problem = fmt.Sprintf("%s is %+q", c.names[i], v[:min(len(v), 60)])
				return importer.BadValue
			}
		}
	}
	at, err := time.ParseInLocation(time.DateTime, date+" "+clock, zone)
	if err != nil {
		out.Problem = fmt.Sprintf("date and time are %+q", date+" "+clock)
		return importer.BadTime
	}
	r.at = at
	return importer.Sent
}
