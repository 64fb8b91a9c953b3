package awsvpc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
)

// BenchmarkImport reads a file of a million lines, decodes them and encodes flows. A
// record is one op.
func BenchmarkImport(b *testing.B) {
	for name, line := range map[string]string{
		"version2": "2 123456789010 eni-1235b8ca123456789 172.31.%d.139 172.31.16.21 %d 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n",
		"version8": "8 vpc-0a0b0c0d89abcdef subnet-00000000000000ab i-01234567890123456 eni-0000000000000007 123456789012 IPv4 10.0.%d.5 10.0.0.220 %d 443 10.0.1.5 203.0.113.5 6 5000 12 1700000000 1700000060 ACCEPT 19 OK us-east-1 use1-az4 - - - S3 egress 8 - -\n",
	} {
		b.Run(name, func(b *testing.B) {
			const lines = 100_000
			var text strings.Builder
			if name == "version8" {
				text.WriteString("version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr pkt-dstaddr protocol bytes packets start end action tcp-flags log-status region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-name reject-reason\n")
			}
			for i := range lines {
				fmt.Fprintf(&text, line, i%256, i%60000)
			}
			path := filepath.Join(b.TempDir(), "flows.log")
			if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			format, err := awsvpc.Format(awsvpc.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(text.Len() / lines))
			b.ResetTimer()
			for n := 0; n < b.N; n += lines {
				report, err := importer.Run(b.Context(), importer.Config{Format: format, Files: []string{path}, Sink: importertest.Nowhere{}})
				if err != nil || report.Sent < lines-1 {
					b.Fatal(err, report)
				}
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
		"2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA",
		"start end bytes srcaddr\n1700000000 1700000001 5 ::ffff:1.2.3.4\n",
		"2026-11-27T10:00:00.000Z 2 1 eni-1 1.2.3.4 ::1 1 2 6 1 100 1700000000 1700000060 REJECT OK",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		flows, report := decode(t, awsvpc.Options{}, text)
		if uint64(len(flows)) != report.Sent {
			t.Errorf("%d flows of %d", len(flows), report.Sent)
		}
	})
}
