package weblog

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// setter takes the text of a field, and tells whether it can be one.
type setter func(r *request, value string, zone *time.Location) bool

// layout is a format string, cut at its fields.
type layout struct {
	start  string // what a line begins with
	fields []field
}

type field struct {
	name string
	set  setter // nil: not kept
	end  string // what follows it; empty at the end of the line
}

// parseLayout reads a log_format of nginx ($name) or a LogFormat of Apache (%name).
func parseLayout(format string) (*layout, error) {
	l := &layout{}
	unquoted := strings.ReplaceAll(format, `\"`, `"`)
	client, moment := false, false
	for rest := unquoted; rest != ""; {
		at := strings.IndexAny(rest, "$%")
		if at < 0 {
			l.literal(rest)
			break
		}
		l.literal(rest[:at])
		name, after, err := fieldName(rest[at:])
		if err != nil {
			return nil, fmt.Errorf("format %q: %w", format, err)
		}
		if n := len(l.fields); n > 0 && l.fields[n-1].end == "" {
			return nil, fmt.Errorf("format %q: nothing stands between %s and %s, so nobody can tell where one ends", format, l.fields[n-1].name, name)
		}
		set := setters[name]
		client = client || clients[name]
		moment = moment || times[name]
		l.fields = append(l.fields, field{name: name, set: set})
		rest = after
	}
	switch {
	case len(l.fields) == 0:
		return nil, fmt.Errorf("format %q names no field: use combined, common, or the text of log_format or LogFormat", format)
	case !client:
		return nil, fmt.Errorf("format %q has no client: it needs one of $remote_addr, %%h, %%a", format)
	case !moment:
		return nil, fmt.Errorf("format %q has no time: it needs one of $time_local, $time_iso8601, $msec, %%t", format)
	}
	return l, nil
}

func (l *layout) literal(text string) {
	if n := len(l.fields); n > 0 {
		l.fields[n-1].end += text
	} else {
		l.start += text
	}
}

// fieldName cuts the name of a field off format: $name, ${name}; %h, %>s, %{Referer}i,
// %200,304{User-agent}i.
func fieldName(format string) (name, rest string, err error) {
	if format[0] == '$' {
		if strings.HasPrefix(format, "${") {
			name, rest, found := strings.Cut(format[2:], "}")
			if !found {
				return "", "", errors.New("a ${ without }")
			}
			return "$" + name, rest, nil
		}
		n := 1
		for n < len(format) && (format[n] == '_' || format[n] >= 'a' && format[n] <= 'z' || format[n] >= 'A' && format[n] <= 'Z' || format[n] >= '0' && format[n] <= '9') {
			n++
		}
		if n == 1 {
			return "", "", errors.New("a $ without a name")
		}
		return format[:n], format[n:], nil
	}
	rest = strings.TrimLeft(format[1:], "0123456789,!<>")
	argument := ""
	if strings.HasPrefix(rest, "{") {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return "", "", errors.New("a %{ without }")
		}
		argument, rest = rest[:end+1], rest[end+1:]
	}
	if rest == "" {
		return "", "", errors.New("a % without a name")
	}
	size := 1
	if rest[0] == '^' && len(rest) >= 3 { // %{...}^ti
		size = 3
	}
	return "%" + argument + rest[:size], rest[size:], nil
}

// parse reads a line, and says what is wrong with one that it cannot read.
func (l *layout) parse(line string, r *request, zone *time.Location) (problem string, ok bool) {
	rest, found := strings.CutPrefix(line, l.start)
	if !found {
		return fmt.Sprintf("it does not begin with %q", l.start), false
	}
	for _, f := range l.fields {
		var value string
		if value, rest, ok = cutField(rest, f.end); !ok {
			return fmt.Sprintf("%s is not followed by %q", f.name, f.end), false
		}
		if f.set != nil && value != "-" && value != "" && !f.set(r, value, zone) {
			return fmt.Sprintf("%s is %+q", f.name, value[:min(len(value), 60)]), false
		}
	}
	if rest != "" {
		return "there is more than the format has", false
	}
	return "", true
}

