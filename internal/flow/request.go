package flow

import (
	"encoding/binary"
)

// Request is a request in the log of a web server: the flow of its response, and what
// only the log knows. Field for field it is a pb.FlowMessage. ASPath, Communities and
// tunnels of the flow are left out, so that it is no longer than MaxEncodedSize.
type Request struct {
	Record

	HTTPMethod, HTTPHost, HTTPPath string // at most MaxName bytes of each are encoded
	HTTPStatus                     uint32
	HTTPDuration                   uint64 // microseconds
	TLSVersion                     uint32

	encoded []byte
}

// AppendDelimited implements [Message].
func (r *Request) AppendDelimited(b []byte) []byte {
	r.ASPath, r.Communities, r.HasEncap, r.HasMPLS = nil, nil, false, false
	r.encoded = r.Record.AppendDelimited(r.encoded[:0])
	_, n := binary.Uvarint(r.encoded)
	at := len(r.encoded)
	r.encoded = appendText(r.encoded, 1101, r.HTTPMethod)
	r.encoded = appendText(r.encoded, 1102, r.HTTPHost)
	r.encoded = appendText(r.encoded, 1103, r.HTTPPath)
	r.encoded = appendNumber(r.encoded, 1104, uint64(r.HTTPStatus))
	r.encoded = appendNumber(r.encoded, 1105, r.HTTPDuration)
	r.encoded = appendNumber(r.encoded, 1106, uint64(r.TLSVersion))
	b = binary.AppendUvarint(b, uint64(len(r.encoded)-n))
	b = append(b, r.encoded[n:at]...)
	return append(b, r.encoded[at:]...)
}

func appendText(b []byte, number uint64, s string) []byte {
	if s == "" {
		return b
	}
	s = cut(s)
	b = binary.AppendUvarint(b, number<<3|wireBytes)
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendNumber(b []byte, number, value uint64) []byte {
	if value == 0 {
		return b
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, number<<3|wireVarint), value)
}
