package collect

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/exporter"
)

func TestSettingsOfExportersThatChangeHoldWithoutARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exporters.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &Collector{table: exporter.NewTable(exporter.Config{}), config: Config{OverridesFile: file}}
	var read []byte
	for _, step := range []struct {
		text string
		want uint64
	}{{`{"192.0.2.1": {"samplingRate": 10}}`, 10}, {`{"192.0.2.1": {"samplingRate": "x"}}`, 10}, {`{"192.0.2.1": {"samplingRate": 20}}`, 20}, {`{}`, 1}} {
		write(step.text)
		read = c.rereadOverrides(read)
		if rate, _ := c.table.Get(netip.MustParseAddr("192.0.2.1"), time.Unix(1, 0)).Rate(9, 0, 0, 0); rate != step.want {
			t.Errorf("%s: the rate is %d, want %d", step.text, rate, step.want)
		}
	}
}
