package awsvpc_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
)

// decode returns what a file becomes.
func decode(t testing.TB, o awsvpc.Options, text string) ([]importertest.Flow, *importer.Report) {
	t.Helper()
	format, err := awsvpc.Format(o)
	if err != nil {
		t.Fatal(err)
	}
	return importertest.Decode(t, format, text)
}

// The examples are those of the user guide ("Flow log record examples").
func TestDefaultFormatWithoutAHead(t *testing.T) {
	flows, report := decode(t, awsvpc.Options{}, `2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA
2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA
2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK
`)
	if len(flows) != 3 || report.Sent != 3 || report.Skipped[awsvpc.NoData].Records != 1 || report.Skipped[awsvpc.SkipData].Records != 1 {
		t.Fatalf("%d flows, report %+v", len(flows), report)
	}
	flows[0].Want(t, "Type=AWS_VPC SrcAddr=172.31.16.139 DstAddr=172.31.16.21 SrcPort=20641 DstPort=22 Proto=6 Packets=20 Bytes=4249 TimeFlowStart=1418530010 TimeFlowEnd=1418530070 TimeReceived=1418530070 ForwardingStatus=64 FirewallEvent= SamplingRate=1 SamplingRateSource=RATE_PACKET Etype=2048 SamplerAddress=fd61:7773:0:1234:5678:9010::")
	flows[0].Want(t, fmt.Sprintf("InIf=%d OutIf= HasFlowDirection=", 0x23456789))
	flows[1].Want(t, "ForwardingStatus=129 FirewallEvent=3")
	flows[2].Want(t, "SrcAddr=2001:db8:1234:a100:8d6e:3477:df66:f105 Etype=34525")
}

func TestFieldsOfLaterVersionsInTheOrderOfTheHead(t *testing.T) {
	head := "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-name reject-reason new-in-version-99\n"
	flows, report := decode(t, awsvpc.Options{}, head+
		"8 vpc-0a0b0c0d89abcdef subnet-00000000000000ab i-01234567890123456 eni-0000000000000007 123456789012 IPv4 10.0.1.5 10.0.0.220 39812 443 10.0.1.5 203.0.113.5 6 5000 12 1700000000 1700000060 ACCEPT 19 OK us-east-1 use1-az4 - - - S3 egress 8 web - x\n"+
		"8 vpc-0a0b0c0d89abcdef subnet-00000000000000ab - eni-0000000000000007 123456789012 IPv6 2001:db8::1 2001:db8::2 0 0 2001:db8::1 2001:db8::2 58 80 1 1700000000 1700000060 REJECT 0 OK us-east-1 use1-az4 - - AMAZON - ingress - - BPA -\n")
	if len(flows) != 2 || report.Skipped[importer.NoFlow].Records != 1 {
		t.Fatalf("%d flows, report %+v", len(flows), report)
	}
	flows[0].Want(t, "SamplerAddress=fd61:7773:0:1234:5678:9012:89ab:cdef ObservationDomain=171 OutIf=7 InIf= FlowDirection=1 HasFlowDirection=true SrcAddr=10.0.1.5 DstAddr=203.0.113.5 NextHop=10.0.0.220 TCPFlags=19 ApplicationName=S3 Bytes=5000 Packets=12 ForwardingStatus=64")
	flows[1].Want(t, "InIf=7 OutIf= FlowDirection= HasFlowDirection=true NextHop= ForwardingStatus=130 FirewallEvent=3 ApplicationName=AMAZON Etype=34525 Proto=58")
}

func TestCustomFormatAndExporterAndLinesOfCloudWatch(t *testing.T) {
	o := awsvpc.Options{Format: "${srcaddr} ${dstaddr} ${bytes} ${start}", Exporter: netip.MustParseAddr("192.0.2.99")}
	flows, _ := decode(t, o, "2026-11-27T10:00:00.000Z 192.0.2.1 192.0.2.2 100 1700000000\n192.0.2.3 192.0.2.4 200 1700000001")
	if len(flows) != 2 {
		t.Fatalf("%d flows, want two", len(flows))
	}
	flows[0].Want(t, "SamplerAddress=192.0.2.99 SrcAddr=192.0.2.1 Bytes=100 TimeFlowStart=1700000000 TimeFlowEnd=1700000000")
	flows[1].Want(t, "SrcAddr=192.0.2.3 Bytes=200")
}

func TestBrokenLinesCostNoOtherAndAreCountedWithTheirReason(t *testing.T) {
	future := time.Now().Add(48 * time.Hour).Unix()
	good := "2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 1700000000 1700000060 ACCEPT OK\n"
	text := good +
		"2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 1700000000 1700000060 ACCEPT\n" + // too few
		"2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 1700000000 1700000060 ACCEPT OK OK\n" + // too many
		"2 1 eni-1 192.0.2.256 192.0.2.2 1 2 6 1 100 1700000000 1700000060 ACCEPT OK\n" +
		"2 1 eni-1 192.0.2.1 fe80::1%eth0 1 2 6 1 100 1700000000 1700000060 ACCEPT OK\n" +
		"2 1 eni-1 192.0.2.1 192.0.2.2 65536 2 6 1 100 1700000000 1700000060 ACCEPT OK\n" +
		"2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 -1 100 1700000000 1700000060 ACCEPT OK\n" +
		"2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 1700000000 1700000060 MAYBE OK\n" +
		"2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 17 18 ACCEPT OK\n" +
		"\n\x1b[31m\xff\xfe injected\n" +
		fmt.Sprintf("2 1 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 100 1700000000 %d ACCEPT OK\r\n", future) +
		strings.Repeat("x", importer.MaxRecord+5) + "\n" + good
	flows, report := decode(t, awsvpc.Options{}, text)
	got := map[importer.Reason]uint64{}
	for reason, s := range report.Skipped {
		got[reason] = s.Records
		if strings.ContainsFunc(s.First, func(c rune) bool { return c < ' ' || c > '~' && c != '…' }) {
			t.Errorf("the example of %s can do something to a terminal: %q", reason, s.First)
		}
	}
	if len(flows) != 3 || report.Ahead != 1 || fmt.Sprint(got) != "map[bad_time:1 bad_value:5 empty:1 field_count:3 too_long:1]" {
		t.Errorf("%d flows, %d ahead, %v", len(flows), report.Ahead, got)
	}
	if first := report.Skipped[importer.BadValue].First; !strings.Contains(first, `srcaddr is "192.0.2.256"`) {
		t.Errorf("the first bad value is said to be %s", first)
	}
	if flows[1]["TimeReceived"] == flows[1]["TimeFlowEnd"] {
		t.Error("a flow of the day after tomorrow is received then")
	}
}

func TestFormatThatCannotBeIsRefused(t *testing.T) {
	for format, want := range map[string]string{
		"$version":        "has no field that flow logs have",
		"${version}":      "neither start nor end",
		"start version":   "neither bytes nor packets",
		"start start end": "names start twice",
		"${}":             "names no field",
	} {
		if _, err := awsvpc.Format(awsvpc.Options{Format: format}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", format, err, want)
		}
	}
}
