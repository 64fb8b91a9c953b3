// Package access decides who may use the console: everybody on this machine, those
// who know the password, or those whom a proxy in front has let in.
package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Config says who may use the console. The zero value lets everybody in.
type Config struct {
	// Password lets in who knows it.
	Password *Password
	// Header is the name of the header in which a proxy says who somebody is, for
	// example X-Forwarded-User. It counts on connections from Proxies only.
	Header  string
	Proxies []netip.Prefix
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Restricted reports whether somebody is kept out.
func (c Config) Restricted() bool { return c.Password != nil || c.Header != "" }

// Check returns an error if address, HOST:PORT to listen on, can be reached from
// other machines while everybody would be let in, or if the header of a proxy could be
// sent by anybody.
func (c Config) Check(ctx context.Context, address string) error {
	switch {
	case c.Header != "" && len(c.Proxies) == 0:
		return errors.New("--console-trusted-header is of use with --console-trusted-proxies only, the addresses of the proxies that may send it")
	case c.Header == "" && len(c.Proxies) > 0 && c.Password == nil:
		return errors.New("--console-trusted-proxies needs --console-trusted-header, the name of the header with the user")
	case c.Restricted():
		return nil
	}
	beyond, err := beyondLoopback(ctx, address)
	if err != nil {
		return fmt.Errorf("--console %s: %w", address, err)
	}
	if beyond {
		return fmt.Errorf("--console %s can be reached from other machines: say who may use it with --console-password-file, or with --console-trusted-header and --console-trusted-proxies for a proxy in front that asks for a login", address)
	}
	return nil
}

func beyondLoopback(ctx context.Context, address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	if host == "" {
		return true, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(found, func(a netip.Addr) bool { return !a.Unmap().IsLoopback() }), nil
}

// ParseProxies reads addresses and networks in CIDR notation.
func ParseProxies(texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, fmt.Errorf("%q is not an address or a network such as 192.0.2.0/24", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

// peer is the address at the other end of the connection, without zone.
func peer(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

func (c Config) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(c.Proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// source is whose request it is: the peer, or for trusted proxies the last address
// that is not one of theirs, by what they add to X-Forwarded-For.
func (c Config) source(r *http.Request) netip.Addr {
	address := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && c.trusts(address); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap().WithZone("")
	}
	return address
}

// encrypted reports whether the browser speaks TLS, to this process or to a trusted
// proxy.
func (c Config) encrypted(r *http.Request) bool {
	return r.TLS != nil || c.trusts(peer(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
