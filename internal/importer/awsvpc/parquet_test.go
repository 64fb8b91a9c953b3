package awsvpc_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/queue"
)

// parquetRecord has the columns that AWS writes, of versions 2 to 8, with the types that
// the user guide says ("Available fields": Parquet data type).
type parquetRecord struct {
	Version          *int32  `parquet:"version,optional"`
	AccountID        *string `parquet:"account_id,optional"`
	InterfaceID      *string `parquet:"interface_id,optional,dict"`
	SrcAddr          *string `parquet:"srcaddr,optional"`
	DstAddr          *string `parquet:"dstaddr,optional"`
	SrcPort          *int32  `parquet:"srcport,optional"`
	DstPort          *int32  `parquet:"dstport,optional"`
	Protocol         *int32  `parquet:"protocol,optional"`
	Packets          *int64  `parquet:"packets,optional"`
	Bytes            *int64  `parquet:"bytes,optional"`
	Start            *int64  `parquet:"start,optional"`
	End              *int64  `parquet:"end,optional"`
	Action           *string `parquet:"action,optional,dict"`
	LogStatus        *string `parquet:"log_status,optional,dict"`
	VPCID            *string `parquet:"vpc_id,optional,dict"`
	SubnetID         *string `parquet:"subnet_id,optional,dict"`
	InstanceID       *string `parquet:"instance_id,optional,dict"`
	TCPFlags         *int32  `parquet:"tcp_flags,optional"`
	Type             *string `parquet:"type,optional,dict"`
	PktSrcAddr       *string `parquet:"pkt_srcaddr,optional"`
	PktDstAddr       *string `parquet:"pkt_dstaddr,optional"`
	Region           *string `parquet:"region,optional,dict"`
	AZID             *string `parquet:"az_id,optional,dict"`
	SublocationType  *string `parquet:"sublocation_type,optional"`
	SublocationID    *string `parquet:"sublocation_id,optional"`
	PktSrcAWSService *string `parquet:"pkt_src_aws_service,optional,dict"`
	PktDstAWSService *string `parquet:"pkt_dst_aws_service,optional,dict"`
	FlowDirection    *string `parquet:"flow_direction,optional,dict"`
	TrafficPath      *int32  `parquet:"traffic_path,optional"`
	ECSClusterName   *string `parquet:"ecs_cluster_name,optional"`
	RejectReason     *string `parquet:"reject_reason,optional,dict"`
	InVersion99      *string `parquet:"of_version_99,optional"`
}

// records returns records as both kinds of files have them.
func records(n int) (rows []parquetRecord, text string) {
	random := rand.New(rand.NewPCG(1, 2))
	rows = make([]parquetRecord, n)
	t := reflect.TypeFor[parquetRecord]()
	var b strings.Builder
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("parquet"), ",")
		b.WriteString(strings.ReplaceAll(name, "_", "-"))
		b.WriteByte(" \n"[(i+1)/t.NumField()])
	}
	for i := range rows {
		row := &rows[i]
		fill(row, random, i)
		v := reflect.ValueOf(*row)
		for f := range t.NumField() {
			if field := v.Field(f); field.IsNil() {
				b.WriteByte('-')
			} else {
				fmt.Fprint(&b, field.Elem())
			}
			b.WriteByte(" \n"[(f+1)/t.NumField()])
		}
	}
	return rows, b.String()
}

func fill(r *parquetRecord, random *rand.Rand, i int) {
	one := func(of ...string) *string {
		s := of[random.IntN(len(of))]
		if s == "" {
			return nil
		}
		return &s
	}
	*r = parquetRecord{
		Version: new(int32(8)), AccountID: one("123456789012", "amazon-elb"), InterfaceID: one("eni-00000000000000a1", "eni-00000000000000a2"),
		Start: new(int64(1700000000 + i)), End: new(int64(1700000060 + i)), LogStatus: one("OK"), Region: one("eu-west-1", "-"),
	}
	if i%50 == 7 {
		r.LogStatus = one("NODATA", "SKIPDATA")
		return
	}
	r.SrcAddr, r.DstAddr = new(fmt.Sprintf("10.%d.%d.1", i>>8&255, i&255)), one("10.0.0.220", "2001:db8::5")
	r.PktSrcAddr, r.PktDstAddr = one(*r.SrcAddr, ""), one("203.0.113.5", "2001:db8::5", "-")
	r.SrcPort, r.DstPort, r.Protocol = new(int32(random.IntN(1<<16))), new(int32(443)), new(int32(6))
	r.Packets, r.Bytes = new(random.Int64N(1<<40)), new(random.Int64N(1<<50))
	r.Action, r.RejectReason = one("ACCEPT", "REJECT"), one("", "BPA", "-")
	r.VPCID, r.SubnetID, r.InstanceID = one("vpc-0a0b0c0d89abcdef"), one("subnet-00000000000000ab", ""), one("i-01234567890123456", "-")
	r.TCPFlags, r.Type, r.TrafficPath = new(int32(random.IntN(64))), one("IPv4", "IPv6"), new(int32(8))
	r.PktSrcAWSService, r.PktDstAWSService = one("", "AMAZON"), one("", "S3", "-")
	r.FlowDirection = one("ingress", "egress", "")
	if i == 1234 {
		r.SrcPort = new(int32(70000)) // cannot be
	}
}