// cutField cuts off what comes before end. In quotes, servers write a quote that a client
// sent as \", so that nobody can forge what follows.
func cutField(s, end string) (value, rest string, ok bool) {
	if end == "" {
		return s, "", true
	}
	if end[0] != '"' {
		return strings.Cut(s, end)
	}
	for at := 0; at < len(s); at++ {
		switch {
		case s[at] == '\\':
			at++
		case s[at] == '"':
			if rest, ok = strings.CutPrefix(s[at:], end); ok {
				return s[:at], rest, true
			}
			return "", "", false
		}
	}
	return "", "", false
}

// clients and times are the fields that a line needs one of.
var (
	clients = map[string]bool{"$remote_addr": true, "$realip_remote_addr": true, "%h": true, "%a": true, "%{c}a": true, "%{c}h": true}
	times   = map[string]bool{"$time_local": true, "$time_iso8601": true, "$msec": true, "%t": true}
)

// setters has the fields of nginx and Apache that are kept, by their names.
var setters = map[string]setter{
	"$remote_addr":        setClient,
	"$realip_remote_addr": setClient,
	"$remote_port":        func(r *request, v string, _ *time.Location) bool { return setPort(&r.clientPort, v) },
	"$server_addr":        func(r *request, v string, _ *time.Location) bool { return setAddress(&r.server, v) },
	"$server_port":        func(r *request, v string, _ *time.Location) bool { return setPort(&r.serverPort, v) },
	"$time_local":         setCommonTime,
	"$time_iso8601":       setISOTime,
	"$msec":               setUnixTime,
	"$request":            setRequestLine,
	"$request_method":     func(r *request, v string, _ *time.Location) bool { r.method = v; return true },
	"$request_uri":        func(r *request, v string, _ *time.Location) bool { r.path = v; return true },
	"$uri":                setPathIfNone,
	"$server_protocol":    func(r *request, v string, _ *time.Location) bool { r.version = v; return true },
	"$host":               setHost,
	"$http_host":          setHost,
	"$server_name":        setHostIfNone,
	"$scheme":             setScheme,
	"$https":              func(r *request, v string, _ *time.Location) bool { r.secure = v == "on"; return true },
	"$status":             setStatus,
	"$bytes_sent":         func(r *request, v string, _ *time.Location) bool { return setCount(&r.sent, v) },
	"$body_bytes_sent":    setSentIfNone,
	"$request_length":     func(r *request, v string, _ *time.Location) bool { return setCount(&r.received, v) },
	"$request_time":       setSeconds,
	"$ssl_protocol":       setTLS,

	"%h":               setClient,
	"%a":               setClient,
	"%{c}a":            setClient,
	"%{c}h":            setClient,
	"%{remote}p":       func(r *request, v string, _ *time.Location) bool { return setPort(&r.clientPort, v) },
	"%A":               func(r *request, v string, _ *time.Location) bool { return setAddress(&r.server, v) },
	"%p":               func(r *request, v string, _ *time.Location) bool { return setPort(&r.serverPort, v) },
	"%{local}p":        func(r *request, v string, _ *time.Location) bool { return setPort(&r.serverPort, v) },
	"%{canonical}p":    func(r *request, v string, _ *time.Location) bool { return setPort(&r.serverPort, v) },
	"%t":               setCommonTime,
	"%r":               setRequestLine,
	"%m":               func(r *request, v string, _ *time.Location) bool { r.method = v; return true },
	"%U":               setPathIfNone,
	"%H":               func(r *request, v string, _ *time.Location) bool { r.version = v; return true },
	"%{Host}i":         setHost,
	"%{host}i":         setHost,
	"%V":               setHost,
	"%v":               setHostIfNone,
	"%s":               setStatus,
	"%O":               func(r *request, v string, _ *time.Location) bool { return setCount(&r.sent, v) },
	"%b":               setSentIfNone,
	"%B":               setSentIfNone,
	"%I":               func(r *request, v string, _ *time.Location) bool { return setCount(&r.received, v) },
	"%D":               setMicroseconds,
	"%{us}T":           setMicroseconds,
	"%{ms}T":           setMilliseconds,
	"%T":               setSeconds,
	"%{s}T":            setSeconds,
	"%{SSL_PROTOCOL}x": setTLS,
	"%{HTTPS}e":        func(r *request, v string, _ *time.Location) bool { r.secure = v == "on"; return true },
}

