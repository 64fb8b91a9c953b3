package netflow

import (
	"errors"
	"maps"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/golden"
	"github.com/leoluk/NetMeta/internal/metrics"
)

func TestUnknownTemplateCostsOnlyItsOwnSet(t *testing.T) {
	for name, datagram := range map[string][]byte{
		"v9":    v9(set(999, u32(1)), set(0, bytesTemplate(256)), set(256, u32(100)), set(998, u32(2)), set(256, u32(200))),
		"ipfix": ipfix10(set(999, u32(1)), set(2, bytesTemplate(256)), set(256, u32(100)), set(998, u32(2)), set(256, u32(200))),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(noWaiting)
			err := c.decode(datagram)
			if !errors.Is(err, ErrUnknownTemplate) || !strings.Contains(err.Error(), "set 999 of domain 1") {
				t.Errorf("error %v, want the first unknown template, 999", err)
			}
			equal(t, []uint64{100, 200}, bytesOf(c.records))
		})
	}
}

func TestBrokenSetCostsOnlyItself(t *testing.T) {
	good := set(256, u32(100))
	for name, test := range map[string]struct {
		datagram []byte
		problem  string
	}{
		"set ids that are not defined are skipped (v9)":    {v9(set(0, bytesTemplate(256)), set(4, u32(1)), set(255, u32(2)), good), "set 4: no such kind"},
		"set ids that are not defined are skipped (IPFIX)": {ipfix10(set(2, bytesTemplate(256)), set(1, u32(1)), set(4, u32(1)), good), "set 1: no such kind"},
		"a template cut off leaves the sets behind it":     {ipfix10(set(2, bytesTemplate(256)), set(2, u16(257), u16(2), u32(0)), good), "template 257 of domain 1: 2 fields in 4 bytes"},
		"a refused template leaves the one behind it":      {ipfix10(set(2, template(257, field{1, 0}), bytesTemplate(256)), good), "template 257 of domain 1: its 1 fields are all of length 0"},
		"a reserved template id leaves the one behind it":  {ipfix10(set(2, template(255, field{1, 4}), bytesTemplate(256)), good), "template 255 of domain 1: ids below 256"},
		"a record cut off leaves those in front of it":     {ipfix10(set(2, template(256, field{1, 4}, field{82, exporter.VariableLength})), set(256, u32(100), u8(0), u32(200), u8(9))), "set 256: the last 5 bytes are not a whole record"},
		"a message cut off leaves the sets in front of it": {ipfix10(set(2, bytesTemplate(256)), good, set(256, u32(1)))[:40], "exceeds"},
		"a set longer than the message ends with it":       {v9(set(0, bytesTemplate(256)), join(u16(256), u16(400), u32(100))), "set 256: length 400 exceeds the 8 bytes left"},
		"a set shorter than its header ends the message":   {v9(set(0, bytesTemplate(256)), good, join(u16(256), u16(3), u32(1))), "set 256: length 3 is less"},
		"scopes that exceed the fields leave the next set": {ipfix10(set(2, bytesTemplate(256)), set(3, u16(300), u16(1), u16(2), u32(0), u32(0)), good), "2 scopes among 1 fields"},
		"odd lengths of v9 options leave the next set":     {v9(set(0, bytesTemplate(256)), set(1, u16(300), u16(3), u16(4), u32(0), u32(0)), good), "not multiples of 4"},
		"bytes behind an IPFIX message are not part of it": {join(ipfix10(set(2, bytesTemplate(256)), good), set(256, u32(200))), "8 bytes behind the end"},
		"an absurdly wide template is refused":             {ipfix10(set(2, template(257, make([]field, exporter.MaxFields+1)...), bytesTemplate(256)), good), "1025 fields are more than 1024"},
		"a template for records of any length fit nowhere": {ipfix10(set(2, template(257, field{1, 65_534}), bytesTemplate(256)), good), "fits into no datagram"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			err := c.decode(test.datagram)
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("error %v, want %q", err, test.problem)
			}
			equal(t, []uint64{100}, bytesOf(c.records))
		})
	}
}

