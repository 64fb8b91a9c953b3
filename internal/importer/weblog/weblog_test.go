package weblog_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/importer/weblog"
)

func decode(t testing.TB, format, text string) ([]importertest.Flow, *importer.Report) {
	t.Helper()
	f, err := weblog.Format(weblog.Options{Format: format, Server: netip.MustParseAddr("192.0.2.80"), Host: "default.example"})
	if err != nil {
		t.Fatal(err)
	}
	return importertest.Decode(t, f, text)
}

const combined = `198.51.100.7 - frank [10/Oct/2025:13:55:36 -0700] "GET /apache_pb.gif?x=1 HTTP/1.1" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"` + "\n"

func TestCombinedAndCommonLogsAreRecognised(t *testing.T) {
	flows, _ := decode(t, "", combined+`2001:db8::7 - - [10/Oct/2025:13:55:37 -0700] "POST /items/12345/f81d4fae-7dec-11d0-a765-00a0c91e6bf6 HTTP/2.0" 503 -`+"\n")
	if len(flows) != 2 {
		t.Fatalf("%d flows, want 2", len(flows))
	}
	flows[0].Want(t, "Type=WEB_LOG SrcAddr=192.0.2.80 SamplerAddress=192.0.2.80 DstAddr=198.51.100.7 SrcPort=80 Bytes=2326 TimeReceived=1760129736 TimeFlowEnd=1760129736 Proto=6 Etype=2048 FlowDirection=1 HTTPMethod=GET HTTPPath=/apache_pb.gif HTTPStatus=200 HTTPHost=default.example ApplicationName=default.example TLSVersion=")
	flows[1].Want(t, "DstAddr=2001:db8::7 Etype=34525 HTTPMethod=POST HTTPPath=/items/*/* HTTPStatus=503 Bytes=")
}

func TestFormatStringsOfNginxAndApache(t *testing.T) {
	for name, test := range map[string]struct{ format, line, want string }{
		"nginx": {
			`$remote_addr:$remote_port - [$time_iso8601] $scheme://$host "$request" $status $bytes_sent/$request_length $request_time $ssl_protocol $server_addr:$server_port`,
			`198.51.100.7:50000 - [2025-10-10T20:55:36+00:00] https://www.example.net "GET /a/b/c/d/e HTTP/3.0" 200 5000/300 1.250 TLSv1.3 192.0.2.81:443`,
			"SrcAddr=192.0.2.81 SrcPort=443 DstAddr=198.51.100.7 DstPort=50000 Bytes=5000 HTTPHost=www.example.net HTTPPath=/a/b/c/d/… HTTPDuration=1250000 TLSVersion=772 Proto=17 TimeFlowStart=1760129735",
		},
		"nginx by msec": {
			"$msec\t$remote_addr\t$request_method\t$request_uri\t$status\t$body_bytes_sent",
			"1760129736.500\t198.51.100.7\tGET\t/x\t304\t0",
			"TimeReceived=1760129736 HTTPStatus=304 HTTPPath=/x",
		},
		"apache": {
			`%v:%p %a %l %u %t \"%r\" %>s %O \"%{Referer}i\" %D %{SSL_PROTOCOL}x %I %A`,
			`www.example.org:443 198.51.100.7 - - [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 777 "say \"hi\" 500 1" 2500 TLSv1.2 90 192.0.2.82`,
			"SrcAddr=192.0.2.82 SrcPort=443 Bytes=777 HTTPHost=www.example.org HTTPDuration=2500 TLSVersion=771",
		},
	} {
		t.Run(name, func(t *testing.T) {
			flows, report := decode(t, test.format, test.line+"\n")
			if len(flows) == 0 {
				t.Fatalf("no flow: %v", report.Skipped)
			}
			flows[0].Want(t, test.want)
			if strings.Contains(test.format, "request_length") || strings.Contains(test.format, "%I") {
				if len(flows) != 2 {
					t.Fatalf("%d flows, want that of the request, too", len(flows))
				}
				flows[1].Want(t, fmt.Sprintf("SrcAddr=198.51.100.7 DstAddr=%v FlowDirection= HTTPMethod=", flows[0]["SrcAddr"]))
			}
		})
	}
}

func TestStructuredLogs(t *testing.T) {
	flows, report := decode(t, "", `{"level":"info","ts":1646861401.52,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"198.51.100.7","remote_port":"41342","client_ip":"198.51.100.7","proto":"HTTP/2.0","method":"GET","host":"localhost:8443","uri":"/","tls":{"resumed":false,"version":772}},"bytes_read":0,"duration":0.000929675,"size":10900,"status":200}
{"level":"info","ts":1646861401.6,"msg":"autosaved config"}
{"ClientAddr":"198.51.100.8:5555","ClientHost":"198.51.100.8","ClientPort":"5555","DownstreamContentSize":123,"DownstreamStatus":404,"Duration":2500000,"RequestContentSize":0,"RequestHost":"app.example","RequestMethod":"GET","RequestPath":"/api/v1","RequestProtocol":"HTTP/1.1","RequestScheme":"https","StartUTC":"2022-03-09T21:30:01.5Z","TLSVersion":"1.3"}
#Software: Microsoft Internet Information Services 10.0
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken
2022-03-09 21:30:02 192.0.2.85 GET /default.htm - 80 - 2001:db8::9 Mozilla/5.0 200 0 0 46
2022-03-09 21:30:02 too few
`)
	if len(flows) != 3 || fmt.Sprint(importertest.Reasons(report)) != "map[field_count:1 no_flow:3]" {
		t.Fatalf("%d flows, %v", len(flows), report.Skipped)
	}
	flows[0].Want(t, "TimeReceived=1646861401 DstAddr=198.51.100.7 DstPort=41342 SrcPort=443 HTTPHost=localhost Bytes=10900 HTTPDuration=929 TLSVersion=772")
	flows[1].Want(t, "TimeReceived=1646861401 DstAddr=198.51.100.8 HTTPStatus=404 HTTPDuration=2500 TLSVersion=772 HTTPHost=app.example")
	flows[2].Want(t, "TimeReceived=1646861402 SrcAddr=192.0.2.85 DstAddr=2001:db8::9 HTTPStatus=200 HTTPDuration=46000 HTTPPath=/default.htm")
}

