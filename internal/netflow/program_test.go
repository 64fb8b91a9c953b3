package netflow

import (
	"math/rand/v2"
	"testing"

	"github.com/leoluk/NetMeta/internal/exporter"
	"github.com/leoluk/NetMeta/internal/flow"
)

// randomTemplate has up to 30 fields that are read, of any length that makes sense,
// half the time none that need a reset.
func randomTemplate(random *rand.Rand) (list []field) {
	plain := random.IntN(2) == 0
	for range 1 + random.IntN(30) {
		id := uint16(random.IntN(len(elements)))
		for elements[id].to == nil || plain && !isPlain(elements[id].part) {
			id = uint16(random.IntN(len(elements)))
		}
		length := uint16(1 + random.IntN(8))
		switch {
		case random.IntN(10) == 0:
			length = variable
		case elements[id].only != 0:
			length = uint16(elements[id].only)
		case random.IntN(4) == 0:
			length = []uint16{0, 4, 9, 16}[random.IntN(4)]
		}
		list = append(list, field{id, length})
	}
	return append(list, field{399, 4})
}

// randomRecord has zeros as often as other values: that is where something of the
// record before could remain.
func randomRecord(random *rand.Rand, fields []field) (record []byte) {
	for _, f := range fields {
		length := int(f.length)
		if f.length == variable {
			length = random.IntN(40)
			record = append(record, byte(length))
		}
		if f.id == 4 && length > 0 {
			record = append(append(record, zeros(length-1)...), []byte{0, 1, 6, 17, 58}[random.IntN(5)])
			continue
		}
		zero := random.IntN(2) == 0
		for range length {
			if zero {
				record = append(record, 0)
			} else {
				record = append(record, byte(random.Uint32()>>random.IntN(8)))
			}
		}
	}
	return record
}

// Records of a set are read over each other without a reset in between, so what is
// said of one must not remain for the next.
func TestRecordsAreTheSameAloneAndBehindOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		fields := randomTemplate(random)
		templates := ipfix10(set(2, template(256, fields...)))
		var together []byte
		var want []flow.Record
		for range 4 {
			record := randomRecord(random, fields)
			together = join(together, record)
			want = append(want, decodeAll(t, templates, ipfix10(set(256, record)))...)
		}
		got := decodeAll(t, templates, ipfix10(set(256, together)))
		equal(t, want, got)
		if t.Failed() {
			t.Fatalf("template %v", fields)
		}
	}
}

// The same value must be found at whatever place of a record it stands.
func TestValuesDoNotDependOnWhatSurroundsThem(t *testing.T) {
	for id, e := range elements {
		if e.to == nil {
			continue
		}
		length := uint16(4)
		if _, long := e.to(&values{}).(*[]byte); long || id == 27 || id == 28 || id == 62 || id == 63 || id == 281 || id == 282 {
			length = 16
		} else if e.only != 0 {
			length = uint16(e.only)
		}
		value := zeros(int(length))
		value[length-1], value[length-2] = 5, 1
		alone := decodeOne(t, ipfix10(set(2, template(256, field{uint16(id), length})), set(256, value)))
		for name, got := range map[string]flow.Record{
			"between others":     decodeOne(t, ipfix10(set(2, template(256, field{399, 3}, field{uint16(id), length}, field{400, 9})), set(256, zeros(3), value, zeros(9)))),
			"behind a variable":  decodeOne(t, ipfix10(set(2, template(256, field{399, variable}, field{uint16(id), length})), set(256, u8(2), u16(0xffff), value))),
			"of variable length": decodeOne(t, ipfix10(set(2, template(256, field{uint16(id), variable})), set(256, u8(uint8(length)), value))),
		} {
			if equal(t, alone, got); t.Failed() {
				t.Fatalf("%s %s", e.name, name)
			}
		}
	}
}

func TestCompiledTemplatesAreBounded(t *testing.T) {
	for name, first := range map[string]uint16{"of counters": 1, "of what is not read": 398} {
		t.Run(name, func(t *testing.T) {
			wide := make([]field, exporter.MaxFields)
			for i := range wide {
				wide[i] = field{first + uint16(i%2), 1}
			}
			c := newCollector(exporter.Config{})
			const most = maxCompiled / exporter.MaxFields
			for id := range uint16(3 * most) {
				if err := c.decode(ipfix10(set(2, template(256+id, wide...))), ipfix10(set(256+id, zeros(exporter.MaxFields)))); err != nil {
					t.Fatal(err)
				}
			}
			equal(t, 3*most, len(c.records))
			if c.compiled > maxCompiled || len(c.programs) > most {
				t.Errorf("%d programs with %d fields, want at most %d", len(c.programs), c.compiled, maxCompiled)
			}
		})
	}
}

func TestElementsThatAreSentTwiceCostNothing(t *testing.T) {
	r := decodeOne(t, ipfix10(set(2, template(256, field{1, 4}, field{1, 4}, field{1, 2}, field{8, 4}, field{8, 4})),
		set(256, u32(100), u32(200), u16(0), addr("198.51.100.7"), zeros(4))))
	equal(t, uint64(200), r.Bytes)
	equal(t, "198.51.100.7", r.SrcAddr.String())
}
