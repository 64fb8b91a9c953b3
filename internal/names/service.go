// Package names brings what people say and devices tell about the network into
// ClickHouse, where views and dashboards make names of numbers of it: settings files,
// lists of networks, SNMP agents, what exporters tell of themselves, the DNS, and databases
// of where addresses are.
//
// Nothing waits for it. The tables are ClickHouse's own, and dictionaries read nothing
// else; where a source cannot be reached, they keep what it said last.
package names

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/schema"
)

var (
	settingsErrors = promauto.NewCounter(prometheus.CounterOpts{
		Name: "netmeta_names_settings_errors_total",
		Help: "Settings files that could not be applied because something in them is wrong. The settings before hold; the log says which key it is.",
	})
	storeErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_names_store_errors_total",
		Help: "Tables of names that could not be brought to ClickHouse, by table. They keep what they had, and it is tried again.",
	}, []string{"table"})
	tableRows = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_names_rows",
		Help: "Rows of the tables of names, as they were stored last, by table.",
	}, []string{"table"})
	sourceErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_names_source_errors_total",
		Help: "Times that a source of networks could not be read, by source. What it listed before holds.",
	}, []string{"source"})
	sourceRefused = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_names_source_refused_entries_total",
		Help: "Entries of a source of networks that were left out because they are no networks, or are there twice, by source.",
	}, []string{"source"})
)

// Times between two looks.
const (
	settingsEvery = 2 * time.Second
	learnEvery    = 10 * time.Second
	healEvery     = 5 * time.Second
	// sourcePatience is how long everything else waits for sources of networks.
	sourcePatience = time.Second
)

// These bound what is learned of interfaces, of all exporters and of one: whoever can send
// flows can name some.
const (
	maxLearned   = 200_000
	maxLearnedOf = 10_000
)

// Config says what a Service works on.
type Config struct {
	DB   *sql.DB // may write
	File string  // of settings; empty: none

	// Resolver is the DNS that is asked for names of hosts; nil: the machine's.
	Resolver *net.Resolver

	// Applied is told of settings whenever they change; nil: nobody is.
	Applied func(*settings.Settings)
}

// Service keeps the tables of names up to date. Its methods are for one goroutine.
type Service struct {
	config   Config
	settings *settings.Settings
	read     [sha256.Size]byte // of the file as it was read last
	sources  []*source

	learned map[settings.InterfaceKey]learnedInterface
	named   map[netip.Addr]int // how many of them an exporter has
	agents  agents
	reverse reverse
	hosts   map[netip.Addr]learnedHost
	places  places
	kept    map[string]map[netip.Prefix]settings.Network // by source, of before the start

	stored   map[string][sha256.Size]byte // what the tables have
	restored bool
	healed   time.Time
	looked   time.Time // at what was seen
	counted  time.Time // at counters of interfaces
	failing  bool      // which is logged once
}

// New reads the settings. It fails where something in the file is wrong: later, the
// settings before hold.
func New(config Config) (*Service, error) {
	s := &Service{
		config: config, settings: new(settings.Settings), stored: map[string][sha256.Size]byte{},
		learned: map[settings.InterfaceKey]learnedInterface{}, named: map[netip.Addr]int{}, hosts: map[netip.Addr]learnedHost{}, agents: newAgents(), reverse: newReverse(),
	}
	if config.File == "" {
		return s, nil
	}
	text, err := os.ReadFile(config.File)
	if err != nil {
		return nil, err
	}
	s.read = sha256.Sum256(text)
	read, err := settings.Read(config.File, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config.File, err)
	}
	s.use(read)
	return s, nil
}

// Settings are those that hold.
func (s *Service) Settings() *settings.Settings { return s.settings }

// Run keeps the tables up to date until ctx ends. A value from reload has the settings
// read at once; otherwise a change of the file is seen within seconds.
func (s *Service) Run(ctx context.Context, reload <-chan os.Signal) {
	tick := time.NewTicker(settingsEvery)
	defer tick.Stop()
	for {
		s.Step(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-reload:
			s.read = [sha256.Size]byte{}
		case <-tick.C:
		}
	}
}

