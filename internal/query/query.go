// Package query runs one statement over ClickHouse's HTTP interface and hands its
// output on as it comes, in any of ClickHouse's formats. While it runs, progress can
// be watched, and it can be stopped for certain. A server and the embedded engine are
// the same to it.
package query

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// Query is one statement.
type Query struct {
	SQL     string
	Format  string            // of the output, where the statement has no FORMAT clause
	Params  map[string]string // values of {name:Type} in the statement, in text form
	MaxTime time.Duration     // after which the server gives up; 0: as the server has it
	// Settings are those of ClickHouse that hold for this statement. A statement may
	// set them itself, as far as the server lets it.
	Settings map[string]string
}

// Client runs queries. Its methods may be called concurrently.
type Client struct {
	endpoint clickhouse.Endpoint
	http     *http.Client
}

// NewClient returns a client of endpoint. It does not connect yet.
func NewClient(endpoint clickhouse.Endpoint) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	transport.TLSClientConfig = endpoint.TLS
	transport.DisableCompression = true // of a result, the connection is rarely the slow part
	return &Client{endpoint: endpoint, http: &http.Client{Transport: transport}}
}

// Result is the output of a query. It must be closed.
type Result struct {
	io.Reader          // an exception that comes behind data is its error, of type *Error
	Format    string   // in which the output really is
	Progress  Progress // until its output began
	body      io.Closer
}

// Close ends the connection to the server.
func (r *Result) Close() error { return r.body.Close() }

// NewID makes an id for a query.
func NewID() string { return "netmeta-" + rand.Text() }

// paramEscaper writes a value the way ClickHouse parses parameters, which is as in a
// field of TabSeparated.
var paramEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)

// Run sends q under id and returns when its output begins. Cancelling ctx breaks the
// connection off, but a server goes on with the query: see Stop. What ClickHouse says
// against the query is an error of type *Error.
func (c *Client) Run(ctx context.Context, id string, q Query) (*Result, error) {
	params := c.endpoint.URL.Query()
	params.Set("query_id", id)
	params.Set("default_format", q.Format)
	for name, value := range q.Params {
		params.Set("param_"+name, paramEscaper.Replace(value))
	}
	for name, value := range q.Settings {
		params.Set(name, value)
	}
	if q.MaxTime > 0 {
		params.Set("max_execution_time", strconv.FormatFloat(q.MaxTime.Seconds(), 'f', -1, 64))
	}
	response, err := c.post(ctx, params, q.SQL)
	if err != nil {
		return nil, err
	}
	tag := response.Header.Get("X-ClickHouse-Exception-Tag")
	return &Result{
		Reader:   newExceptionReader(response.Body, tag),
		Format:   response.Header.Get("X-ClickHouse-Format"),
		Progress: parseSummary(response.Header.Get("X-ClickHouse-Summary")),
		body:     response.Body,
	}, nil
}

// post returns the answer to a statement, or its exception as an error.
func (c *Client) post(ctx context.Context, params url.Values, sql string) (*http.Response, error) {
	u := c.endpoint.URL
	u.RawQuery = params.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(sql))
	if err != nil {
		return nil, fmt.Errorf("ask ClickHouse at %s: %w", u.Host, err)
	}
	if c.endpoint.User != "" {
		request.Header.Set("X-ClickHouse-User", c.endpoint.User)
		request.Header.Set("X-ClickHouse-Key", c.endpoint.Password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	if response.StatusCode == http.StatusOK && response.Header.Get("X-ClickHouse-Exception-Code") == "" {
		return response, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read ClickHouse's answer, status %d: %w", response.StatusCode, err)
	}
	return nil, parseError(response.StatusCode, string(text))
}

// parseSummary reads the header in which ClickHouse says what a query has read until
// its output began. A header that is not there is nothing read.
func parseSummary(header string) (p Progress) {
	var summary struct {
		Rows  uint64 `json:"read_rows,string"`
		Bytes uint64 `json:"read_bytes,string"`
	}
	if json.Unmarshal([]byte(header), &summary) == nil {
		p.Rows, p.Bytes = summary.Rows, summary.Bytes
	}
	return p
}