func TestPaddingIsNoProblem(t *testing.T) {
	tail := template(256, field{1, 4}, field{82, exporter.VariableLength})
	for name, datagram := range map[string][]byte{
		"v9: behind records":                  v9(set(0, template(256, field{1, 4}, field{4, 1})), set(256, u32(100), u8(6), zeros(3))),
		"v9: behind templates":                v9(set(0, bytesTemplate(256), zeros(64)), set(256, u32(100))),
		"v9: behind an options template":      v9(set(1, optionsTemplateV9(300, []field{{1, 4}}, []field{{34, 4}}), zeros(2)), set(0, bytesTemplate(256)), set(256, u32(100))),
		"v9: the datagram filled up":          v9(set(0, bytesTemplate(256)), set(256, u32(100)), zeros(1220)),
		"IPFIX: behind records":               ipfix10(set(2, template(256, field{1, 4}, field{4, 1})), set(256, u32(100), u8(6), zeros(3))),
		"IPFIX: behind records of any length": ipfix10(set(2, tail), set(256, u32(100), u8(1), u8('x'), zeros(2))),
		"IPFIX: behind the message":           join(ipfix10(set(2, bytesTemplate(256)), set(256, u32(100))), zeros(6)),
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, []uint64{100}, bytesOf(decodeAll(t, datagram)))
		})
	}
}

func TestCountInHeaderIsNotBelieved(t *testing.T) {
	t.Run("v9 may count sets, records or nothing", func(t *testing.T) {
		datagram := v9(set(0, bytesTemplate(256)), set(256, u32(100), u32(200)))
		copy(datagram[2:], u16(0))
		equal(t, []uint64{100, 200}, bytesOf(decodeAll(t, datagram)))
	})
	t.Run("v5 with fewer records than it says", func(t *testing.T) {
		c := newCollector(exporter.Config{})
		datagram := golden.Bytes(t, "v5")
		copy(datagram[2:], u16(65_535))
		err := c.decode(datagram)
		if err == nil || !strings.Contains(err.Error(), "65535 records announced, 2 received") {
			t.Errorf("error %v, want the announced and the received count", err)
		}
		equal(t, 2, len(c.records))
	})
	t.Run("v5 with more bytes than records", func(t *testing.T) {
		c := newCollector(exporter.Config{})
		datagram := golden.Bytes(t, "v5")
		copy(datagram[2:], u16(1))
		err := c.decode(datagram)
		if err == nil || !strings.Contains(err.Error(), "48 bytes behind the last record") {
			t.Errorf("error %v, want the number of bytes that were left out", err)
		}
		equal(t, 1, len(c.records))
	})
}

// A count that is followed by nothing must not make anybody allocate for it.
func TestLyingCountsCostNoMemory(t *testing.T) {
	for name, datagram := range map[string][]byte{
		"v5 records":            golden.Bytes(t, "v5")[:headerSizeV5],
		"v9 template fields":    v9(set(0, u16(256), u16(65_532))),
		"ipfix template fields": ipfix10(set(2, u16(256), u16(65_532))),
		"ipfix option scopes":   ipfix10(set(3, u16(256), u16(65_532), u16(65_532))),
	} {
		t.Run(name, func(t *testing.T) {
			copy(datagram[2:], u16(65_535))
			if name != "v5 records" {
				copy(datagram[2:], u16(uint16(len(datagram))))
			}
			c := newCollector(exporter.Config{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.decode(datagram)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("no error")
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 {
				t.Errorf("a datagram of %d bytes made the decoder allocate %d", len(datagram), used)
			}
		})
	}
}

func TestDatagramsThatAreNotNetFlowAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		datagram []byte
		problem  string
	}{
		"nothing":           {nil, "too short for a version"},
		"one byte":          {u8(9), "too short for a version"},
		"sFlow":             {u32(5), "version 0 is not"},
		"NetFlow v7":        {join(u16(7), zeros(60)), "version 7 is not"},
		"half a v5 header":  {join(u16(5), zeros(10)), "12 bytes is too short for a header of 24"},
		"half a v9 header":  {join(u16(9), zeros(10)), "12 bytes is too short for a header of 20"},
		"IPFIX of length 0": {join(u16(10), zeros(14)), "message length 0 is less than its header"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			err := c.decode(test.datagram)
			if err == nil || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), "192.0.2.1") {
				t.Errorf("error %v, want %q and the exporter", err, test.problem)
			}
			equal(t, 0, len(c.records))
		})
	}
}

