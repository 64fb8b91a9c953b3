package names

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/settings"
)

var dnsQueries = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_names_dns_queries_total",
	Help: "Questions to the DNS for names of hosts, by outcome: named, nameless or failed. What failed is asked again after ten minutes.",
}, []string{"outcome"})

const (
	dnsTimeout   = 5 * time.Second
	dnsAtOnce    = 16
	dnsWaiting   = 1_000            // addresses that are asked for at a time, or wait for it
	dnsRetry     = 10 * time.Minute // after a failure
	maxDNSHosts  = 100_000
	dnsLookEvery = 30 * time.Second
)

// dnsAnswer is what the DNS says of an address.
type dnsAnswer struct {
	address netip.Addr
	name    string
	err     error // it could not be asked
}

// reverse asks the DNS, where the settings say so.
type reverse struct {
	limit   *rate.Limiter
	slots   chan struct{}
	answers chan dnsAnswer
	asked   map[netip.Addr]time.Time // when it is asked again
	looked  time.Time
	failing bool // which is logged once
}

func newReverse() reverse {
	return reverse{
		limit: rate.NewLimiter(0, 1), slots: make(chan struct{}, dnsAtOnce), answers: make(chan dnsAnswer, dnsWaiting),
		asked: map[netip.Addr]time.Time{},
	}
}

// resolve asks for the names of addresses that flows of the last minutes mention, busiest
// first, as fast as the settings allow. No question waits for another.
func (s *Service) resolve(ctx context.Context, now time.Time) error {
	d := s.settings.ReverseDNS
	if d == nil || now.Sub(s.reverse.looked) < dnsLookEvery {
		return nil
	}
	s.reverse.looked = now
	s.reverse.limit.SetLimit(rate.Limit(d.QueriesPerSecond))
	for address, again := range s.reverse.asked {
		if now.After(again) {
			delete(s.reverse.asked, address)
		}
	}
	for address, host := range s.hosts {
		if now.Unix()-host.updated > int64((7 * d.Lifetime).Seconds()) {
			delete(s.hosts, address)
		}
	}
	wanted, err := s.seenHosts(ctx, d)
	if err != nil {
		return fmt.Errorf("read which hosts flows mention: %w", err)
	}
	for _, address := range wanted {
		if _, ok := s.reverse.asked[address]; ok || len(s.reverse.asked) >= maxDNSHosts {
			continue
		}
		if host, ok := s.hosts[address]; ok && now.Unix()-host.updated < int64(d.Lifetime.Seconds()) {
			continue // it was known before the program started
		}
		// As long as its answer has not come, it is not asked again.
		s.reverse.asked[address] = now.Add(d.Lifetime)
		go s.reverse.ask(ctx, s.config.resolver(), address)
	}
	return nil
}

// resolver is the DNS that is asked.
func (c Config) resolver() *net.Resolver {
	if c.Resolver != nil {
		return c.Resolver
	}
	return net.DefaultResolver
}

func (r *reverse) ask(ctx context.Context, dns *net.Resolver, address netip.Addr) {
	if err := r.limit.Wait(ctx); err != nil {
		return
	}
	r.slots <- struct{}{}
	asking, cancel := context.WithTimeout(ctx, dnsTimeout)
	found, err := dns.LookupAddr(asking, address.String())
	cancel()
	<-r.slots
	answer := dnsAnswer{address: address, err: err}
	if missing := (*net.DNSError)(nil); errors.As(err, &missing) && missing.IsNotFound {
		answer.err = nil
	}
	if len(found) > 0 {
		answer.name = clean(strings.TrimSuffix(found[0], "."))
	}
	select {
	case r.answers <- answer:
	case <-ctx.Done():
	}
}

// takeNames notes what the DNS has said since the last time.
func (s *Service) takeNames(now time.Time) {
	for {
		select {
		case got := <-s.reverse.answers:
			s.takeName(got, now)
		default:
			return
		}
	}
}

func (s *Service) takeName(got dnsAnswer, now time.Time) {
	switch {
	case got.err != nil:
		dnsQueries.WithLabelValues("failed").Inc()
		s.reverse.asked[got.address] = now.Add(dnsRetry)
		if !s.reverse.failing {
			slog.Warn("names: the DNS does not say the name of a host; names that are known stay", "host", got.address, "error", got.err)
		}
		s.reverse.failing = true
		return
	case got.name == "":
		dnsQueries.WithLabelValues("nameless").Inc()
		delete(s.hosts, got.address)
	default:
		dnsQueries.WithLabelValues("named").Inc()
		if len(s.hosts) < maxDNSHosts {
			s.hosts[got.address] = learnedHost{got.name, now.Unix()}
		}
	}
	s.reverse.failing = false
}

// seenHosts are the addresses in the networks whose names are asked for.
func (s *Service) seenHosts(ctx context.Context, d *settings.ReverseDNS) (addresses []netip.Addr, err error) {
	var within []string
	for _, network := range d.Networks {
		within = append(within, "isInNetwork(address, '"+network.String()+"')")
	}
	err = each(ctx, s.config.DB, fmt.Sprintf(`
		SELECT toString(address)
		FROM
		(
		    SELECT arrayJoin([SrcAddr, DstAddr]) AS address, Bytes
		    FROM flows_raw
		    WHERE TimeReceived > now() - INTERVAL 2 MINUTE
		)
		WHERE %s
		GROUP BY address
		ORDER BY sum(Bytes) DESC
		LIMIT %d`, strings.Join(within, " OR "), dnsWaiting), func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		if a, err := netip.ParseAddr(text); err == nil {
			addresses = append(addresses, a.Unmap())
		}
		return nil
	})
	return addresses, err
}
