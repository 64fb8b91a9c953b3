package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/generate"
)

// shown is how flows_raw shows an exporter's address.
func shown(a netip.Addr) string {
	if a.Is4() {
		return "::ffff:" + a.String()
	}
	return a.String()
}

// stored is what flows_raw has to answer for a report, exporter by exporter.
func stored(report generate.Report) (want, query string) {
	lines := make([]string, len(report.Exporters))
	for i, e := range report.Exporters {
		lines[i] = fmt.Sprintf("%s\t%d\t%d\t%d\t%d", shown(e.Address), e.Records, e.Bytes, e.Packets, e.ScaledBytes)
	}
	return strings.Join(lines, "\n"), `
		SELECT SamplerAddress, count(), sum(Bytes), sum(Packets), sum(Bytes * SamplingRate)
		FROM flows_raw WHERE FlowType = '%s' GROUP BY SamplerAddress ORDER BY SamplerAddress`
}

func TestWhatExportersSentIsStoredToTheUnit(t *testing.T) {
	i := start(t, t.TempDir())
	for _, test := range []struct {
		protocol generate.Protocol
		to       string
		flowType string
	}{
		{generate.SFlow, i.SFlow, "SFLOW_5"},
		{generate.NetFlow5, i.NetFlowLegacy, "NETFLOW_V5"},
		{generate.NetFlow9, i.NetFlow, "NETFLOW_V9"},
		{generate.IPFIX, i.NetFlow, "IPFIX"},
	} {
		t.Run(string(test.protocol), func(t *testing.T) {
			report, err := generate.Run(t.Context(), generate.Options{
				Protocol: test.protocol, To: test.to, Flows: 20_000, Rate: 10_000, Exporters: 4, Seed: 7,
				SamplingRates: []uint32{512, 1000, 2000}, IPv6Share: 0.3,
			})
			if err != nil {
				t.Fatal(err)
			}
			want, query := stored(report)
			i.waitFor(t, want, fmt.Sprintf(query, test.flowType))
		})
	}
	for counter, match := range map[string]string{
		"netmeta_listen_kernel_drops_total": "", "netmeta_decode_errors_total": "", "netmeta_queue_flows_dropped_total": "",
	} {
		if n := i.metric(t, counter, match); n != 0 {
			t.Errorf("%s counts %v although nothing was lost", counter, n)
		}
	}
}

