package chhttp

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	chgo "github.com/ClickHouse/ch-go/proto"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// request is what an HTTP request asks of the engine.
type request struct {
	query chdb.Query
	id    string
	// format is the one that the output will have, as far as the text tells.
	format string
	// revision is the protocol version at which the client wants Native blocks,
	// 0 for the plain format.
	revision uint64
	// blocks says that the client wants the output in ClickHouse's own compressed
	// frames (compress=1).
	blocks bool
	// encoding is the Content-Encoding of the output, "" for none.
	encoding string
	// wait says that the output is to be complete before the status is sent.
	wait bool
}

// notSettings are the URL parameters that ClickHouse gives a meaning of their own.
// Sessions are accepted and not kept: each query stands for itself.
var notSettings = map[string]bool{
	"": true, "query": true, "database": true, "default_format": true, "query_id": true,
	"user": true, "password": true, "quota_key": true, "role": true,
	"compress": true, "decompress": true, "client_protocol_version": true,
	"enable_http_compression": true, "http_zlib_compression_level": true,
	"buffer_size": true, "wait_end_of_query": true, "stacktrace": true,
	"session_id": true, "session_timeout": true, "session_check": true, "close_session": true,
}

// parseRequest reads r, whose body may have at most limit bytes, also after
// decompression. Errors are of type *chdb.Error.
func parseRequest(r *http.Request, limit int64) (*request, error) {
	// A semicolon separates nothing here, but ends many a query.
	params, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return nil, badArguments("parse the URL's parameters: %v", err)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, &chdb.Error{Code: codeNotImplemented, Message: "External tables (multipart/form-data) are not supported. (NOT_IMPLEMENTED)"}
	}
	body, err := readBody(r, limit, isOn(params.Get("decompress")))
	if err != nil {
		return nil, err
	}
	q := &request{
		query: chdb.Query{
			SQL:      body,
			Database: first(r.Header.Get("X-ClickHouse-Database"), params.Get("database")),
			Format:   first(r.Header.Get("X-ClickHouse-Format"), params.Get("default_format"), "TabSeparated"),
			Settings: map[string]string{},
			Params:   map[string]string{},
		},
		id:     first(params.Get("query_id"), r.Header.Get("X-ClickHouse-Query-Id"), newID()),
		blocks: isOn(params.Get("compress")),
		wait:   isOn(params.Get("wait_end_of_query")),
	}
	q.query.ID = q.id
	if text := params.Get("query"); text != "" {
		q.query.SQL = append([]byte(text+"\n"), body...)
	}
	if version := params.Get("client_protocol_version"); version != "" {
		if q.revision, err = strconv.ParseUint(version, 10, 32); err != nil {
			return nil, badArguments("client_protocol_version %q: not a number", version)
		}
	}
	for name, values := range params {
		value := values[len(values)-1]
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			q.query.Params[param] = value
		} else if !notSettings[name] {
			q.query.Settings[name] = value
		}
	}
	q.format, _ = q.query.OutputFormat()
	if enabled := params.Get("enable_http_compression"); enabled == "" || isOn(enabled) {
		q.encoding = chooseEncoding(r.Header.Get("Accept-Encoding"))
	}
	return q, nil
}

// readBody returns the whole body without its Content-Encoding and, if frames is
// set, without ClickHouse's own compressed frames.
func readBody(r *http.Request, limit int64, frames bool) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(nil, r.Body, limit)
	var err error
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	case "zstd":
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(body, zstd.WithDecoderMaxMemory(uint64(limit))); err == nil {
			defer decoder.Close()
			body = decoder
		}
	default:
		return nil, &chdb.Error{Code: codeNotImplemented, Message: fmt.Sprintf("Unknown compression method of the request: %q. (NOT_IMPLEMENTED)", encoding)}
	}
	if err != nil {
		return nil, badBody(err)
	}
	if frames {
		reader := chgo.NewReader(body)
		reader.EnableCompression()
		body = reader
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(body, limit+1))
	if n > limit {
		return nil, &chdb.Error{Code: codeQueryTooLarge, Message: fmt.Sprintf("The request has more than %d bytes. (QUERY_IS_TOO_LARGE)", limit)}
	}
	// The reader of frames wraps the io.EOF that ends a body.
	if err != nil && (!errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return nil, badBody(err)
	}
	return out.Bytes(), nil
}

func badBody(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &chdb.Error{Code: codeQueryTooLarge, Message: err.Error() + ". (QUERY_IS_TOO_LARGE)"}
	}
	return badArguments("read the request's body: %v", err)
}

func badArguments(format string, args ...any) error {
	return &chdb.Error{Code: chdb.CodeBadArguments, Message: fmt.Sprintf(format, args...) + ". (BAD_ARGUMENTS)"}
}

// chooseEncoding picks what both sides know, the best one first.
func chooseEncoding(accept string) string {
	for _, known := range []string{"zstd", "br", "gzip", "deflate"} {
		for offered := range strings.SplitSeq(accept, ",") {
			name, quality, _ := strings.Cut(strings.TrimSpace(offered), ";")
			if strings.TrimSpace(name) == known && !refused(quality) {
				return known
			}
		}
	}
	return ""
}

// refused tells whether the parameters of an offered encoding say q=0.
func refused(parameters string) bool {
	value, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
	quality, err := strconv.ParseFloat(value, 64)
	return ok && err == nil && quality == 0
}

func isOn(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// newID makes a query id of the form that ClickHouse's have, a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
