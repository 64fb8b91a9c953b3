package replay

import (
	"encoding/binary"
	"slices"
	"testing"
)

func netflow5(records int) []byte {
	b := make([]byte, netflow5Header+netflow5Record*records)
	binary.BigEndian.PutUint16(b, 5)
	binary.BigEndian.PutUint16(b[2:], uint16(records))
	return b
}

func netflow9(sets ...[]byte) []byte {
	b := make([]byte, netflow9Header)
	binary.BigEndian.PutUint16(b, 9)
	return append(b, slices.Concat(sets...)...)
}

func ipfix(length int) []byte {
	b := make([]byte, length)
	binary.BigEndian.PutUint16(b, 10)
	binary.BigEndian.PutUint16(b[2:], uint16(length))
	return b
}

func set(id uint16, length int) []byte {
	b := make([]byte, length)
	binary.BigEndian.PutUint16(b, id)
	binary.BigEndian.PutUint16(b[2:], uint16(length))
	return b
}

func TestPayloadFilesAreSplitIntoDatagrams(t *testing.T) {
	tests := []struct {
		name    string
		content []byte
		want    []int // lengths
	}{
		{"v5 by its count", slices.Concat(netflow5(2), netflow5(1)), []int{120, 72}},
		{"v5 with bytes behind the last record", append(netflow5(2), 1, 2, 3), []int{123}},
		{"v5 with a count that is too high", slices.Concat(netflow5(2)[:80], netflow5(1)), []int{152}},
		{"v9 by its flow sets", slices.Concat(netflow9(set(0, 40), set(256, 60)), netflow9(set(300, 8))), []int{120, 28}},
		{"v9 with zeros behind the last set", append(netflow9(set(0, 40)), make([]byte, 64)...), []int{124}},
		{"v9 whose last set is too long", netflow9(set(0, 40), set(256, 60)[:30]), []int{90}},
		{"v9 without sets", netflow9(), []int{20}},
		{"IPFIX by its length", slices.Concat(ipfix(40), ipfix(16), ipfix(100)), []int{40, 16, 100}},
		{"IPFIX whose length is too high", ipfix(100)[:60], []int{60}},
		{"IPFIX with another version behind it", slices.Concat(ipfix(40), netflow5(1)), []int{112}},
		{"IPFIX whose length is shorter than its header", append(ipfix(40)[:2], make([]byte, 38)...), []int{40}},
		{"sFlow is one datagram", slices.Concat(sflowPayload(60), sflowPayload(60)), []int{120}},
		{"something else is one datagram", []byte{1, 2, 3}, []int{3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			datagrams := Split(test.content)
			var lengths []int
			for _, d := range datagrams {
				lengths = append(lengths, len(d))
			}
			if !slices.Equal(lengths, test.want) {
				t.Errorf("datagrams of %v bytes, want %v", lengths, test.want)
			}
			if !slices.Equal(slices.Concat(datagrams...), test.content) {
				t.Error("the datagrams are not the file")
			}
		})
	}
}

func TestProtocolsAreToldByTheirVersion(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    Protocol
	}{
		{"sFlow", []byte{0, 0, 0, 5, 0}, SFlow},
		{"NetFlow v5", netflow5(1), NetFlow5},
		{"NetFlow v9", netflow9(), NetFlow9},
		{"IPFIX", ipfix(16), IPFIX},
		{"sFlow of another version", []byte{0, 0, 0, 4, 0}, Other},
		{"NetFlow v1", []byte{0, 1, 0, 4}, Other},
		{"too short", []byte{0}, Other},
		{"nothing", nil, Other},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Detect(test.payload); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func FuzzSplitKeepsEveryByte(f *testing.F) {
	f.Add(slices.Concat(netflow5(2), netflow5(1)))
	f.Add(netflow9(set(0, 40), set(256, 60)))
	f.Add(slices.Concat(ipfix(40), ipfix(16)))
	f.Fuzz(func(t *testing.T, content []byte) {
		datagrams := Split(content)
		if !slices.Equal(slices.Concat(datagrams...), content) {
			t.Errorf("% x was split into %d datagrams that are not it", content, len(datagrams))
		}
	})
}
