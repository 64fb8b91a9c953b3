package conntrack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/agent/privilege"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// Groups of linux/netfilter/nfnetlink.h.
const (
	groupNew     = 1
	groupDestroy = 3
)

var (
	events = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_agent_conntrack_events_total",
		Help: "Connections that began (new) or ended (destroy), by what conntrack reported.",
	}, []string{"event"})
	missedEnds = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_agent_conntrack_missed_ends_total",
		Help: "Connections that are gone without that conntrack reported their end: what they carried since the last report is missing. They had begun before the agent was started, or netmeta_agent_overruns_total says why.",
	})
	notTracked = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_agent_conntrack_not_tracked_total",
		Help: "Connections for which the agent had no room among the million that it remembers: they are reported only at their end, without their start.",
	})
	tracking = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "netmeta_agent_conntrack_tracked",
		Help: "Connections that the agent remembers: those that have not ended.",
	})

	newEvents     = events.WithLabelValues("new")
	destroyEvents = events.WithLabelValues("destroy")

	records  = metrics.Records.WithLabelValues(metrics.Conntrack)
	overruns = metrics.AgentOverruns.WithLabelValues(metrics.Conntrack)

	badMessage   = metrics.DecodeErrors.WithLabelValues(metrics.Conntrack, "message")
	badHeader    = metrics.DecodeErrors.WithLabelValues(metrics.Conntrack, "header")
	badAttribute = metrics.DecodeErrors.WithLabelValues(metrics.Conntrack, "attribute")
	noTuple      = metrics.DecodeErrors.WithLabelValues(metrics.Conntrack, "addresses")
)

const (
	sysctlCounters   = "/proc/sys/net/netfilter/nf_conntrack_acct"
	sysctlTimestamps = "/proc/sys/net/netfilter/nf_conntrack_timestamp"
)

// idleRound is how often connections are gone over where long ones are not reported: to
// forget those whose end was missed.
const idleRound = time.Minute

// Source are the events of conntrack, and its table.
type Source struct {
	events, table *netlink.Socket
	tracker       *Tracker
	state         string

	connection Connection // reused for each message
	now        time.Time
}

// Enable has the kernel count packets and bytes of connections that begin from now on, and
// note when they began. It needs CAP_NET_ADMIN.
func Enable() error {
	for _, path := range []string{sysctlCounters, sysctlTimestamps} {
		if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil {
			return fmt.Errorf("have conntrack count: %w", explain(err))
		}
	}
	return nil
}

// Check says whether the kernel tracks connections, and counts what they carry.
func Check() error {
	value, err := os.ReadFile(sysctlCounters)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the kernel does not track connections: modprobe nf_conntrack (a container takes it from its host)")
	case err != nil:
		return err
	case strings.TrimSpace(string(value)) == "0":
		return errors.New("conntrack does not count packets and bytes: sysctl -w net.netfilter.nf_conntrack_acct=1 (in /etc/sysctl.d to keep it), or start the agent with --conntrack-enable; only connections that begin after that are counted")
	}
	return nil
}

