package names

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/internal/snmp"
)

var snmpPolls = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_names_snmp_polls_total",
	Help: "Times that the SNMP agent of an exporter was asked for the names of its interfaces, by outcome: answered or failed. The log says why; the names that it told before stay.",
}, []string{"outcome"})

const (
	pollsAtOnce  = 8
	pollTimeout  = time.Minute      // for all that one agent is asked
	pollEvery    = time.Hour        // where nothing new is seen
	pollPause    = 30 * time.Second // between two polls because of an interface that is new
	pollMaxPause = time.Hour        // after an agent has failed again and again
	maxAgents    = 10_000
)

// agent is what is known of the SNMP agent of an exporter.
type agent struct {
	next    time.Time // when it is asked again
	asked   time.Time // last, with an answer
	fails   int       // one after the other
	polling bool
	known   map[uint32]bool // interfaces that were seen when it was asked, whether it named them or not
}

// answer is what an agent said.
type answer struct {
	exporter netip.Addr
	found    map[uint32]snmp.Interface
	seen     []uint32
	err      error
}

// agents asks the SNMP agents of exporters, each for all interfaces at once, and never
// two times at the same time.
type agents struct {
	all     map[netip.Addr]*agent
	slots   chan struct{}
	answers chan answer
}

func newAgents() agents {
	return agents{all: map[netip.Addr]*agent{}, slots: make(chan struct{}, pollsAtOnce), answers: make(chan answer, pollsAtOnce)}
}

// poll asks the agents of exporters by which interfaces were seen, where it is time.
func (s *Service) poll(ctx context.Context, now time.Time) error {
	if len(s.settings.SNMP) == 0 {
		return nil
	}
	seen, err := s.seenInterfaces(ctx)
	if err != nil {
		return err
	}
	for exporter, interfaces := range seen {
		how, ok := agentOf(s.settings.SNMP, exporter)
		if !ok {
			continue
		}
		a := s.agents.all[exporter]
		if a == nil {
			if len(s.agents.all) >= maxAgents {
				continue
			}
			a = &agent{}
			s.agents.all[exporter] = a
		}
		if a.due(now, interfaces) {
			a.polling = true
			go s.agents.ask(ctx, exporter, how, interfaces)
		}
	}
	return nil
}

// due says whether the agent is to be asked: after a time, or since an interface is new.
func (a *agent) due(now time.Time, interfaces []uint32) bool {
	if a.polling {
		return false
	}
	if !now.Before(a.next) {
		return true
	}
	if a.fails > 0 || now.Sub(a.asked) < pollPause {
		return false
	}
	for _, index := range interfaces {
		if !a.known[index] {
			return true
		}
	}
	return false
}

// agentOf returns how the agent of an exporter is asked. An address that is in no list is
// not: whoever can forge flows would otherwise be told the community.
func agentOf(all []settings.SNMP, exporter netip.Addr) (settings.SNMP, bool) {
	for _, how := range all {
		for _, prefix := range how.Exporters {
			if prefix.Contains(exporter) {
				return how, true
			}
		}
	}
	return settings.SNMP{}, false
}

func (a agents) ask(ctx context.Context, exporter netip.Addr, how settings.SNMP, seen []uint32) {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	asking, cancel := context.WithTimeout(ctx, pollTimeout)
	found, err := snmp.Interfaces(asking, exporter, how)
	cancel()
	<-a.slots
	select {
	case a.answers <- answer{exporter, found, seen, err}:
	case <-ctx.Done():
	}
}

// takeAnswers notes what agents have said since the last time.
func (s *Service) takeAnswers(now time.Time) {
	for {
		select {
		case got := <-s.agents.answers:
			s.takeAnswer(got, now)
		default:
			return
		}
	}
}

func (s *Service) takeAnswer(got answer, now time.Time) {
	a := s.agents.all[got.exporter]
	a.polling = false
	if len(got.found) == 0 {
		snmpPolls.WithLabelValues("failed").Inc()
		pause := min(pollMaxPause, pollPause<<min(a.fails, 10))
		if a.fails++; a.fails == 1 {
			slog.Warn("names: an SNMP agent does not tell the names of its interfaces; those that are known stay", "exporter", got.exporter, "again", pause, "error", got.err)
		}
		a.next = now.Add(pause)
		return
	}
	if got.err != nil {
		slog.Warn("names: an SNMP agent has told a part of what it was asked", "exporter", got.exporter, "error", got.err)
	}
	snmpPolls.WithLabelValues("answered").Inc()
	a.fails, a.asked, a.next = 0, now, now.Add(pollEvery)
	a.known = map[uint32]bool{}
	for _, index := range got.seen {
		a.known[index] = true
	}
	for key, l := range s.learned {
		if _, ok := got.found[key.Index]; key.Exporter == got.exporter && l.source == fromSNMP && !ok {
			s.forget(key)
		}
	}
	for index, i := range got.found {
		a.known[index] = true
		l := learnedInterface{device: clean(i.Name), alias: clean(i.Alias), speed: i.Speed, source: fromSNMP, updated: now.Unix()}
		if l.name() != "" {
			s.learn(got.exporter, index, l)
		}
	}
}

// seenInterfaces are those that flows of the last minutes mention, by exporter.
func (s *Service) seenInterfaces(ctx context.Context) (map[netip.Addr][]uint32, error) {
	seen := map[netip.Addr][]uint32{}
	err := each(ctx, s.config.DB, `
		SELECT toString(SamplerAddress), groupUniqArray(10000)(Interface)
		FROM
		(
		    SELECT SamplerAddress, arrayJoin([InIf, OutIf]) AS Interface
		    FROM flows_1m
		    WHERE TimeReceived > now() - INTERVAL 10 MINUTE
		)
		WHERE Interface != 0
		GROUP BY SamplerAddress
		LIMIT 10000`, func(scan func(...any) error) error {
		var address string
		var interfaces []uint32
		if err := scan(&address, &interfaces); err != nil {
			return err
		}
		if a, err := netip.ParseAddr(address); err == nil {
			seen[a.Unmap()] = interfaces
		}
		return nil
	})
	return seen, err
}
