package nflog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/agent/privilege"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/pb"
)

// Of linux/netfilter/nfnetlink_log.h: NFULNL_MSG_CONFIG and enum nfulnl_attr_config.
const (
	typeConfig = 4<<8 | 1

	configCommand   = 1
	configMode      = 2
	configBuffer    = 3
	configTimeout   = 4
	configThreshold = 5
	configFlags     = 6

	commandBind   = 1
	commandUnbind = 2
	copyPacket    = 2
	flagSequence  = 1
)

// What the kernel may collect before it hands it over: so many packets or bytes, for so
// long at most.
const (
	threshold    = 64
	kernelBuffer = 64 << 10
	kernelWait   = 20 // hundredths of a second

	// snapLength has room for headers with options, and for those in a tunnel.
	snapLength = 160
)

var (
	records      = metrics.Records.WithLabelValues(metrics.NFLOG)
	unknownRates = metrics.UnknownRates.WithLabelValues(metrics.NFLOG)
	drops        = metrics.AgentDrops.WithLabelValues(metrics.NFLOG)
	overruns     = metrics.AgentOverruns.WithLabelValues(metrics.NFLOG)

	badMessage   = metrics.DecodeErrors.WithLabelValues(metrics.NFLOG, "message")
	badHeader    = metrics.DecodeErrors.WithLabelValues(metrics.NFLOG, "header")
	badAttribute = metrics.DecodeErrors.WithLabelValues(metrics.NFLOG, "attribute")
	noPacket     = metrics.DecodeErrors.WithLabelValues(metrics.NFLOG, "no_packet")
)

// Source is a group that packets are received from.
type Source struct {
	group  uint16
	socket *netlink.Socket
}

// Open binds a group, which belongs to one process at a time, and asks for a receive
// buffer of so many bytes. It needs CAP_NET_ADMIN.
func Open(group uint16, buffer int) (*Source, error) {
	socket, err := netlink.Open(unix.NETLINK_NETFILTER, buffer)
	if err != nil {
		return nil, fmt.Errorf("receive from nflog group %d: %w", group, err)
	}
	s := &Source{group, socket}
	for _, request := range s.requests() {
		if err := socket.Do(request, nil); err != nil {
			socket.Close()
			return nil, fmt.Errorf("receive from nflog group %d: %w", group, explain(err, group))
		}
	}
	return s, nil
}

func (s *Source) requests() []*netlink.Request {
	config := func(attribute uint16, value ...byte) *netlink.Request {
		return netlink.NewRequest(typeConfig, netlink.Family(unix.AF_UNSPEC, s.group)).Add(attribute, value...)
	}
	return []*netlink.Request{
		config(configCommand, commandBind),
		config(configMode, append(netlink.Uint32(snapLength), copyPacket, 0)...),
		config(configBuffer, netlink.Uint32(kernelBuffer)...),
		config(configTimeout, netlink.Uint32(kernelWait)...),
		config(configThreshold, netlink.Uint32(threshold)...),
		config(configFlags, netlink.Uint16(flagSequence)...),
	}
}

// explain says what to do about the kernel's refusal to bind a group.
func explain(err error, group uint16) error {
	switch {
	case errors.Is(err, unix.EPERM) && !privilege.Has(unix.CAP_NET_ADMIN):
		return fmt.Errorf("%w: this needs the capability CAP_NET_ADMIN (run it as root, or with AmbientCapabilities=CAP_NET_ADMIN in the systemd unit)", err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EBUSY):
		return fmt.Errorf("the group is in use by another process: end that (another agent? ulogd?), or take another group here and in the rules; /proc/net/netfilter/nfnetlink_log lists those in use")
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPROTONOSUPPORT):
		return fmt.Errorf("%w: the kernel has no NFLOG: modprobe nfnetlink_log (a container takes it from its host)", err)
	}
	return err
}

// Close gives the group up.
func (s *Source) Close() error { return s.socket.Close() }

// Run hands the group's packets to d until ctx ends, and then those that the kernel still
// has; d emits between hold and release.
func (s *Source) Run(ctx context.Context, d *Decoder, hold, release func()) error {
	defer s.socket.Interrupt(ctx)()
	sometimes := rate.Sometimes{First: 3, Interval: time.Minute}
	for {
		b, err := s.socket.Receive(time.Time{})
		switch {
		case errors.Is(err, unix.ENOBUFS):
			overruns.Inc()
			sometimes.Do(func() {
				slog.Warn("agent: the kernel dropped sampled packets, since the agent does not read fast enough: raise --socket-buffer, or sample one in more packets", "group", s.group)
			})
			continue
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return s.unbind(d, hold, release)
		case err != nil:
			return fmt.Errorf("receive from nflog group %d: %w", s.group, err)
		}
		hold()
		d.datagram(b, time.Now())
		release()
	}
}

// unbind gives the group up, at which the kernel hands over what it had collected.
func (s *Source) unbind(d *Decoder, hold, release func()) error {
	request := netlink.NewRequest(typeConfig, netlink.Family(unix.AF_UNSPEC, s.group)).Add(configCommand, commandUnbind)
	hold()
	defer release()
	var last tally
	err := s.socket.Do(request, func(m netlink.Message) { d.message(m, time.Now(), &last) })
	last.publish()
	if err != nil {
		return fmt.Errorf("give up nflog group %d: %w", s.group, err)
	}
	return nil
}

// tally counts what is in one datagram.
type tally struct{ read, unrated, missing int }

func (t *tally) publish() {
	metrics.Add(records, t.read)
	metrics.Add(unknownRates, t.unrated)
	metrics.Add(drops, t.missing)
}

// datagram reads all messages of one datagram, and counts them.
func (d *Decoder) datagram(b []byte, received time.Time) {
	var counted tally
	defer counted.publish()
	for {
		m, rest, ok, err := netlink.Next(b)
		if err != nil {
			badMessage.Inc()
		}
		if !ok {
			return
		}
		b = rest
		d.message(m, received, &counted)
	}
}

func (d *Decoder) message(m netlink.Message, received time.Time, counted *tally) {
	if m.Type != TypePacket {
		return
	}
	gap, err := d.Decode(m, received)
	counted.missing += int(gap)
	if err != nil {
		count(err)
		return
	}
	counted.read++
	if d.record.SamplingRateSource == pb.FlowMessage_RATE_UNKNOWN {
		counted.unrated++
	}
}

func count(err error) {
	switch err {
	case ErrAttribute:
		badAttribute.Inc()
	case ErrPayload:
		noPacket.Inc()
	default:
		badHeader.Inc()
	}
}