// What the collector counts can be asked for in SQL, and goes on over a restart.
func TestCountersOfTheCollectorAreStored(t *testing.T) {
	dir := t.TempDir()
	var total uint64
	for range 2 {
		i := start(t, dir)
		report, err := generate.Run(t.Context(), generate.Options{
			Protocol: generate.NetFlow9, To: i.NetFlow, Flows: 5000, Rate: 10_000, Exporters: 2, Seed: 1, SamplingRates: []uint32{100},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range report.Exporters {
			total += e.Records
		}
		for _, stage := range []string{"decoder", "queue"} {
			i.waitFor(t, fmt.Sprint(total), "SELECT sum(Amount) FROM pipeline WHERE Stage = '"+stage+"' AND Outcome = 'passed' AND Topic IN ('', 'flow-messages')")
		}
		i.waitFor(t, "0", "SELECT sum(Amount) FROM pipeline WHERE Outcome = 'lost'")
		i.stop(t)
	}
}

func TestNetFlowV5IsRecognisedOnThePortForV9(t *testing.T) {
	i := start(t, t.TempDir())
	report, err := generate.Run(t.Context(), generate.Options{
		Protocol: generate.NetFlow5, To: i.NetFlow, Flows: 1000, Rate: 5000, Exporters: 2, Seed: 1, SamplingRates: []uint32{100},
	})
	if err != nil {
		t.Fatal(err)
	}
	want, query := stored(report)
	i.waitFor(t, want, fmt.Sprintf(query, "NETFLOW_V5"))
}

func TestIPv6ExportersAreReceived(t *testing.T) {
	i := start(t, t.TempDir(), "--netflow", "[::1]:0")
	report, err := generate.Run(t.Context(), generate.Options{
		Protocol: generate.IPFIX, To: i.NetFlow, Flows: 1000, Rate: 5000, Exporters: 1, Seed: 1, SamplingRates: []uint32{100}, IPv6Share: 0.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	want, query := stored(report)
	i.waitFor(t, want, fmt.Sprintf(query, "IPFIX"))
	if !strings.HasPrefix(want, "::1\t") {
		t.Errorf("the exporter was not an IPv6 one: %s", want)
	}
}

func TestBadDatagramsAreCountedAndCostNothingElse(t *testing.T) {
	i := start(t, t.TempDir())
	random := rand.New(rand.NewPCG(1, 1))
	noise := func(size int) []byte {
		b := make([]byte, size)
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		return b
	}
	bad := [][]byte{
		{}, {0}, noise(3), noise(80), noise(1400), noise(9000),
		[]byte("GET / HTTP/1.0\r\n\r\n"),
		// sFlow: an expanded flow sample that claims 67 million records.
		append([]byte{0, 0, 0, 5, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 44},
			append(make([]byte, 40), 4, 0, 0, 0)...),
		// IPFIX: a template withdrawal, then data for it.
		{0, 10, 0, 24, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 0, 8, 1, 0, 0, 0},
		{0, 10, 0, 24, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 8, 0, 0, 0, 0},
	}
	for _, address := range []string{i.SFlow, i.NetFlow, i.NetFlowLegacy} {
		conn, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			for _, datagram := range bad {
				if _, err := conn.Write(datagram); err != nil {
					t.Fatal(err)
				}
			}
		}
		conn.Close()
	}
	for protocol, to := range map[generate.Protocol]string{generate.SFlow: i.SFlow, generate.NetFlow9: i.NetFlow, generate.NetFlow5: i.NetFlowLegacy} {
		if _, err := generate.Run(t.Context(), generate.Options{Protocol: protocol, To: to, Flows: 500, Rate: 5000, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
			t.Fatal(err)
		}
	}
	i.waitFor(t, "1500", "SELECT count() FROM flows_raw WHERE Bytes > 0")
	if n := i.metric(t, "netmeta_decode_errors_total", ""); n < 300 {
		t.Errorf("%v decode errors were counted of about 500 bad datagrams", n)
	}
}

func TestFlowCanBeQueriedSecondsAfterItsDatagram(t *testing.T) {
	i := start(t, t.TempDir())
	started := time.Now()
	if _, err := generate.Run(t.Context(), generate.Options{Protocol: generate.SFlow, To: i.SFlow, Flows: 1, Rate: 100, Exporters: 1, Seed: 1, SamplingRates: []uint32{10}}); err != nil {
		t.Fatal(err)
	}
	i.waitFor(t, "1", "SELECT count() FROM flows_raw")
	t.Logf("queryable after %v", time.Since(started).Round(10*time.Millisecond))
}

func TestPeopleCanReadAndNotWrite(t *testing.T) {
	i := start(t, t.TempDir())
	status, body, err := get("http://" + i.ClickHouseHTTP + "/?query=SELECT+count()+FROM+flows_raw")
	if err != nil || status != http.StatusOK || body != "0\n" {
		t.Errorf("the README's query answers %d %q, %v", status, body, err)
	}
	for _, statement := range []string{
		"INSERT INTO flows_raw (Bytes) VALUES (1)",
		"DROP TABLE flows_raw",
		"ALTER TABLE flows_raw DELETE WHERE 1",
		"CREATE TABLE mine (x UInt8) ENGINE = Memory",
		"TRUNCATE TABLE flows_raw",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM flows_queue SETTINGS stream_like_engine_allow_direct_select = 1",
		"SELECT 1 INTO OUTFILE '/tmp/netmeta-outfile'",
		"DROP NAMED COLLECTION netmeta_kafka",
	} {
		if answer, err := i.ask(statement); err == nil {
			t.Errorf("%s was not refused: %s", statement, answer)
		}
		status, _, err := get("http://" + i.ClickHouseHTTP + "/?query=" + url.QueryEscape(statement))
		if err != nil || status == http.StatusOK {
			t.Errorf("GET of %s answers %d, %v", statement, status, err)
		}
	}
}

func TestEverythingReceivedIsFlushedOnSIGTERM(t *testing.T) {
	dir := t.TempDir()
	i := start(t, dir)
	report, err := generate.Run(context.Background(), generate.Options{Protocol: generate.NetFlow9, To: i.NetFlow, Flows: 5000, Rate: 20_000, Exporters: 2, Seed: 3, SamplingRates: []uint32{10}})
	if err != nil {
		t.Fatal(err)
	}
	i.stop(t)
	i = start(t, dir)
	want, query := stored(report)
	i.waitFor(t, want, fmt.Sprintf(query, "NETFLOW_V9"))
}
