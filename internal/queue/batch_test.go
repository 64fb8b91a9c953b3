package queue

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/flow"
)

var codecs = map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}

func messages(values ...string) []*message {
	var m []*message
	for _, v := range values {
		m = append(m, &message{data: []byte(v)})
	}
	return m
}

// testdata/batch.hex is commented field by field, from the Kafka protocol guide.
func TestEncodesARecordBatchAsTheProtocolGuideHasIt(t *testing.T) {
	e := newEncoder(0)
	s := session{id: 0x0102030405060708, epoch: 0x090a, sequence: 0x0b0c0d0e}
	batch, err := e.encode(messages("first", "second one"), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	got := sent(identity{session: s, sent: time.UnixMilli(1_700_000_000_000)}, batch)
	if want := golden(t, "testdata/batch.hex"); !bytes.Equal(got, want) {
		t.Errorf("encoded\n%x\nwant\n%x", got, want)
	}
}

// sent returns what a broker gets.
func sent(as identity, batch []byte) []byte {
	return slices.Concat(as.stamp(batch), batch[prefixBytes:])
}

// golden reads bytes in hexadecimal; what follows a # is a comment.
func golden(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var digits []byte
	for line := range bytes.Lines(text) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		digits = append(digits, bytes.Join(bytes.Fields(line), nil)...)
	}
	b := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(b, digits); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return b
}

func FuzzOtherDecodersReadTheBatch(f *testing.F) {
	f.Add([]byte("a"), []byte(""), int64(1), int16(0), int32(0))
	f.Add(bytes.Repeat([]byte("flow"), 30_000), []byte{0, 1, 2}, int64(1)<<40, int16(32767), int32(1<<31-1))
	f.Fuzz(func(t *testing.T, a, b []byte, id int64, epoch int16, sequence int32) {
		in := []*message{{data: a}, {data: b}, {data: a}}
		for name, codec := range codecs {
			e := newEncoder(codec)
			for range 2 { // the second time with memory that has been used
				batch, err := e.encode(in, time.UnixMilli(4))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				checkValues(t, name, batch, in) // at rest it is a batch too
				if decoded, err := decode(batch); err != nil || !slices.EqualFunc(decoded, in, sameData) {
					t.Fatalf("%s: decoded %d messages (%v), want those that were encoded", name, len(decoded), err)
				}
				encoded := sent(identity{session: session{id: id, epoch: epoch, sequence: sequence}, sent: time.UnixMilli(5)}, batch)
				checkHeader(t, encoded, id, epoch, sequence)
				checkValues(t, name, encoded, in)
			}
		}
	})
}

func sameData(a, b *message) bool { return bytes.Equal(a.data, b.data) }

func checkHeader(t *testing.T, encoded []byte, id int64, epoch int16, sequence int32) {
	t.Helper()
	var h kmsg.RecordBatch
	if err := h.ReadFrom(encoded[sizeBytes:]); err != nil {
		t.Fatal(err)
	}
	if h.ProducerID != id || h.ProducerEpoch != epoch || h.FirstSequence != sequence || h.NumRecords != 3 || h.LastOffsetDelta != 2 {
		t.Errorf("franz-go reads %+v", h)
	}
}

func checkValues(t *testing.T, codec string, encoded []byte, want []*message) {
	t.Helper()
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(encoded)); err != nil {
		t.Fatalf("%s: kafka-go does not read it: %v", codec, err)
	}
	for i := 0; ; i++ {
		r, err := set.Records.ReadRecord()
		if errors.Is(err, io.EOF) && i == len(want) {
			return
		}
		if err != nil {
			t.Fatalf("%s: record %d: %v", codec, i, err)
		}
		value, err := protocol.ReadAll(r.Value)
		if err != nil || !bytes.Equal(value, want[i].data) || r.Key != nil || r.Offset != int64(i) {
			t.Fatalf("%s: record %d has offset %d, key %v, value %x (%v); want value %x", codec, i, r.Offset, r.Key, value, err, want[i].data)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	buffer := newBuffer(1<<30, 64<<10, newMeters(topic), func() bool { return true })
	w := &Writer{buffer: buffer, message: buffer.empty()}
	r := flow.Record{Type: 1, TimeReceived: 1_700_000_000, SamplingRate: 1000, Bytes: 1500, Packets: 1, SrcPort: 443, DstPort: 50000, Proto: 6, Etype: 0x86dd, SrcAS: 64512, DstAS: 4_200_000_000}
	b.ReportAllocs()
	for i := range b.N {
		w.Append(&r)
		if i%10_000 == 0 {
			if batch := takeAll(buffer); len(batch) > 0 {
				buffer.release(batch)
			}
		}
	}
}

func takeAll(b *buffer) []*message {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.waiting
	b.waiting = nil
	return batch
}

func BenchmarkEncodeBatch(b *testing.B) {
	var m message
	for i := range uint32(500) {
		r := flow.Record{Type: 1, TimeReceived: 1_700_000_000, SamplingRate: 1000, Bytes: uint64(i) * 7, Packets: 1, SrcPort: i * 31 % 65536, DstPort: 443, Proto: 6, SrcAS: 64512}
		m.data = r.AppendDelimited(m.data)
	}
	batch := []*message{&m, &m, &m, &m}
	for _, name := range []string{"none", "lz4", "zstd"} {
		b.Run(name, func(b *testing.B) {
			e := newEncoder(codecs[name])
			b.SetBytes(int64(4 * len(m.data)))
			b.ReportAllocs()
			for range b.N {
				if _, err := e.encode(batch, time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
