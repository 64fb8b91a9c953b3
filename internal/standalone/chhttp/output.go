package chhttp

import (
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// exceptionMark frames an exception that comes after the status was sent.
const exceptionMark = "__exception__"

// output is the body of a response, through the compression that was asked for.
type output struct {
	w    http.ResponseWriter
	http io.WriteCloser // Content-Encoding
	own  *compress.Writer
}

// newOutput prepares the body; nothing is sent before the first Write.
func newOutput(w http.ResponseWriter, q *request) (*output, error) {
	o := &output{w: w}
	if q.blocks {
		o.own = compress.NewWriter(compress.LevelZero, compress.LZ4)
	}
	var err error
	switch q.encoding {
	case "":
		return o, nil
	case "gzip":
		// Level 3 is the server's default.
		o.http, err = gzip.NewWriterLevel(w, 3)
	case "deflate":
		o.http, err = zlib.NewWriterLevel(w, 3)
	case "br":
		o.http = brotli.NewWriterLevel(w, 3)
	case "zstd":
		o.http, err = zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	}
	if err != nil {
		return nil, fmt.Errorf("compress the response with %s: %w", q.encoding, err)
	}
	w.Header().Set("Content-Encoding", q.encoding)
	return o, nil
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if o.own == nil {
		return o.raw(p)
	}
	if err := o.own.Compress(p); err != nil {
		return 0, fmt.Errorf("compress the response: %w", err)
	}
	if _, err := o.raw(o.own.Data); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (o *output) raw(p []byte) (int, error) {
	if o.http != nil {
		return o.http.Write(p)
	}
	return o.w.Write(p)
}

// Close ends the body.
func (o *output) Close() error {
	if o.http != nil {
		return o.http.Close()
	}
	return nil
}

// fail ends a body that was begun with an exception in the form in which clients
// look for it, and breaks the connection off, so that nobody takes the body for
// complete.
func (o *output) fail(text, tag string) {
	_, _ = fmt.Fprintf(rawWriter{o}, "\r\n%s\r\n%s\r\n%s\n%d %s\r\n%s\r\n", exceptionMark, tag, text, len(text)+1, tag, exceptionMark)
	_ = o.Close()
	_ = http.NewResponseController(o.w).Flush()
	panic(http.ErrAbortHandler)
}

type rawWriter struct{ *output }

func (r rawWriter) Write(p []byte) (int, error) { return r.raw(p) }

// newTag makes the random word that tells a genuine exception from data that
// looks like one; it is announced in a header.
func newTag() string { return rand.Text()[:16] }
