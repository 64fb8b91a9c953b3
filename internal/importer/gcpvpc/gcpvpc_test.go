package gcpvpc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/gcpvpc"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
)

const entry = `{"insertId":"1","jsonPayload":{"bytes_sent":"4400","connection":{"dest_ip":"203.0.113.9","dest_port":443,"protocol":6,"src_ip":"10.128.0.2","src_port":50000},"dest_location":{"asn":64500,"city":"Paris","continent":"Europe","country":"fra"},"end_time":"2025-10-10T20:55:36.5Z","packets_sent":"10","reporter":"SRC","rtt_msec":"12","src_instance":{"project_id":"shop","region":"us-central1","vm_name":"web-1","zone":"us-central1-a"},"src_vpc":{"project_id":"shop","subnetwork_name":"default","vpc_name":"prod"},"start_time":"2025-10-10T20:55:30Z"},"logName":"projects/shop/logs/compute.googleapis.com%2Fvpc_flows","resource":{"labels":{"location":"us-central1-a","project_id":"shop","subnetwork_id":"4294967297","subnetwork_name":"default"},"type":"gce_subnetwork"},"timestamp":"2025-10-10T20:55:40Z"}` + "\n"

func decode(t testing.TB, sampling float64, text string) ([]importertest.Flow, *importer.Report) {
	t.Helper()
	f, err := gcpvpc.Format(gcpvpc.Options{Sampling: sampling})
	if err != nil {
		t.Fatal(err)
	}
	return importertest.Decode(t, f, text)
}

func TestEntryBecomesAFlowWithItsSamplingRate(t *testing.T) {
	flows, _ := decode(t, 0.5, entry+strings.NewReplacer(`"SRC"`, `"DEST"`, "10.128.0.2", "2001:db8::2", `"4400"`, "4401").Replace(entry))
	if len(flows) != 2 {
		t.Fatalf("%d flows", len(flows))
	}
	flows[0].Want(t, "Type=GCP_VPC SrcAddr=10.128.0.2 DstAddr=203.0.113.9 SrcPort=50000 DstPort=443 Proto=6 Bytes=4400 Packets=10 SamplingRate=2 SamplingRateSource=RATE_CONFIGURED DstAS=64500 SrcAS= TimeFlowStart=1760129730 TimeFlowEnd=1760129736 TimeReceived=1760129736 FlowDirection=1 HasFlowDirection=true ApplicationName=web-1 ObservationDomain=1 Etype=2048")
	flows[1].Want(t, "FlowDirection= HasFlowDirection=true SrcAddr=2001:db8::2 Etype=34525 Bytes=4401")
	if a, b := flows[0]["SamplerAddress"], flows[1]["SamplerAddress"]; a == b || !strings.HasPrefix(fmt.Sprint(a), "fd67:6370:") {
		t.Errorf("exporters are %v and %v", a, b)
	}
}

func TestCountsAreRightAlsoWhereTheRateIsNoWholeNumber(t *testing.T) {
	flows, _ := decode(t, 0.3, entry)
	flows[0].Want(t, "SamplingRate=3 Bytes=4889 Packets=11") // 4400/0.3 = 14667 = 3 × 4889
	for _, rate := range []float64{0, -1, 1.5} {
		if _, err := gcpvpc.Format(gcpvpc.Options{Sampling: rate}); err == nil {
			t.Errorf("a rate of %v is taken", rate)
		}
	}
}

func TestOtherEntriesAndBrokenOnesAreCounted(t *testing.T) {
	flows, report := decode(t, 1, `{"logName":"projects/x/logs/syslog","textPayload":"x"}
{"jsonPayload":{"connection":{"src_ip":"x"}}}
{"jsonPayload":{"connection":{"src_ip":"::1","dest_ip":"::2"},"bytes_sent":"-5"}}
{"jsonPayload":{"connection":{"src_ip":"::1","dest_ip":"::2"},"start_time":"yesterday"}}
{"jsonPayload":{"connection":{"src_ip":"::1","dest_ip":"::2","src_port":70000}}}
[
{"half":
`)
	if len(flows) != 0 || fmt.Sprint(importertest.Reasons(report)) != "map[bad_time:1 bad_value:5 other_log:1]" {
		t.Errorf("%d flows, %v", len(flows), importertest.Reasons(report))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(entry)
	f.Fuzz(func(t *testing.T, text string) {
		if flows, report := decode(t, 0.5, text); uint64(len(flows)) != report.Sent {
			t.Errorf("%d flows of %d", len(flows), report.Sent)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	const lines = 10_000
	text := strings.Repeat(entry, lines)
	f, err := gcpvpc.Format(gcpvpc.Options{Sampling: 0.5})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(entry)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += lines {
		importertest.Run(b, f, text)
	}
}
