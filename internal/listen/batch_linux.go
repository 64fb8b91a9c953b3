package listen

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams one system call reads at most. More make it no
	// cheaper (BenchmarkReceive).
	batchSize = 32
	// slotSize is the memory between the beginnings of two datagrams. Were it a
	// multiple of 4096, the first bytes of all would compete for the same few lines
	// of the processor's cache. Of a slot only what datagrams reach is ever touched.
	slotSize = maxDatagram + 1 + 9*64
)

// mmsghdr is the kernel's struct mmsghdr: a place for a datagram and, after the
// call, the length of the one that was put there.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// batch is the memory for recvmmsg. All that the kernel fills is made once, so that
// receiving allocates nothing; the same call of golang.org/x/net allocates an address
// for each datagram, which costs more than the batch saves.
type batch struct {
	received int
	messages [batchSize]mmsghdr
	vectors  [batchSize]unix.Iovec
	sources  [batchSize]unix.RawSockaddrInet6 // the longest address that UDP has
	slots    []byte
}

func (b *batch) init() {
	b.slots = make([]byte, batchSize*slotSize)
	for i := range b.messages {
		b.vectors[i].Base = &b.slots[i*slotSize]
		b.vectors[i].SetLen(maxDatagram)
		header := &b.messages[i].header
		header.Name = (*byte)(unsafe.Pointer(&b.sources[i]))
		header.Namelen = unix.SizeofSockaddrInet6
		header.Iov = &b.vectors[i]
		header.SetIovlen(1)
	}
}

// receive reads what is there, and fails with EAGAIN when there is nothing.
func (b *batch) receive(fd int) (n int, errno syscall.Errno) {
	for i := range b.received {
		b.messages[i].header.Namelen = unix.SizeofSockaddrInet6 // the kernel put the address's length there
	}
	b.received = 0
	read, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno == 0 {
		b.received = int(read)
	}
	return b.received, errno
}

// datagram returns the i-th datagram that was read.
func (b *batch) datagram(i int) []byte {
	return b.slots[i*slotSize:][:b.messages[i].length]
}

// source returns where the i-th datagram came from.
func (b *batch) source(i int) netip.AddrPort {
	from := &b.sources[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&from.Port))[:])
	if from.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(from)).Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(from.Addr).Unmap(), port)
}
