package clickhouse_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/importer/gcpvpc"
	"github.com/leoluk/NetMeta/internal/importer/weblog"
	"github.com/leoluk/NetMeta/internal/queue"
)

// importLog imports a log with this content, twice, and returns how many records were sent.
func importLog(t *testing.T, brokers []string, state string, format importer.Format, content string) (sent uint64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sink, err := importer.OpenKafka(queue.Config{Brokers: brokers, Topic: importer.Topic}, filepath.Join(state, format.Source))
		if err != nil {
			t.Fatal(err)
		}
		report, err := importer.Run(t.Context(), importer.Config{Format: format, Files: []string{path}, Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		sent += report.Sent
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return sent
}

func TestImportedLogsAreStoredExactlyAsTheySay(t *testing.T) {
	db, broker := migrated(t)
	brokers, state := broker.ListenAddrs(), t.TempDir()
	now := time.Now().UTC().Add(-time.Minute)
	const n = 5000
	var aws, gcp, web strings.Builder
	var awsBytes, rejected, gcpBytes, webBytes uint64
	for i := range uint64(n) {
		action := "ACCEPT"
		if i%10 == 0 {
			action, rejected = "REJECT", rejected+1
		}
		fmt.Fprintf(&aws, "2 123456789012 eni-%08x 10.0.0.%d 2001:db8::%x %d 443 6 2 %d %d %d %s OK\n", i%5, i%250, i%250, 1024+i, 40+i, now.Unix()-60, now.Unix(), action)
		awsBytes += 40 + i
		fmt.Fprintf(&gcp, `{"jsonPayload":{"connection":{"src_ip":"10.1.0.1","dest_ip":"10.1.0.2","src_port":%d,"dest_port":443,"protocol":6},"bytes_sent":"%d","packets_sent":"1","reporter":"DEST","start_time":"%s","end_time":"%s","dest_vpc":{"project_id":"p","vpc_name":"v"}},"logName":"projects/p/logs/compute.googleapis.com%%2Fvpc_flows"}`+"\n",
			1024+i, 100+i, now.Add(-time.Minute).Format(time.RFC3339Nano), now.Format(time.RFC3339Nano))
		gcpBytes += 2 * (100 + i) // half of the records were kept
		fmt.Fprintf(&web, `198.51.100.%d - - [%s] "GET /item/%d HTTP/1.1" %d %d "-" "-"`+"\n", i%250, now.Format("02/Jan/2006:15:04:05 -0700"), i, 200+i%2*304, 10+i)
		webBytes += 10 + i
	}
	awsFormat, err := awsvpc.Format(awsvpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gcpFormat, err := gcpvpc.Format(gcpvpc.Options{Sampling: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	webFormat, err := weblog.Format(weblog.Options{Server: netip.MustParseAddr("192.0.2.80"), Host: "www.example.net"})
	if err != nil {
		t.Fatal(err)
	}
	for content, format := range map[string]importer.Format{aws.String(): awsFormat, gcp.String(): gcpFormat, web.String(): webFormat} {
		if sent := importLog(t, brokers, state, format, content); sent != n {
			t.Errorf("%s: %d records are sent, want %d", format.Source, sent, n)
		}
	}
	waitFor(t, db, 3*n, "SELECT count() FROM flows")
	for statement, want := range map[string]uint64{
		"SELECT sum(Bytes) FROM flows WHERE Protocol = 'AWS VPC'":                             awsBytes,
		"SELECT sum(Packets) FROM flows WHERE Protocol = 'AWS VPC'":                           2 * n,
		"SELECT count() FROM flows WHERE FirewallEvent = 'denied'":                            rejected,
		"SELECT uniqExact(InputInterface) FROM flows WHERE Protocol = 'AWS VPC'":              5,
		"SELECT count() FROM flows WHERE Exporter = 'fd61:7773:0:1234:5678:9012::'":           n,
		"SELECT sum(Bytes) FROM flows WHERE Protocol = 'GCP VPC'":                             gcpBytes,
		"SELECT sum(Bytes) FROM flows WHERE Protocol = 'web log'":                             webBytes,
		"SELECT count() FROM web_requests WHERE Path = '/item/*' AND StatusClass = '5xx'":     n / 2,
		"SELECT sum(Bytes) FROM web_requests WHERE Host = 'www.example.net'":                  webBytes,
		fmt.Sprintf("SELECT count() FROM flows WHERE toUnixTimestamp(Time) = %d", now.Unix()): 3 * n,
	} {
		if got := query[uint64](t, db, statement); got != want {
			t.Errorf("%s: %d, want %d", statement, got, want)
		}
	}
	if n := query[uint64](t, db, "SELECT count() FROM flows_errors"); n != 0 {
		t.Errorf("%d messages could not be parsed", n)
	}
}
