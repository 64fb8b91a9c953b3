// Package clickhouse opens NetMeta's database and brings its schema up to date.
//
// Everything goes through ClickHouse's HTTP interface, so that the embedded
// engine and a server are the same to it.
package clickhouse

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Open returns a client of the ClickHouse HTTP interface at address, which is a
// HOST:PORT or a URL (http://user:password@host:8123/database). It does not
// connect yet.
func Open(address string) (*sql.DB, error) {
	options, err := parse(address)
	if err != nil {
		return nil, err
	}
	return clickhouse.OpenDB(options), nil
}

func parse(address string) (*clickhouse.Options, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		// The error of url.Parse repeats the address, password included.
		return nil, fmt.Errorf("ClickHouse address: not of the form http://user:password@host:port/database")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("ClickHouse address %s: scheme %q is not http or https (NetMeta uses ClickHouse's HTTP interface, port 8123)", u.Redacted(), u.Scheme)
	}
	options, err := clickhouse.ParseDSN(u.String())
	if err != nil {
		return nil, fmt.Errorf("ClickHouse address %s: %w", u.Redacted(), err)
	}
	options.DialTimeout = 10 * time.Second
	return options, nil
}
