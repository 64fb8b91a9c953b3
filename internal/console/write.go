package console

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"
)

const (
	// maxRequest is the length of a request's body in bytes: a statement, or the
	// variables of a dashboard.
	maxRequest = 1 << 20
	// requestTimeout is how long sending it may take.
	requestTimeout = 30 * time.Second
	// compressFrom is the length of an answer in bytes that is worth compressing.
	compressFrom = 4 << 10
)

// readRequest reads the JSON of a request. If it cannot be read, it answers and
// returns false.
func readRequest(w http.ResponseWriter, r *http.Request, into any) bool {
	// Whoever sends slowly does not hold on to the connection. Not every kind of
	// ResponseWriter can do that, those of tests for example.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(requestTimeout))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(into)
	if err == nil {
		// Only when the whole body has been read does the server notice that a
		// browser goes away.
		_, err = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxRequest))
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		failure{status: http.StatusRequestEntityTooLarge, Kind: kindLimit, Error: "the request is longer than 1 MiB", Hint: "Make the statement shorter."}.write(w)
	default:
		badRequest("the request is not the JSON that is expected here: %v", err).write(w)
	}
	return false
}

// writeValue answers with the JSON of a value that always has one.
func writeValue(w http.ResponseWriter, r *http.Request, value any) {
	body, _ := json.Marshal(value)
	writeCompressed(w, r, body)
}

// writeCompressed answers with JSON, a large one compressed if the browser takes it.
func writeCompressed(w http.ResponseWriter, r *http.Request, body []byte) {
	if len(body) < compressFrom || !acceptsGzip(r) {
		writeJSON(w, http.StatusOK, body)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Encoding", "gzip")
	header.Set("Vary", "Accept-Encoding")
	zipped, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is one
	// A failed write means that the browser is gone.
	_, _ = zipped.Write(body)
	_ = zipped.Close()
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A failed write means that the browser is gone.
	_, _ = w.Write(body)
}

// who tells those who ask apart, so that each gets turns: by the address that the
// connection comes from.
func who(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