func TestExporterIsItsAddress(t *testing.T) {
	c := newCollector(noWaiting)
	templates, data := v9(set(0, bytesTemplate(256))), v9(set(256, u32(100)))
	for _, step := range []struct {
		datagram []byte
		from     string
	}{
		{templates, "192.0.2.1:50000"},
		{data, "192.0.2.1:50001"},          // restarted
		{data, "[::ffff:192.0.2.1]:50002"}, // heard on a socket for both families
	} {
		if err := c.Decode(step.datagram, netip.MustParseAddrPort(step.from), received); err != nil {
			t.Fatalf("from %s: %v", step.from, err)
		}
	}
	for _, r := range c.records {
		equal(t, netip.MustParseAddr("192.0.2.1"), r.SamplerAddress)
	}
	equal(t, []uint64{100, 100}, bytesOf(c.records))

	if err := c.Decode(data, netip.MustParseAddrPort("192.0.2.2:50000"), received); !errors.Is(err, ErrUnknownTemplate) {
		t.Errorf("another exporter: error %v, want %v", err, ErrUnknownTemplate)
	}
}

func TestTruncationAtEveryByteDoesNotPanic(t *testing.T) {
	for _, name := range []string{"v5", "v9", "ipfix", "biflow"} {
		datagram := golden.Bytes(t, name)
		whole := newCollector(exporter.Config{})
		if err := whole.decode(datagram); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range datagram {
			c := newCollector(exporter.Config{})
			c.decode(datagram[:n])
			if len(c.records) > len(whole.records) {
				t.Errorf("%s: %d records in the first %d bytes, %d in all %d", name, len(c.records), n, len(whole.records), len(datagram))
			}
		}
	}
}

// A datagram's error is only its first problem; the counters know all of them.
func TestEveryProblemIsCounted(t *testing.T) {
	reasons := []string{reasonVersion, reasonTruncated, reasonTrailing, reasonSetID, reasonTemplate, reasonUnknownTemplate, reasonRecord, reasonTooMany}
	count := func() map[string]int {
		counts := map[string]int{"records": int(testutil.ToFloat64(metrics.Records.WithLabelValues(metrics.IPFIX))), "unknown rates": int(testutil.ToFloat64(metrics.UnknownRates.WithLabelValues(metrics.IPFIX)))}
		for _, reason := range reasons {
			counts[reason] = int(testutil.ToFloat64(metrics.DecodeErrors.WithLabelValues(metrics.IPFIX, reason)))
		}
		return counts
	}
	before := count()
	c := newCollector(noWaiting)
	if err := c.decode(ipfix10(
		set(4, u32(1)), set(5),
		set(2, template(257, field{1, 0}), bytesTemplate(256)),
		set(999, u32(1)), set(998), set(997),
		set(256, u32(100), u32(200)),
		set(256, u32(300)),
		join(u16(256), u16(3), u32(1)),
	)); err == nil {
		t.Error("no error")
	}
	got := count()
	maps.DeleteFunc(got, func(what string, n int) bool {
		got[what] = n - before[what]
		return got[what] == 0
	})
	equal(t, map[string]int{
		"records": 3, "unknown rates": 3,
		reasonSetID: 2, reasonTemplate: 1, reasonUnknownTemplate: 3, reasonTruncated: 1,
	}, got)
}

// Without a limit, one datagram could become 64,000 rows.
func TestRecordsOutOfProportionAreLeftOut(t *testing.T) {
	const size = 60_000
	most := freeRecords + (headerSizeIPFIX+setHeaderSize+size)/minRecordBytes
	for name, test := range map[string]struct {
		template []byte
		size     int // of all records together
		want     int
	}{
		"records of one byte":             {template(256, field{1, 1}), size, most},
		"records of nothing but a length": {template(256, field{1, variable}), size, most},
		"records of 8 bytes":              {template(256, field{1, 8}), size, size / 8},
		"few records of one byte":         {template(256, field{1, 1}), freeRecords, freeRecords},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			counter := metrics.DecodeErrors.WithLabelValues(metrics.IPFIX, reasonTooMany)
			before := testutil.ToFloat64(counter)
			err := c.decode(ipfix10(set(2, test.template)), ipfix10(set(256, zeros(test.size))))
			equal(t, test.want, len(c.records))
			if refused := test.want == most; (err != nil) != refused || (testutil.ToFloat64(counter) > before) != refused {
				t.Errorf("error %v, counted %v", err, testutil.ToFloat64(counter)-before)
			}
		})
	}
}
