package conformance

// What goflow2 v2.2.6 gets wrong, by the numbers under which its defects are known,
// each as a promise that NetMeta keeps. defects_netflow_test.go, defects_sflow_test.go
// and defects_pipeline_test.go have those of the templates, of the packets, and of what
// lies around the decoders.

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// allocated returns how many bytes do allocates, and fails the test if it does not
// return.
func allocated(t *testing.T, do func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	done := make(chan struct{})
	runtime.ReadMemStats(&before)
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("does not come to an end")
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// modest is more than any datagram may cost in memory, and less than what the lies of
// these tests cost those who believe them.
const modest = 256 << 10

func TestGoflow2Defect01CountOfRecordsIsNotBelieved(t *testing.T) {
	const lie = 1 << 20 // goflow2 can be made to ask for 103 GB
	expanded := framed(3, words(1, 0, 3, 1000, 0, 0, 0, 3, 0, 5, lie))
	datagram := sflow5(expanded, flowSample(3, 5, rawHeader(headerEthernet, 1000, nil)))

	c := newCollector(exporter.Config{})
	if cost := allocated(t, func() { c.decodeEach(datagram) }); cost > modest {
		t.Errorf("%d bytes allocated for a datagram of %d", cost, len(datagram))
	}
	if len(c.flows) != 1 {
		t.Errorf("%d flows, want that of the good sample", len(c.flows))
	}
	if cost := allocated(t, func() { sflow.DecodeMessageVersion(bytes.NewBuffer(datagram), new(sflow.Packet)) }); cost < modest {
		t.Errorf("goflow2 allocates %d bytes: does the datagram still show its defect?", cost)
	}
}

func TestGoflow2Defect02RecordsOfNoLengthDoNotLoop(t *testing.T) {
	for _, test := range []struct {
		promise   string
		datagrams [][]byte
	}{
		{"a withdrawal", [][]byte{
			ipfix(set(templates10, template(256, octets))),
			ipfix(set(templates10, template(256))),
			ipfix(set(256, u32(1))),
		}},
		{"fields of length 0", [][]byte{
			ipfix(set(templates10, template(256, element{1, 0}, element{8, 0}))),
			ipfix(set(256, u32(1))),
		}},
		{"the same in NetFlow v9", [][]byte{
			netflow9(set(templates9, template(256, element{1, 0}))),
			netflow9(set(256, u32(1))),
		}},
		{"no fields in NetFlow v9", [][]byte{netflow9(set(templates9, template(256)), set(256, u32(1)))}},
	} {
		t.Run(test.promise, func(t *testing.T) {
			c := newCollector(exporter.Config{})
			if cost := allocated(t, func() { c.decodeEach(test.datagrams...) }); cost > modest {
				t.Errorf("%d bytes allocated", cost)
			}
			if len(c.flows) > 0 {
				t.Errorf("%d flows of a template without length", len(c.flows))
			}
		})
	}
}

func TestGoflow2Defect02WithdrawnTemplateCanBeReplaced(t *testing.T) {
	flows, err := decode(
		ipfix(set(templates10, template(256, octets, sourceIPv4))),
		ipfix(set(templates10, template(256))),
		ipfix(set(templates10, template(256, octets)), set(256, u32(7))))
	if err != nil || !slices.Equal(bytesOf(flows), []uint64{7}) {
		t.Errorf("flows of %v bytes, error %v", bytesOf(flows), err)
	}
}

func TestGoflow2Defect03CountsAndTemplatesCostNoMoreThanTheirBytes(t *testing.T) {
	c := newCollector(exporter.Config{})
	lie := netflow5(65_535)
	if cost := allocated(t, func() { c.decodeEach(lie) }); cost > modest {
		t.Errorf("%d bytes allocated for a NetFlow v5 datagram of %d", cost, len(lie))
	}
	if cost := allocated(t, func() {
		netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(lie), new(netflowlegacy.PacketNetFlowV5))
	}); cost < modest {
		t.Errorf("goflow2 allocates %d bytes: does the datagram still show its defect?", cost)
	}

	fields := bytes.Repeat(binary.BigEndian.AppendUint32(nil, 1<<16|4), 16_000) // octetDeltaCount in 4 bytes, over and over
	if err := c.decodeEach(ipfix(set(templates10, u16(256), u16(65_532), fields))); err == nil {
		t.Error("a template of 65,532 fields was accepted")
	}
}
