package generate

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// announceEvery is after how many datagrams, and announceAfter after how many
// milliseconds, templates and sampling rates are sent again.
const (
	announceEvery = 500
	announceAfter = 10_000
)

// uptime is how long an exporter has been running when it sends its first datagram.
const uptime = 36 * time.Hour

// exporter is one synthetic exporter with its socket.
type exporter struct {
	profile profile
	traffic *traffic
	encoder encoder
	conn    io.WriteCloser

	perDatagram int // records after which a datagram is sent though there is room
	pending     Totals
	sent        Totals
	datagrams   uint64
	refused     uint64

	announced      int64 // when, in Unix milliseconds
	sinceAnnounced int   // datagrams

	next observation
}

// dialer opens the socket of an exporter: local is the address to send from, or the
// zero Addr where any will do.
type dialer func(local netip.Addr) (net.Conn, error)

// dialUDP returns a dialer to a resolved address.
func dialUDP(to netip.AddrPort) dialer {
	return func(local netip.Addr) (net.Conn, error) {
		from := (*net.UDPAddr)(nil)
		if local.IsValid() {
			from = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		}
		conn, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(to))
		if err != nil && local.IsValid() {
			return nil, fmt.Errorf("open a socket of exporter %s towards %s: %w", local, to, err)
		}
		if err != nil {
			return nil, fmt.Errorf("open a socket towards %s: %w", to, err)
		}
		return conn, nil
	}
}

// resolve looks up HOST:PORT; of several addresses it takes an IPv4 one.
func resolve(to string) (netip.AddrPort, error) {
	found, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("collector address %q: %w", to, err)
	}
	if found.IP == nil {
		return netip.AddrPort{}, fmt.Errorf("collector address %q: no host", to)
	}
	address := found.AddrPort()
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), nil
}

// sourceAddress returns the address from which the index-th NetFlow exporter sends: one
// of its own in 127.0.0.0/8 when the collector is there too, else the zero Addr, with
// which exporters share the address of the host.
func sourceAddress(to netip.Addr, index int) netip.Addr {
	if !to.Is4() || !to.IsLoopback() {
		return netip.Addr{}
	}
	n := uint32(index + 1)
	return netip.AddrFrom4([4]byte{127, byte(n >> 16), byte(n >> 8), byte(n)})
}

// open connects e, which then knows its address if it is a NetFlow exporter.
func (e *exporter) open(dial dialer, to netip.Addr, index int, boot int64) error {
	local := netip.Addr{}
	if e.profile.protocol != SFlow {
		local = sourceAddress(to, index)
	}
	conn, err := dial(local)
	if err != nil {
		return err
	}
	e.conn = conn
	if e.profile.protocol != SFlow {
		own, err := netip.ParseAddrPort(conn.LocalAddr().String())
		if err != nil {
			return fmt.Errorf("read the address of exporter %d: %w", index+1, errors.Join(err, conn.Close()))
		}
		e.profile.address = own.Addr().Unmap()
	}
	e.sent.Address = e.profile.address
	e.encoder = e.profile.encoder(boot)
	return nil
}

// step draws one record, which ends at now, and sends the datagram when it is full.
func (e *exporter) step(now int64) error {
	e.traffic.draw(&e.next)
	e.profile.conform(&e.next)
	e.encoder.add(&e.next, now)
	e.pending.count(&e.next)
	if e.encoder.room() && e.pending.Records < uint64(e.perDatagram) {
		return nil
	}
	return e.flush(now)
}

// flush sends what has been added, after templates if they are due.
func (e *exporter) flush(now int64) error {
	if e.pending.Records == 0 {
		return nil
	}
	// The datagram is completed after the announcement, so that sequence numbers rise.
	if err := e.announce(now); err != nil {
		return err
	}
	if err := e.send(e.encoder.datagram(now)); err != nil {
		return err
	}
	e.sent.add(e.pending)
	e.pending = Totals{}
	return nil
}

func (e *exporter) announce(now int64) error {
	due := e.announced == 0 || e.sinceAnnounced >= announceEvery || now-e.announced >= announceAfter
	if !due {
		return nil
	}
	announcement := e.encoder.announcement(now)
	if announcement == nil {
		return nil
	}
	e.announced, e.sinceAnnounced = now, 0
	return e.send(announcement)
}

// send writes one datagram. That nobody listens is no error: a collector that restarts
// misses datagrams of real exporters too. The kernel tells of it at the write after the
// one that was refused, without sending, so that one is tried once more.
func (e *exporter) send(datagram []byte) error {
	_, err := e.conn.Write(datagram)
	if errors.Is(err, syscall.ECONNREFUSED) {
		e.refused++
		_, err = e.conn.Write(datagram)
	}
	if err != nil {
		return fmt.Errorf("send a datagram of exporter %s: %w", e.profile.address, err)
	}
	e.datagrams++
	e.sinceAnnounced++
	return nil
}
