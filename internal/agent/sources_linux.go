package agent

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/leoluk/NetMeta/internal/agent/conntrack"
	"github.com/leoluk/NetMeta/internal/agent/links"
	"github.com/leoluk/NetMeta/internal/agent/mirror"
	"github.com/leoluk/NetMeta/internal/agent/nflog"
	"github.com/leoluk/NetMeta/internal/agent/rules"
	"github.com/leoluk/NetMeta/internal/collect"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/pb"
)

func (a *Agent) startNFLOG() error {
	for _, group := range a.config.NFLOG {
		writer := a.outputs.Flows()
		if err := a.start(sourceName("nflog", group), func() (source, error) {
			s, err := nflog.Open(group, a.config.Buffer)
			if err != nil {
				return source{}, err
			}
			config := nflog.Config{Rate: a.nflogRate(group), UserName: userName}
			decoder := nflog.NewDecoder(config, a.base, func(r *flow.Record) { writer.Append(r) })
			run := func(ctx context.Context) error { return s.Run(ctx, decoder, writer.Hold, writer.Release) }
			return source{run, func() { s.Close() }}, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// detectTimeout is for the tools that list rules.
const detectTimeout = 10 * time.Second

// nflogRate is that of the flag, else of the rules that log to the group as far as their
// prefix does not say it.
func (a *Agent) nflogRate(group uint16) nflog.Rate {
	if a.config.NFLOGRate > 0 {
		return nflog.Rate{Packets: uint64(a.config.NFLOGRate), Source: pb.FlowMessage_RATE_CONFIGURED}
	}
	ctx, cancel := context.WithTimeout(a.ctx, detectTimeout)
	defer cancel()
	found, err := rules.Detect(ctx, group)
	var rate uint64
	if err == nil {
		rate, err = rules.Rate(found)
	}
	switch {
	case err != nil:
		slog.Warn("agent: the sampling rate of the rules is not known: give --nflog-rate, unless they have it in their prefix, as those of netmeta agent rules do", "group", group, "error", err)
	case len(found) == 0:
		slog.Warn("agent: no rule logs to this group yet: netmeta agent rules prints some, and installs them", "group", group)
	case rate > 0:
		slog.Info("agent: found the sampling rate of the rules", "group", group, "rate", rate)
	}
	return nflog.Rate{Packets: rate, Source: pb.FlowMessage_RATE_CONFIGURED}
}

func userName(uid uint32) string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}

func (a *Agent) startConntrack() error {
	if !a.config.Conntrack {
		return nil
	}
	if a.config.ConntrackEnable {
		if err := conntrack.Enable(); err != nil {
			return err
		}
	}
	if err := conntrack.Check(); err != nil {
		return err
	}
	addresses := newAddresses()
	a.running.Go(func() { addresses.keep(a.ctx) })
	writer := a.outputs.Flows()
	return a.start("conntrack", func() (source, error) {
		tracker := conntrack.NewTracker(a.base, func(r *flow.Record) { writer.Append(r) })
		tracker.Starts, tracker.Active, tracker.Local = a.config.ConntrackStarts, a.config.ConntrackActive, addresses.local
		s, err := conntrack.Open(tracker, a.config.Buffer, a.config.ConntrackReliable, a.config.ConntrackState)
		if err != nil {
			return source{}, err
		}
		return source{func(ctx context.Context) error { return s.Run(ctx, writer.Hold, writer.Release) }, s.Close}, nil
	})
}

func (a *Agent) startMirror() error {
	for _, name := range a.config.Mirror {
		options := mirror.Options{
			Interface: name, Rate: a.config.MirrorRate, Buffer: a.config.Buffer, Promiscuous: a.config.MirrorPromiscuous,
		}
		sockets := max(a.config.MirrorSockets, 1)
		if sockets > 1 {
			options.Fanout = fanout(name)
		}
		for i := range sockets {
			writer := a.outputs.Flows()
			if err := a.start(sourceName("mirror", fmt.Sprintf("%s-%d", name, i)), func() (source, error) {
				s, err := mirror.Open(options)
				if err != nil {
					return source{}, err
				}
				decoder := mirror.NewDecoder(options.Rate, a.base, func(r *flow.Record) { writer.Append(r) })
				run := func(ctx context.Context) error { return s.Run(ctx, decoder, writer.Hold, writer.Release) }
				return source{run, s.Close}, nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// fanout is a number for a group of sockets, which others of the host hardly take.
func fanout(name string) uint16 {
	h := fnv.New32a()
	fmt.Fprintf(h, "netmeta %d %s", os.Getpid(), name)
	return uint16(h.Sum32()) | 1
}

// interfaceInterval is how often the counters of interfaces are sent.
const interfaceInterval = 30 * time.Second

// countInterfaces sends names, state and counters of all interfaces until Stop.
func (a *Agent) countInterfaces(to collect.Writer) {
	ticker := time.NewTicker(interfaceInterval)
	defer ticker.Stop()
	started, failing := time.Now(), false
	for sequence := uint32(1); ; sequence++ {
		all, err := links.Read()
		if err != nil && !failing {
			slog.Error("agent: counters of interfaces are not sent", "error", err)
		}
		failing = err != nil
		now := time.Now()
		for i := range all {
			c := &all[i]
			c.TimeReceived, c.SamplerAddress, c.SequenceNum = uint64(now.Unix()), a.config.Exporter, sequence
			c.Uptime = uint32(now.Sub(started).Milliseconds())
			to.Append(c)
		}
		select {
		case <-a.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