// asParquet writes rows in groups of so many, each page with about so many bytes.
func asParquet(t testing.TB, rows []parquetRecord, group, page int, codec compress.Codec) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRecord](&b, parquet.PageBufferSize(page), parquet.Compression(codec))
	for at := 0; at < len(rows); at += group {
		if _, err := w.Write(rows[at:min(at+group, len(rows))]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParquetHasTheSameFlowsAsTheSameRecordsInText(t *testing.T) {
	rows, text := records(5000)
	want, wantReport := decode(t, awsvpc.Options{}, text)
	if len(want) < 4800 || wantReport.Skipped[awsvpc.NoData] == nil || wantReport.Skipped[importer.BadValue].Records != 1 {
		t.Fatalf("of the text, %d flows: %+v", len(want), wantReport)
	}
	delete(wantReport.Skipped, importer.NoFlow) // the head
	for name, content := range map[string]string{
		"gzip, pages of different lengths": asParquet(t, rows, 5000, 4000, &parquet.Gzip),
		"snappy, row groups":               asParquet(t, rows, 700, 1<<20, &parquet.Snappy),
		"zstd, small row groups and pages": asParquet(t, rows, 301, 1000, &parquet.Zstd),
		"plain":                            asParquet(t, rows, 5000, 1<<20, &parquet.Uncompressed),
	} {
		t.Run(name, func(t *testing.T) {
			got, report := decode(t, awsvpc.Options{}, content)
			if diff := cmp.Diff(importertest.Reasons(wantReport), importertest.Reasons(report)); diff != "" {
				t.Error(diff)
			}
			if first := report.Skipped[importer.BadValue].First; !strings.Contains(first, "row 1235") || !strings.Contains(first, `srcport is "70000"`) {
				t.Errorf("the bad value is said to be %s", first)
			}
			if len(got) != len(want) {
				t.Fatalf("%d flows, want %d", len(got), len(want))
			}
			for i := range want {
				if diff := cmp.Diff(want[i], got[i]); diff != "" {
					t.Fatalf("flow %d: %s", i, diff)
				}
			}
		})
	}
}

func TestWhatIsNoParquetOfAFlowLogIsRefusedWithItsReason(t *testing.T) {
	rows, _ := records(3000)
	whole := asParquet(t, rows, 1000, 4000, &parquet.Snappy)
	type other struct {
		Name string
		Rows []int64
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, []other{{"x", []int64{1}}}); err != nil {
		t.Fatal(err)
	}
	footer := []byte(whole)
	for i := len(footer) - 2000; i < len(footer)-8; i++ {
		footer[i] = 0xff
	}
	for want, content := range map[string]string{
		"cut off":                        whole[:len(whole)/2],
		"is damaged":                     string(footer),
		"are not those of a flow log":    b.String(),
		"it does not begin with PAR1":    "this is text\n",
		"no end. Is it still being writ": "PAR1",
	} {
		report, err := importertest.Import(t, awsvpcFormat(t), "flows.parquet", content)
		if err == nil || !strings.Contains(err.Error(), want) || report.Failed != 1 {
			t.Errorf("%v, want %s; %d failed", err, want, report.Failed)
		}
	}
	// What comes before a damaged page is sent.
	pages := []byte(whole)
	for i := len(pages) / 2; i < len(pages)/2+300; i++ {
		pages[i] ^= 0x55
	}
	report, err := importertest.Import(t, awsvpcFormat(t), "flows.parquet", string(pages))
	if err == nil || report.Sent < 500 || report.Sent > 2900 {
		t.Errorf("a damaged page: %v, %d sent", err, report.Sent)
	}
}

func awsvpcFormat(t testing.TB) importer.Format {
	t.Helper()
	format, err := awsvpc.Format(awsvpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return format
}

// BenchmarkParquet reads files as AWS writes them: all columns, compressed. A record is
// one op.
func BenchmarkParquet(b *testing.B) {
	const n = 100_000
	rows, _ := records(n)
	for name, codec := range map[string]compress.Codec{"gzip": &parquet.Gzip, "snappy": &parquet.Snappy} {
		content := asParquet(b, rows, n, 1<<20, codec)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(content) / n))
			b.ResetTimer()
			for i := 0; i < b.N; i += n {
				importertest.Run(b, awsvpcFormat(b), content)
			}
		})
	}
}

func FuzzParquet(f *testing.F) {
	rows, _ := records(100)
	f.Add([]byte(asParquet(f, rows, 40, 500, &parquet.Snappy)))
	f.Fuzz(func(t *testing.T, content []byte) {
		_, _ = importertest.Import(t, awsvpcFormat(t), "flows.parquet", string(content))
	})
}

func TestParquetFilesThatBeginAlikeAreNotTakenForCopies(t *testing.T) {
	type row struct {
		AccountID string `parquet:"account_id,plain"`
		Bytes     int64  `parquet:"bytes"`
		End       int64  `parquet:"end"`
	}
	dir := t.TempDir()
	write := func(name string, first, n int) {
		t.Helper()
		var rows []row
		for i := range n {
			rows = append(rows, row{"123456789012", int64(first + i), 1700000000})
		}
		var b bytes.Buffer
		if err := parquet.Write(&b, rows); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, importer.Topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	state := t.TempDir()
	imports := func(want uint64) {
		t.Helper()
		sink, err := importer.OpenKafka(queue.Config{Brokers: broker.ListenAddrs(), Topic: importer.Topic}, state)
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		report, err := importer.Run(t.Context(), importer.Config{Format: awsvpcFormat(t), Files: []string{dir}, Sink: sink})
		if err != nil || report.Sent != want {
			t.Errorf("%d sent, want %d: %v, %+v", report.Sent, want, err, report)
		}
	}
	write("a.parquet", 1, 5000)
	imports(5000)
	write("b.parquet", 5001, 5000)
	write("copy.parquet", 1, 5000)
	imports(5000)
	imports(0)
}
