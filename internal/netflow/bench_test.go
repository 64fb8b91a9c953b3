package netflow

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/golden"
)

// busy is what an exporter of one kind sends all day.
type busy struct {
	name           string
	template, data []byte // datagrams; no template for v5
}

// Templates of devices that are met often.
var (
	asr9000 = []field{{2, 4}, {1, 4}, {8, 4}, {12, 4}, {10, 4}, {14, 4}, {21, 4}, {22, 4}, {7, 2}, {11, 2}, {16, 4}, {17, 4},
		{18, 4}, {9, 1}, {13, 1}, {4, 1}, {6, 1}, {5, 1}, {61, 1}, {89, 1}, {48, 2}, {234, 4}, {235, 4}}
	asr9000IPv6 = []field{{2, 4}, {1, 4}, {27, 16}, {28, 16}, {10, 4}, {14, 4}, {21, 4}, {22, 4}, {31, 4}, {7, 2}, {11, 2}, {16, 4}, {17, 4},
		{63, 16}, {29, 1}, {30, 1}, {4, 1}, {6, 1}, {5, 1}, {61, 1}, {89, 1}, {48, 2}, {234, 4}, {235, 4}}
	openBSD  = []field{{8, 4}, {12, 4}, {10, 4}, {14, 4}, {2, 8}, {1, 8}, {152, 8}, {153, 8}, {7, 2}, {11, 2}, {5, 1}, {4, 1}}
	mikroTik = []field{{60, 1}, {22, 4}, {21, 4}, {2, 4}, {1, 4}, {7, 2}, {11, 2}, {10, 4}, {14, 4}, {4, 1}, {6, 1},
		{8, 4}, {12, 4}, {15, 4}, {225, 4}, {226, 4}}
	named = []field{{8, 4}, {12, 4}, {10, 4}, {14, 4}, {2, 8}, {1, 8}, {152, 8}, {153, 8}, {7, 2}, {11, 2}, {4, 1}, {82, variable}}
)

// plausible returns as many records of these fields as a datagram holds, with values
// as flows have them.
func plausible(fields []field) (records []byte) {
	const room = 1400
	random := rand.New(rand.NewPCG(1, 2))
	milliseconds := uint64(received.UnixMilli())
	for {
		var record []byte
		for _, f := range fields {
			v := random.Uint64()
			switch f.id {
			case 1, 2: // counters
				v = 40 + v%3000
			case 21, 22: // uptime
				v = testUptime - v%60_000
			case 152, 153:
				v = milliseconds - v%60_000
			case 4:
				v = []uint64{6, 17}[v%2]
			case 7, 11:
				v %= 65536
			case 10, 14:
				v %= 700
			case 16, 17:
				v = 64_000 + v%1500
			case 60:
				v = 4
			case 234, 235, 61:
				v = 0
			}
			b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, random.Uint64()), v)
			if f.length == variable {
				record = join(record, u8(4), []byte("eth0"))
			} else {
				record = append(record, b[16-f.length:]...)
			}
		}
		if len(records)+len(record) > room {
			return records
		}
		records = append(records, record...)
	}
}

// exporters returns a datagram of each kind of exporter, and those that were captured
// where there are captures.
func exporters(b testing.TB) []busy {
	v5 := golden.Bytes(b, "v5")
	record := v5[headerSizeV5 : headerSizeV5+recordSizeV5]
	v5 = v5[:headerSizeV5:headerSizeV5]
	for range 30 {
		v5 = join(v5, record)
	}
	copy(v5[2:], u16(30))
	list := []busy{
		{"v5", nil, v5},
		{"v9 ASR9000", v9(set(0, template(256, asr9000...))), v9(set(256, plausible(asr9000)))},
		{"v9 ASR9000 IPv6", v9(set(0, template(256, asr9000IPv6...))), v9(set(256, plausible(asr9000IPv6)))},
		{"IPFIX OpenBSD", ipfix10(set(2, template(256, openBSD...))), ipfix10(set(256, plausible(openBSD)))},
		{"IPFIX MikroTik", ipfix10(set(2, template(256, mikroTik...))), ipfix10(set(256, plausible(mikroTik)))},
		{"IPFIX variable length", ipfix10(set(2, template(256, named...))), ipfix10(set(256, plausible(named)))},
	}
	shared := os.Getenv("NETMETA_SHARED")
	if shared == "" {
		return list
	}
	read := func(name string) []byte {
		datagram, err := os.ReadFile(filepath.Join(shared, "captures", name))
		if err != nil {
			b.Fatal(err)
		}
		return datagram
	}
	const nine, ten = "goflow2/extracted/netflow_test.TestDecodeNetFlowV9.", "logstash-codec-netflow/spec/codecs/ipfix_test_"
	return append(list,
		busy{"captured v9 ASR9000", read(nine + "template.bin"), read(nine + "data.bin")},
		busy{"captured IPFIX OpenBSD", read(ten + "openbsd_pflow_tpl.dat"), read(ten + "openbsd_pflow_data.dat")},
		busy{"captured IPFIX MikroTik", read(ten + "mikrotik_tpl.dat"), read(ten + "mikrotik_data258.dat")})
}

// benchmarkRecords reports what one record costs.
func benchmarkRecords(b *testing.B, emit func(*flow.Record)) {
	for _, e := range exporters(b) {
		b.Run(e.name, func(b *testing.B) {
			records := 0
			d := NewDecoder(exporter.NewTable(exporter.Config{}), func(r *flow.Record) { records++; emit(r) }, nil)
			if e.template != nil {
				if err := d.Decode(e.template, source, received); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Decode(e.data, source, received); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}

func BenchmarkDecode(b *testing.B) { benchmarkRecords(b, func(*flow.Record) {}) }

// BenchmarkDecodeAndEncode is what the collector does with a datagram but for
// receiving and sending it.
func BenchmarkDecodeAndEncode(b *testing.B) {
	buffer := make([]byte, 0, 1<<20)
	benchmarkRecords(b, func(r *flow.Record) {
		if cap(buffer)-len(buffer) < flow.MaxEncodedSize {
			buffer = buffer[:0]
		}
		buffer = r.AppendDelimited(buffer)
	})
}
