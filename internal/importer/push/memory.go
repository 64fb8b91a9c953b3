package push

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// Memory is what all requests at a time may take: a request takes more of it as it is
// read and unpacked, and gives it back when its records are in Kafka. One that finds
// nothing left is told to come back: nobody waits for memory while holding some.
type Memory struct {
	free *atomic.Int64
	held int64 // of one request
}

// NewMemory returns so many bytes.
func NewMemory(bytes int64) *Memory {
	m := &Memory{free: &atomic.Int64{}}
	m.free.Store(bytes)
	return m
}

// share returns the part of one request, with nothing in it yet.
func (m *Memory) share() *Memory { return &Memory{free: m.free} }

var errMemory = fail(http.StatusServiceUnavailable, busy, "too much waits for Kafka: send it again later")

func (m *Memory) take(bytes int64) error {
	if m.free.Add(-bytes) < 0 {
		m.free.Add(bytes)
		return errMemory
	}
	m.held += bytes
	return nil
}

// give gives back all.
func (m *Memory) give() {
	m.free.Add(m.held)
	m.held = 0
}

// readStep is how much is asked for at a time.
const readStep = 64 << 10

// read reads all of r, which must not have more than limit bytes.
func (m *Memory) read(r io.Reader, limit int64, expected int64) ([]byte, error) {
	var buffer bytes.Buffer
	size := min(max(expected, 0), limit) + 1
	if err := m.take(size); err != nil {
		return nil, err
	}
	buffer.Grow(int(size))
	for {
		if buffer.Available() == 0 {
			// The buffer doubles, and for a moment there are both.
			step := max(int64(buffer.Len()), readStep)
			if err := m.take(step); err != nil {
				return nil, err
			}
			buffer.Grow(int(step))
		}
		n, err := r.Read(buffer.AvailableBuffer()[:buffer.Available()])
		buffer.Write(buffer.AvailableBuffer()[:n])
		if int64(buffer.Len()) > limit {
			return nil, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return buffer.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

var errTooLarge = errors.New("it is too large")

// unpack unpacks gzip.
func (m *Memory) unpack(packed []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return m.read(r, limit, min(4*int64(len(packed)), limit))
}

// read reads the body of a request.
func (s *Server) read(w http.ResponseWriter, r *http.Request, memory *Memory) ([]byte, error) {
	wire, unpacked := s.Endpoint.MaxBody()
	larger := fail(http.StatusRequestEntityTooLarge, tooLarge, "a request may have %d bytes, and %d unpacked", wire, unpacked)
	if r.ContentLength > wire {
		return nil, larger
	}
	body, err := memory.read(http.MaxBytesReader(w, r.Body, wire), wire, r.ContentLength)
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); {
	case err != nil:
	case encoding == "gzip":
		body, err = memory.unpack(body, unpacked)
	case encoding != "" && encoding != "identity":
		return nil, fail(http.StatusUnsupportedMediaType, malformed, "the body is encoded as %.40q: gzip is understood, or none", encoding)
	}
	var most *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, errTooLarge), errors.As(err, &most):
		return nil, larger
	case errors.As(err, new(*failure)):
		return nil, err
	}
	return nil, fail(http.StatusBadRequest, malformed, "the body cannot be read to its end: %v", err)
}