// setClient takes names too: finish counts them.
func setClient(r *request, v string, _ *time.Location) bool {
	_ = setAddress(&r.client, v)
	return true
}

func setAddress(a *netip.Addr, v string) bool {
	parsed, err := netip.ParseAddr(strings.Trim(v, "[]"))
	if err != nil {
		return false
	}
	*a = parsed.Unmap().WithZone("")
	return true
}

func setPort(n *uint32, v string) bool {
	port, err := strconv.ParseUint(v, 10, 16)
	*n = uint32(port)
	return err == nil
}

func setCount(n *uint64, v string) bool {
	count, err := strconv.ParseUint(v, 10, 63)
	*n = count
	return err == nil
}

// setSentIfNone: the length of the body counts where the log has not that of all.
func setSentIfNone(r *request, v string, _ *time.Location) bool {
	if r.sent != 0 {
		return true
	}
	return setCount(&r.sent, v)
}

func setStatus(r *request, v string, _ *time.Location) bool {
	status, err := strconv.ParseUint(v, 10, 16)
	r.status = uint32(status)
	return err == nil && status < 1000
}

func setHost(r *request, v string, _ *time.Location) bool { r.host = v; return true }

func setHostIfNone(r *request, v string, _ *time.Location) bool {
	if r.host == "" {
		r.host = v
	}
	return true
}

func setPathIfNone(r *request, v string, _ *time.Location) bool {
	if r.path == "" {
		r.path = v
	}
	return true
}

func setScheme(r *request, v string, _ *time.Location) bool {
	r.secure = v == "https"
	return true
}

// setRequestLine takes anything: clients send what they like.
func setRequestLine(r *request, v string, _ *time.Location) bool {
	method, rest, found := strings.Cut(v, " ")
	if !found {
		return true
	}
	r.method = method
	if at := strings.LastIndex(rest, " HTTP/"); at >= 0 {
		rest, r.version = rest[:at], rest[at+1:]
	}
	r.path = rest
	return true
}

func setCommonTime(r *request, v string, _ *time.Location) (ok bool) {
	var err error
	r.at, err = time.Parse("02/Jan/2006:15:04:05 -0700", strings.Trim(v, "[]"))
	return err == nil
}

func setISOTime(r *request, v string, _ *time.Location) bool {
	var err error
	r.at, err = time.Parse(time.RFC3339, v)
	return err == nil
}

func setUnixTime(r *request, v string, _ *time.Location) bool {
	seconds, err := strconv.ParseFloat(v, 64)
	if err != nil || seconds < 0 || seconds >= 1<<32 {
		return false
	}
	r.at = time.UnixMicro(int64(seconds * 1e6))
	return true
}

func setSeconds(r *request, v string, _ *time.Location) bool {
	return setDuration(r, v, time.Second)
}

func setMilliseconds(r *request, v string, _ *time.Location) bool {
	return setDuration(r, v, time.Millisecond)
}

func setMicroseconds(r *request, v string, _ *time.Location) bool {
	return setDuration(r, v, time.Microsecond)
}

func setDuration(r *request, v string, unit time.Duration) bool {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < 0 || n*float64(unit) > float64(365*24*time.Hour) {
		return false
	}
	r.duration = time.Duration(n * float64(unit))
	return true
}

// tlsVersions are the names that servers have for versions.
var tlsVersions = map[string]uint32{
	"SSLv3": 0x0300, "TLSv1": 0x0301, "TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304,
	"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304,
}

func setTLS(r *request, v string, _ *time.Location) bool {
	r.tls = tlsVersions[v]
	return true
}
