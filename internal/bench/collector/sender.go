//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// atOnce is how many datagrams one system call sends at most.
	atOnce = 32
	// catchUp is how much traffic a sender that was held up makes up for at once.
	// Receivers lose bursts, not averages.
	catchUp = time.Millisecond
	// pause is how long a sender sleeps when nothing is due.
	pause = 100 * time.Microsecond
)

// sender sends traffic to a collector, as one exporter.
type sender struct {
	traffic
	conn net.Conn
	raw  syscall.RawConn

	next     int    // in the cycle
	sequence uint32 // of the next datagram
	copies   [atOnce][]byte
	messages [atOnce]mmsghdr
	vectors  [atOnce]unix.Iovec
}

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

func newSender(t traffic, port int) (*sender, error) {
	conn, err := net.Dial("udp4", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		return nil, fmt.Errorf("open a socket towards the collector: %w", err)
	}
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("open a socket towards the collector: %w", err)
	}
	s := &sender{traffic: t, conn: conn, raw: raw}
	for i := range s.messages {
		s.copies[i] = make([]byte, 1<<16)
		s.vectors[i].Base = &s.copies[i][0]
		s.messages[i].header.Iov = &s.vectors[i]
		s.messages[i].header.SetIovlen(1)
	}
	return s, nil
}

func (s *sender) close() { s.conn.Close() }

// run sends at a rate of datagrams a second, for a time, and returns how many records
// it has sent. It always sends whole cycles, one at least.
func (s *sender) run(ctx context.Context, rate float64, duration time.Duration) (records int, err error) {
	runtime.LockOSThread() // so that the pauses are as short as asked for
	defer runtime.UnlockOSThread()
	cycles, credit, last := 0, 0.0, time.Now()
	for end := last.Add(duration); ctx.Err() == nil; {
		now := time.Now()
		if cycles > 0 && now.After(end) && s.next == 0 {
			return cycles * s.records, nil
		}
		credit = min(credit+rate*now.Sub(last).Seconds(), max(1, rate*catchUp.Seconds()))
		last = now
		if credit < 1 {
			rest := unix.NsecToTimespec(pause.Nanoseconds())
			_ = unix.Nanosleep(&rest, nil) // a signal may end it early, which does no harm
			continue
		}
		n, err := s.send(min(int(credit), atOnce, len(s.cycle)-s.next))
		if err != nil {
			return 0, fmt.Errorf("send a datagram to the collector: %w", err)
		}
		credit -= float64(n)
		if s.next == 0 {
			cycles++
		}
	}
	return 0, ctx.Err()
}

// send sends the next n datagrams of the cycle.
func (s *sender) send(n int) (int, error) {
	for i := range n {
		datagram := s.cycle[s.next+i]
		copy(s.copies[i], datagram)
		s.vectors[i].SetLen(len(datagram))
		s.number(s.copies[i])
	}
	done := 0
	for done < n {
		var errno syscall.Errno
		err := s.raw.Write(func(fd uintptr) bool {
			var sent uintptr
			sent, _, errno = unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.messages[done])), uintptr(n-done), 0, 0, 0)
			if errno == 0 {
				done += int(sent)
			}
			return errno != unix.EAGAIN
		})
		if err != nil {
			return done, err
		}
		if errno != 0 && errno != unix.EINTR {
			return done, errno
		}
	}
	s.next = (s.next + n) % len(s.cycle)
	return n, nil
}

// number puts the sequence number into a datagram that an exporter would have sent
// here: a collector that sees a loss with every datagram does other work than usual.
func (s *sender) number(datagram []byte) {
	switch s.protocol {
	case "sflow": // with an IPv4 agent address
		binary.BigEndian.PutUint32(datagram[16:], s.sequence)
		s.sequence++
	case "netflow9":
		binary.BigEndian.PutUint32(datagram[12:], s.sequence)
		s.sequence++
	case "ipfix": // counts data records, of which templates have none
		binary.BigEndian.PutUint32(datagram[8:], s.sequence)
		const dataSets = 256
		if binary.BigEndian.Uint16(datagram[16:]) >= dataSets {
			s.sequence += uint32(s.perDatagram() + 0.5)
		}
	}
}
