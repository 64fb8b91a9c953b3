package importer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/queue"
)

// BenchmarkImportToKafka is the whole way: from a file by way of the ledger, whose entries
// are forced to the disk, to the acknowledgement of a broker in the same process. A record
// is one op.
func BenchmarkImportToKafka(b *testing.B) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, importer.Topic))
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	const records = 500_000
	path := filepath.Join(b.TempDir(), "flows.log")
	if err := os.WriteFile(path, []byte(lines(1, records)), 0o600); err != nil {
		b.Fatal(err)
	}
	format, err := awsvpc.Format(awsvpc.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += records {
		sink, err := importer.OpenKafka(queue.Config{Brokers: broker.ListenAddrs(), Topic: importer.Topic}, b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		report, err := importer.Run(b.Context(), importer.Config{Format: format, Files: []string{path}, Sink: sink})
		if err != nil || report.Sent != records {
			b.Fatal(err, report)
		}
		_ = sink.Close()
	}
}
