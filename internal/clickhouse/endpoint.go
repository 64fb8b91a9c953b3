package clickhouse

import (
	"crypto/tls"
	"fmt"
	"net/url"
)

// Endpoint is ClickHouse's HTTP interface as an address names it, for what
// clickhouse-go does not do: to pass a result on in another format than its own.
type Endpoint struct {
	URL            url.URL // with the database and the settings of the address as parameters, without user
	User, Password string  // empty: the server's default user
	TLS            *tls.Config
}

// ParseEndpoint reads an address of the form that Open takes.
func ParseEndpoint(address string) (Endpoint, error) {
	options, err := parse(address)
	if err != nil {
		return Endpoint{}, err
	}
	params := url.Values{}
	for name, value := range options.Settings {
		params.Set(name, fmt.Sprint(value))
	}
	if options.Auth.Database != "" {
		params.Set("database", options.Auth.Database)
	}
	u := url.URL{Scheme: "http", Host: options.Addr[0], Path: "/", RawQuery: params.Encode()}
	if options.TLS != nil {
		u.Scheme = "https"
	}
	return Endpoint{URL: u, User: options.Auth.Username, Password: options.Auth.Password, TLS: options.TLS}, nil
}
