package netflow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/pb"
)

func TestFlowsWaitForTheirTemplate(t *testing.T) {
	other := ipfix10(set(2, bytesTemplate(256)))
	copy(other[12:], u32(testDomain+1))
	for name, test := range map[string]struct {
		datagrams [][]byte
		want      []uint64
	}{
		"v9":                      {[][]byte{v9(set(256, u32(100))), v9(set(256, u32(200))), v9(set(0, bytesTemplate(256)))}, []uint64{100, 200}},
		"IPFIX":                   {[][]byte{ipfix10(set(256, u32(100))), ipfix10(set(256, u32(200))), ipfix10(set(2, bytesTemplate(256)))}, []uint64{100, 200}},
		"those that waited first": {[][]byte{v9(set(256, u32(100))), v9(set(256, u32(200)), set(0, bytesTemplate(256)))}, []uint64{100, 200}},
		"those of one template":   {[][]byte{v9(set(256, u32(100)), set(257, u32(200))), v9(set(0, bytesTemplate(257)))}, []uint64{200}},
		"once":                    {[][]byte{v9(set(256, u32(100))), v9(set(0, bytesTemplate(256))), v9(set(0, bytesTemplate(256)))}, []uint64{100}},
		"after a withdrawal": {[][]byte{ipfix10(set(2, bytesTemplate(256))), ipfix10(set(2, u16(256), u16(0))), ipfix10(set(256, u64(100))),
			ipfix10(set(2, template(256, field{1, 8})))}, []uint64{100}},
		"not a template of another domain":  {[][]byte{ipfix10(set(256, u32(100))), other}, []uint64{}},
		"not a template of another version": {[][]byte{ipfix10(set(256, u32(100))), v9(set(0, bytesTemplate(256)))}, []uint64{}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, test.want, bytesOf(decodeAll(t, test.datagrams...)))
		})
	}
}

// Two sockets may read datagrams of one exporter at the same time: one finds no template
// for a set, the other learns it, and only then the first one holds the set.
func TestFlowsHeldWhileTheirTemplateCameAreReleasedWhenItIsRepeated(t *testing.T) {
	c := newCollector(exporter.Config{})
	template := v9(set(0, bytesTemplate(256)))
	if err := c.decode(template); err != nil {
		t.Fatal(err)
	}
	window := join(zeros(margin), u32(100))
	if !c.table.Get(source.Addr(), received).Hold(9, testDomain, 256, exporter.Held{Received: received, Body: window}) {
		t.Fatal("there is no room for the set")
	}
	if err := c.decode(template); err != nil {
		t.Fatal(err)
	}
	equal(t, []uint64{100}, bytesOf(c.records))
}

func TestFlowsThatWaitedAreAsOfTheirOwnDatagram(t *testing.T) {
	c := newCollector(exporter.Config{})
	early := v9At(testUptime, set(256, u32(testUptime-2_000)))
	const wait = 90 * time.Second
	late := v9At(testUptime+uint32(wait.Milliseconds()), set(0, template(256, field{21, 4})), set(256, u32(testUptime+80_000)))
	copy(late[8:], u32(uint32(received.Add(wait).Unix())))
	copy(late[12:], u32(testSequence+1))
	if err := errors.Join(c.Decode(early, source, received), c.Decode(late, source, received.Add(wait))); err != nil {
		t.Fatal(err)
	}
	if len(c.records) != 2 {
		t.Fatalf("%d records, want 2", len(c.records))
	}
	at := uint64(received.Unix())
	waited, present := c.records[0], c.records[1]
	equal(t, []uint64{at, at - 2, testSequence}, []uint64{waited.TimeReceived, waited.TimeFlowEnd, uint64(waited.SequenceNum)})
	equal(t, []uint64{at + 90, at + 80, testSequence + 1}, []uint64{present.TimeReceived, present.TimeFlowEnd, uint64(present.SequenceNum)})
}

func TestOptionsThatWaitedCountForFlowsThatWaited(t *testing.T) {
	equal(t, []rated{{512, pb.FlowMessage_RATE_OPTIONS}}, ratesOf(t, exporter.Config{},
		v9(set(256, u32(1))), v9(set(300, u32(0), u32(512))),
		v9(set(0, bytesTemplate(256)), set(1, optionsTemplateV9(300, []field{scopeSystemV9}, []field{{34, 4}})))))
}

func TestFlowsThatWaitAreNoProblemUnlessThereIsNoRoom(t *testing.T) {
	counter := metrics.DecodeErrors.WithLabelValues(metrics.NetFlow9, reasonUnknownTemplate)
	before := testutil.ToFloat64(counter)
	if err := newCollector(exporter.Config{}).decode(v9(set(256, u32(100)))); err != nil || testutil.ToFloat64(counter) != before {
		t.Errorf("error %v, counted %v", err, testutil.ToFloat64(counter)-before)
	}
	if err := newCollector(noWaiting).decode(v9(set(256, u32(100)))); !errors.Is(err, ErrUnknownTemplate) || testutil.ToFloat64(counter) != before+1 {
		t.Errorf("no room: error %v, counted %v", err, testutil.ToFloat64(counter)-before)
	}
}

func TestFlowsThatWaitedAreLimitedWithThoseOfThePresent(t *testing.T) {
	overrides, err := exporter.ReadOverrides(strings.NewReader(`{"192.0.2.0/24": {"samplingRate": 1, "maxFlowsPerSecond": 10}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := newCollector(exporter.Config{Overrides: overrides})
	waiting := v9(set(256, zeros(4*100)))
	many := v9(set(0, bytesTemplate(257)), set(257, zeros(4*100)))
	if err := errors.Join(c.Decode(waiting, source, received.Add(-time.Minute)), c.decode(many)); err != nil {
		t.Fatal(err)
	}
	before := len(c.records)
	if err := c.decode(v9(set(0, bytesTemplate(256))), many); err != nil {
		t.Fatal(err)
	}
	for _, r := range c.records[before:] {
		if r.SamplingRate == 1 {
			t.Fatal("a flow stands for itself only, although the limit of this second was exceeded before")
		}
	}
}

// Many sets that wait are no way around the limit of records in proportion to bytes.
func TestFlowsThatWaitedAreNoMoreThanTheirBytesAllow(t *testing.T) {
	const sets, size = 1000, 64
	datagram := []byte{}
	for range sets {
		datagram = join(datagram, set(256, zeros(size)))
	}
	c := newCollector(exporter.Config{})
	c.decode(v9(datagram), v9(set(0, template(256, field{1, 1}))))
	if most := 2*freeRecords + sets*(size+margin)/minRecordBytes; len(c.records) > most {
		t.Errorf("%d records of one byte, want at most %d", len(c.records), most)
	}
}
