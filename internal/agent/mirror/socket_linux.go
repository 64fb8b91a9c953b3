package mirror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/leoluk/NetMeta/internal/agent/privilege"
	"github.com/leoluk/NetMeta/internal/metrics"
)

const (
	blockSize  = 64 << 10
	frameSize  = 512 // says nothing in TPACKET_V3, but has to divide the block
	retireTime = 200 // milliseconds after which a block is handed over that is not full
)

var (
	records = metrics.Records.WithLabelValues(metrics.Mirror)
	drops   = metrics.AgentDrops.WithLabelValues(metrics.Mirror)

	badBlock = metrics.DecodeErrors.WithLabelValues(metrics.Mirror, "block")
)

// Options say what is sampled.
type Options struct {
	Interface   string
	Rate        uint32 // one packet in so many; 1: every packet
	Buffer      int    // bytes that are shared with the kernel
	Promiscuous bool   // also what is addressed to others, as on a mirror port
	// Fanout is the group of sockets that share the interface's packets by processor, of
	// which this is one; 0: it is the only one.
	Fanout uint16
}

// Socket is a packet socket. One goroutine uses it.
type Socket struct {
	options Options
	fd      int
	file    *os.File
	raw     syscall.RawConn
	ring    []byte
	blocks  int
	next    int // block that is filled next
	failure error
}

// Open begins to sample. It needs CAP_NET_RAW.
func Open(options Options) (*Socket, error) {
	s := &Socket{options: options, blocks: max(options.Buffer/blockSize, 2)}
	if err := s.open(); err != nil {
		s.Close()
		return nil, fmt.Errorf("sample packets at interface %q: %w", options.Interface, err)
	}
	return s, nil
}

func (s *Socket) open() error {
	device, err := net.InterfaceByName(s.options.Interface)
	if err != nil {
		return fmt.Errorf("%w: ip link lists those that there are", err)
	}
	// With protocol 0 it receives nothing before it is bound.
	if s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return explain(err)
	}
	s.file = os.NewFile(uintptr(s.fd), "packet socket")
	if s.raw, err = s.file.SyscallConn(); err != nil {
		return err
	}
	if err := s.attach(filter(s.options.Rate)); err != nil {
		return fmt.Errorf("attach the sampling filter: %w", err)
	}
	if err := s.share(); err != nil {
		return err
	}
	if s.options.Promiscuous {
		membership := unix.PacketMreq{Ifindex: int32(device.Index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &membership); err != nil {
			return fmt.Errorf("have the interface take packets for others: %w", err)
		}
	}
	everything := uint16(unix.ETH_P_ALL)
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: everything<<8 | everything>>8, Ifindex: device.Index}); err != nil {
		return err
	}
	if s.options.Fanout != 0 {
		group := int(s.options.Fanout) | unix.PACKET_FANOUT_CPU<<16
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, group); err != nil {
			return fmt.Errorf("share the interface's packets among sockets: %w", err)
		}
	}
	return nil
}

func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM) && !privilege.Has(unix.CAP_NET_RAW):
		return fmt.Errorf("%w: this needs the capability CAP_NET_RAW (run it as root, or with AmbientCapabilities=CAP_NET_RAW in the systemd unit)", err)
	case errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w: the kernel has no packet sockets: modprobe af_packet (a container takes it from its host)", err)
	}
	return err
}

func (s *Socket) attach(program []instruction) error {
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog)
}

// share sets up the memory that the kernel puts packets into.
func (s *Socket) share() error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("ask for TPACKET_V3: %w", err)
	}
	request := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: uint32(s.blocks), Frame_size: frameSize,
		Frame_nr: uint32(s.blocks * blockSize / frameSize), Retire_blk_tov: retireTime,
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("share %d bytes with the kernel: %w", s.blocks*blockSize, err)
	}
	var err error
	s.ring, err = unix.Mmap(s.fd, 0, s.blocks*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map %d bytes that are shared with the kernel: %w", s.blocks*blockSize, err)
	}
	return nil
}

// Close ends sampling.
func (s *Socket) Close() {
	if s.ring != nil {
		_ = unix.Munmap(s.ring) // fails only for what is not mapped
		s.ring = nil
	}
	if s.file != nil {
		s.file.Close()
	}
}

// Run hands blocks to d until ctx ends or the interface goes away, and then what the
// kernel has begun to fill; d emits between hold and release.
func (s *Socket) Run(ctx context.Context, d *Decoder, hold, release func()) error {
	defer context.AfterFunc(ctx, func() { _ = s.file.SetReadDeadline(time.Now()) })()
	defer s.count()
	for {
		err := s.raw.Read(s.ready)
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
			return s.finish(d, hold, release)
		}
		if err = errors.Join(err, s.failure); err != nil {
			return fmt.Errorf("sample packets at interface %q: %w", s.options.Interface, err)
		}
		s.takeAll(d, hold, release)
		s.count()
	}
}

func (s *Socket) takeAll(d *Decoder, hold, release func()) {
	hold()
	defer release()
	for s.take(d) {
	}
}

// finish has the kernel take no more packets, and reads what it has, which it hands over
// within retireTime.
func (s *Socket) finish(d *Decoder, hold, release func()) error {
	if err := s.attach(filter(0)); err != nil {
		return fmt.Errorf("end sampling at interface %q: %w", s.options.Interface, err)
	}
	if err := s.file.SetReadDeadline(time.Now().Add(2 * retireTime * time.Millisecond)); err != nil {
		return err
	}
	for {
		s.takeAll(d, hold, release)
		if err := s.raw.Read(s.ready); err != nil || s.failure != nil {
			return nil
		}
	}
}

// status is the word by which a block goes from the kernel to the agent and back.
func (s *Socket) status() *uint32 {
	const at = 8 // struct tpacket_block_desc: in front are version and offset_to_priv
	return (*uint32)(unsafe.Pointer(&s.ring[s.next*blockSize+at]))
}

// ready tells whether there is a block, or a failure.
func (s *Socket) ready(uintptr) bool {
	if atomic.LoadUint32(s.status())&unix.TP_STATUS_USER != 0 {
		return true
	}
	if code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		s.failure = errors.Join(err, syscall.Errno(code))
		return true
	}
	return false
}

// take reads the next block if there is one, and gives it back.
func (s *Socket) take(d *Decoder) bool {
	status := s.status()
	if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
		return false
	}
	at := s.next * blockSize
	frames, err := d.Block(s.ring[at:at+blockSize], time.Now())
	metrics.Add(records, frames)
	if err != nil {
		badBlock.Inc()
	}
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
	s.next = (s.next + 1) % s.blocks
	return true
}

// count asks the kernel what it has dropped, which it forgets then.
func (s *Socket) count() {
	if stats, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		metrics.Add(drops, int(stats.Drops))
	}
}