// What a client sends is in quotes and escaped by servers: it cannot become another line,
// another field, or a sequence for a terminal.
func TestInjectionStaysWhatItIs(t *testing.T) {
	flows, report := decode(t, "combined", `198.51.100.7 - - [10/Oct/2025:13:55:36 -0700] "GET /\" 200 1 \"x HTTP/1.1" 400 150 "-" "\x1b[31m"
198.51.100.7 - - [10/Oct/2025:13:55:36 -0700] "\x16\x03\x01\x00" 400 150 "-" "-"
198.51.100.7 - - [10/Oct/2025:13:55:36 -0700] "GET /`+"\xff\x1b[2J"+` HTTP/1.1" 400 150 "-" "-"
198.51.100.7 - - [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 99 "-" "forged" 1.2.3.4 - - [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 1 "-" "-"
client.example - - [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 99 "-" "-"
198.51.100.7 - - [99/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 99 "-" "-"
half a line
`)
	if len(flows) != 3 || fmt.Sprint(importertest.Reasons(report)) != "map[bad_value:3 no_client:1]" {
		t.Fatalf("%d flows, %v", len(flows), importertest.Reasons(report))
	}
	flows[0].Want(t, `HTTPStatus=400 Bytes=150 HTTPMethod=GET`)
	flows[1].Want(t, "HTTPMethod=? HTTPPath=")
	if path := fmt.Sprint(flows[2]["HTTPPath"]); path != "/��[2J" {
		t.Errorf("the path is %q", path)
	}
}

func TestFormatThatCannotBeIsRefusedWithItsReason(t *testing.T) {
	for format, want := range map[string]string{
		"nothing":                      "names no field",
		"%h %r":                        "has no time",
		"$time_local":                  "has no client",
		"$remote_addr$status [%t]":     "nothing stands between",
		"%h %t %{Referer":              "a %{ without }",
		"$remote_addr $time_local ${x": "a ${ without }",
	} {
		if _, err := weblog.Format(weblog.Options{Format: format}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", format, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{combined, `{"ts":1,"request":{"remote_ip":"::1"}}`, "#Fields: date time c-ip\n2022-03-09 21:30:02 ::1\n", `1.2.3.4 - - [] "" 1 1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		flows, report := decode(t, "", text)
		if uint64(len(flows)) < report.Sent {
			t.Errorf("%d flows of %d requests", len(flows), report.Sent)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	const lines = 10_000
	for name, test := range map[string]struct{ head, line string }{
		"combined": {"", combined},
		"ids":      {"", strings.ReplaceAll(combined, "apache_pb.gif", "items/12345/f81d4fae-7dec-11d0-a765-00a0c91e6bf6/a/b/c")},
		"caddy":    {"", caddyLine},
		"w3c":      {w3cHead, w3cLine},
	} {
		b.Run(name, func(b *testing.B) {
			text := test.head + strings.Repeat(test.line, lines)
			b.SetBytes(int64(len(test.line)))
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += lines {
				if report := importertest.Run(b, must(b), text); report.Sent != lines {
					b.Fatal(report)
				}
			}
		})
	}
}

const (
	caddyLine = `{"level":"info","ts":1646861401.52,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"198.51.100.7","remote_port":"41342","client_ip":"198.51.100.7","proto":"HTTP/2.0","method":"GET","host":"localhost:8443","uri":"/","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"duration":0.000929675,"size":10900,"status":200}` + "\n"
	w3cHead   = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n"
	w3cLine   = "2022-03-09 21:30:02 192.0.2.85 GET /default.htm - 80 - 2001:db8::9 Mozilla/5.0 200 0 0 46\n"
)

func must(b *testing.B) importer.Format {
	f, err := weblog.Format(weblog.Options{Server: netip.MustParseAddr("192.0.2.80")})
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func TestHostsAndPathsAreGrouped(t *testing.T) {
	for line, want := range map[string]string{
		"WWW.Example.net:8443 /":               "HTTPHost=www.example.net HTTPPath=/",
		"[2001:db8::1]:443 /a?b=/c":            "HTTPHost=2001:db8::1 HTTPPath=/a",
		"[2001:db8::1] /a/;x":                  "HTTPHost=2001:db8::1 HTTPPath=/a/",
		"2001:db8::1 //a":                      "HTTPHost=2001:db8::1 HTTPPath=//a",
		"h http://proxied.example/a/17/b":      "HTTPHost=h HTTPPath=/a/*/b",
		"h /a/b/c/d/":                          "HTTPHost=h HTTPPath=/a/b/c/d/…",
		"h /deadbeef/cafe/x0123456789abcdef0":  "HTTPHost=h HTTPPath=/deadbeef/cafe/x0123456789abcdef0",
		"h /0123456789abcdef0123456789abcdefz": "HTTPHost=h HTTPPath=/*",
	} {
		host, path, _ := strings.Cut(line, " ")
		flows, report := decode(t, "$remote_addr [$time_iso8601] $http_host $request_method $request_uri", "192.0.2.1 [2025-10-10T20:55:36Z] "+host+" GET "+path+"\n")
		if len(flows) != 1 {
			t.Fatal(line, report.Skipped)
		}
		flows[0].Want(t, want)
	}
}