// Step does what there is to do now.
func (s *Service) Step(ctx context.Context, now time.Time) {
	s.reload()
	patience := time.After(sourcePatience)
	for _, source := range s.sources {
		source.refresh(ctx, now, patience)
	}
	err := s.bring(ctx, now)
	if err != nil && !s.failing && ctx.Err() == nil {
		slog.Error("names: ClickHouse keeps the names that it has, which is tried to change every few seconds", "error", err)
	}
	s.failing = err != nil
}

// reload reads the settings again if the file has changed.
func (s *Service) reload() {
	if s.config.File == "" {
		return
	}
	text, err := os.ReadFile(s.config.File)
	hash := sha256.Sum256(text)
	if err == nil && hash == s.read {
		return
	}
	var read *settings.Settings
	if err == nil {
		read, err = settings.Read(s.config.File, text)
	} else {
		hash = sha256.Sum256([]byte(err.Error()))
		if hash == s.read {
			return
		}
	}
	s.read = hash
	if err != nil {
		settingsErrors.Inc()
		slog.Error("names: the settings before hold, since the file cannot be used", "file", s.config.File, "error", err)
		return
	}
	s.use(read)
	slog.Info("names: the settings have changed and hold now", "file", s.config.File)
}

// use has settings hold.
func (s *Service) use(read *settings.Settings) {
	s.settings = read
	before := s.sources
	s.sources = nil
	for _, c := range read.NetworkSources {
		fresh := &source{config: c, networks: s.kept[c.Name]}
		for _, old := range before {
			if old.config == c {
				fresh = old
			}
		}
		s.sources = append(s.sources, fresh)
	}
	if s.config.Applied != nil {
		s.config.Applied(read)
	}
}

// bring has ClickHouse know what is known here.
func (s *Service) bring(ctx context.Context, now time.Time) error {
	if !s.restored {
		if err := s.restore(ctx); err != nil {
			return err
		}
		for _, source := range s.sources {
			if source.networks == nil {
				source.networks = s.kept[source.config.Name]
			}
		}
		s.restored = true
	}
	if now.Sub(s.healed) >= healEvery {
		if err := s.heal(ctx); err != nil {
			return err
		}
		s.healed = now
	}
	if now.Sub(s.looked) >= learnEvery {
		if err := s.look(ctx, now); err != nil {
			return err
		}
		s.looked = now
	}
	s.takeAnswers(now)
	s.takeNames(now)
	return errors.Join(s.store(ctx), s.places.step(ctx, s.config.DB, s.settings.GeoIP, now))
}

// look reads what devices told.
func (s *Service) look(ctx context.Context, now time.Time) error {
	if err := s.learnFromCounters(ctx, now); err != nil {
		return fmt.Errorf("read the names of interfaces that exporters send: %w", err)
	}
	if err := s.poll(ctx, now); err != nil {
		return fmt.Errorf("read which interfaces flows mention: %w", err)
	}
	return s.resolve(ctx, now)
}

var dictionaryName = regexp.MustCompile(`CREATE DICTIONARY IF NOT EXISTS (\w+)`)

// heal makes the dictionaries that are missing: without them, views that use them fail.
func (s *Service) heal(ctx context.Context) error {
	statements, err := schema.Dictionaries()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	err = each(ctx, s.config.DB, "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'Dictionary'", func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		there[name] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("look which dictionaries there are: %w", err)
	}
	for _, statement := range statements {
		name := dictionaryName.FindStringSubmatch(statement)
		if name != nil && there[name[1]] {
			continue
		}
		if _, err := s.config.DB.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make a dictionary that is missing: %w", err)
		}
	}
	return nil
}

// store stores the tables that have changed. One that cannot be stored does not keep the
// others from it.
func (s *Service) store(ctx context.Context) error {
	var errs []error
	for _, make := range []func() (contents, error){
		func() (contents, error) { return samplers(s.settings) },
		func() (contents, error) { return vlans(s.settings) },
		func() (contents, error) { return autnums(s.settings) },
		func() (contents, error) { return networks(s.settings, s.sources) },
		func() (contents, error) { return hosts(s.settings, s.hosts) },
		func() (contents, error) { return interfaces(s.settings, s.learned) },
	} {
		c, err := make()
		if err == nil && s.stored[c.table] != c.hash {
			if err = c.store(ctx, s.config.DB); err == nil {
				s.stored[c.table] = c.hash
				tableRows.WithLabelValues(c.table).Set(float64(c.rows))
			} else if ctx.Err() == nil {
				storeErrors.WithLabelValues(c.table).Inc()
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