// Open asks for the events of connections that begin and end, and for a receive buffer of
// so many bytes. With reliable, the kernel keeps connections that have ended until it
// could hand over their end. state is a file that outlives the process, "" for none. It
// needs CAP_NET_ADMIN.
func Open(tracker *Tracker, buffer int, reliable bool, state string) (*Source, error) {
	s := &Source{tracker: tracker, state: state}
	tracker.full = notTracked.Inc
	emit := tracker.emit
	tracker.emit = func(r *flow.Record) {
		records.Inc()
		emit(r)
	}
	var err error
	if s.events, err = netlink.Open(unix.NETLINK_NETFILTER, buffer); err != nil {
		return nil, fmt.Errorf("receive from conntrack: %w", err)
	}
	options := [][2]int{{unix.NETLINK_ADD_MEMBERSHIP, groupNew}, {unix.NETLINK_ADD_MEMBERSHIP, groupDestroy}}
	if reliable {
		options = append([][2]int{{unix.NETLINK_BROADCAST_ERROR, 1}}, options...)
	}
	for _, o := range options {
		if err := s.events.Option(o[0], o[1]); err != nil {
			s.Close()
			return nil, fmt.Errorf("receive from conntrack: %w", explain(err))
		}
	}
	if s.table, err = netlink.Open(unix.NETLINK_NETFILTER, buffer); err != nil {
		s.Close()
		return nil, fmt.Errorf("receive from conntrack: %w", err)
	}
	if err := s.begin(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// begin learns which connections there are, and what has been reported of them.
func (s *Source) begin() error {
	known := false
	if s.state != "" {
		var err error
		if known, err = s.tracker.Load(s.state); err != nil {
			slog.Warn("agent: connections that there are already are reported from now on", "error", err)
		}
	}
	each := s.tracker.Baseline
	if known {
		each = s.tracker.Update
	}
	if err := s.goOver(each); err != nil {
		return err
	}
	return s.save()
}

func (s *Source) save() error {
	if s.state == "" {
		return nil
	}
	return s.tracker.Save(s.state)
}

// explain says what to do about the kernel's refusal.
func explain(err error) error {
	switch {
	case (errors.Is(err, fs.ErrPermission)) && !privilege.Has(unix.CAP_NET_ADMIN):
		return fmt.Errorf("%w: this needs the capability CAP_NET_ADMIN (run it as root, or with AmbientCapabilities=CAP_NET_ADMIN in the systemd unit)", err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: the kernel has no events of conntrack: modprobe nf_conntrack_netlink (a container takes it from its host)", err)
	}
	return err
}

// Close ends a Run.
func (s *Source) Close() {
	s.events.Close()
	if s.table != nil {
		s.table.Close()
	}
}

// Run hands events to the tracker until ctx ends, which emits between hold and release.
func (s *Source) Run(ctx context.Context, hold, release func()) error {
	defer s.events.Interrupt(ctx)()
	sometimes := rate.Sometimes{First: 3, Interval: time.Minute}
	interval := s.tracker.Active
	if interval == 0 {
		interval = idleRound
	}
	next := time.Now().Add(interval)
	for {
		b, err := s.events.Receive(next)
		switch {
		case err == nil:
			hold()
			s.datagram(b)
			release()
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return s.save()
		case errors.Is(err, unix.ENOBUFS):
			overruns.Inc()
			sometimes.Do(func() {
				slog.Warn("agent: the kernel dropped events of connections, since the agent does not read fast enough: raise --socket-buffer, or use --conntrack-reliable")
			})
		case errors.Is(err, os.ErrDeadlineExceeded):
		default:
			return fmt.Errorf("receive from conntrack: %w", err)
		}
		if now := time.Now(); !now.Before(next) {
			next = now.Add(interval)
			hold()
			err := s.goOver(s.tracker.Update)
			release()
			if err = errors.Join(err, s.save()); err != nil {
				slog.Error("agent: connections that last long are not reported", "error", err)
			}
		}
	}
}

// goOver calls each for all connections that there are, and forgets those that are gone.
// No event is read meanwhile: one that is earlier than what is dumped could be taken for
// a later one.
func (s *Source) goOver(each func(*Connection, time.Time)) error {
	s.tracker.NextRound()
	s.now = time.Now()
	request := netlink.NewRequest(typeGet, netlink.Family(unix.AF_UNSPEC, 0))
	if err := s.table.Dump(request, func(m netlink.Message) {
		if m.Type == TypeNew && s.decode(m) {
			each(&s.connection, s.now)
		}
	}); err != nil {
		return fmt.Errorf("ask the kernel for its connections: %w", explain(err))
	}
	missedEnds.Add(float64(s.tracker.Sweep()))
	tracking.Set(float64(s.tracker.Tracked()))
	return nil
}

// datagram reads all events of one datagram.
func (s *Source) datagram(b []byte) {
	s.now = time.Now()
	for {
		m, rest, ok, err := netlink.Next(b)
		if err != nil {
			badMessage.Inc()
		}
		if !ok {
			return
		}
		b = rest
		switch {
		case m.Type != TypeNew && m.Type != TypeDelete || !s.decode(m):
		case m.Type == TypeNew:
			newEvents.Inc()
			s.tracker.Begin(&s.connection, s.now)
		default:
			destroyEvents.Inc()
			s.tracker.End(&s.connection, s.now)
		}
	}
}

func (s *Source) decode(m netlink.Message) bool {
	switch s.connection.Decode(m) {
	case nil:
		return true
	case ErrAttribute:
		badAttribute.Inc()
	case ErrTuple:
		noTuple.Inc()
	default:
		badHeader.Inc()
	}
	return false
}
