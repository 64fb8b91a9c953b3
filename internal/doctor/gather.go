package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/internal/standalone/datadir"
)

// Targets say where to look. What is empty is left out.
type Targets struct {
	Metrics    []string // URLs of collectors' metrics, or HOST:PORT
	ClickHouse string   // URL or HOST:PORT of the HTTP interface
	Kafka      queue.Config
	Topics     []queue.TopicState // Topic and Group of each
	Console    string             // URL or HOST:PORT
	Grafana    string             // URL, with user and password where its data source is to be examined
	DataDir    string             // of standalone, on this host
	Sockets    []Socket           // of standalone, on this host
	NetFlow    string             // HOST:PORT to send a flow to, and to follow it
}

// Standalone returns the targets of the instance that runs with a data directory.
func Standalone(dataDir string) (Targets, error) {
	a, err := datadir.Read(dataDir)
	if err != nil {
		return Targets{}, err
	}
	t := Targets{
		Metrics: []string{a.Metrics}, ClickHouse: local(a.ClickHouseHTTP), Console: local(a.Console), DataDir: dataDir,
		Kafka: queue.Config{Brokers: []string{local(a.Kafka)}},
	}
	for listener, address := range map[string]string{"sflow": a.SFlow, "netflow": a.NetFlow, "netflow-legacy": a.NetFlowLegacy} {
		if address != "" {
			t.Sockets = append(t.Sockets, Socket{Listener: listener, Address: address})
		}
	}
	t.Metrics[0] = local(a.Metrics)
	return t, nil
}

// ProbeAddress is where a flow of NetFlow v5 can be sent to an instance on this host.
func (t Targets) ProbeAddress() (string, error) {
	for _, listener := range []string{"netflow", "netflow-legacy"} {
		for _, s := range t.Sockets {
			if s.Listener == listener {
				return local(s.Address), nil
			}
		}
	}
	return "", errors.New("there is no socket for NetFlow: give --netflow HOST:PORT")
}

// local returns an address on which a server of this host can be reached that listens
// everywhere.
func local(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// patience is how long one server may take to answer.
const patience = 10 * time.Second

// Gather reads all facts. Counters are read twice, over apart, to tell what grows.
// Targets must be well-formed; a server that does not answer is a fact.
func Gather(ctx context.Context, t Targets, over time.Duration) (Facts, error) {
	f := Facts{Sockets: boundSockets(t.Sockets)}
	first := t.readCounters(ctx)
	if t.NetFlow != "" {
		probe := t.probe(ctx)
		f.Probe = &probe
	}
	if t.DataDir != "" {
		space := statSpace(t.DataDir)
		f.DataDir = &space
	}
	select {
	case <-ctx.Done():
		return f, ctx.Err()
	case <-time.After(time.Until(first.at.Add(over))):
	}
	second := t.readCounters(ctx)
	f.Time = second.at
	f.Collectors = collectors(t.Metrics, first, second)
	f.Kafka = second.kafkaSince(t, first)
	var running sync.WaitGroup
	var failed error
	if t.ClickHouse != "" {
		running.Go(func() { f.ClickHouse, failed = readClickHouse(ctx, t.ClickHouse) })
	}
	if t.Console != "" {
		running.Go(func() { f.Console = readConsole(ctx, t.Console) })
	}
	if t.Grafana != "" {
		running.Go(func() { f.Grafana = readGrafana(ctx, t.Grafana) })
	}
	running.Wait()
	if failed == nil && len(f.Collectors) == 0 && f.ClickHouse != nil && f.ClickHouse.Err == nil {
		f.Collectors, failed = storedCollectors(ctx, t.ClickHouse)
	}
	return f, failed
}

// counters are what was read at one moment.
type counters struct {
	at         time.Time
	collectors []page
	kafka      []queue.TopicState
	kafkaErr   error
}

// page is what a collector answers.
type page struct {
	readings Readings
	failing  []Failing
	err      error
}

func (t Targets) readCounters(ctx context.Context) counters {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := counters{collectors: make([]page, len(t.Metrics))}
	var running sync.WaitGroup
	for i, address := range t.Metrics {
		running.Go(func() { c.collectors[i] = readCollector(ctx, address) })
	}
	if len(t.Kafka.Brokers) > 0 {
		running.Go(func() { c.kafka, c.kafkaErr = queue.Survey(ctx, t.Kafka, t.Topics) })
	}
	running.Wait()
	c.at = time.Now()
	return c
}

// collectors joins the two readings of each collector.
func collectors(names []string, first, second counters) (all []Collector) {
	for i, name := range names {
		now, before := second.collectors[i], first.collectors[i]
		c := Collector{Name: withoutPassword(name), Err: now.err, Readings: now.readings, Failing: now.failing, Over: second.at.Sub(first.at)}
		if before.err == nil {
			c.Readings.since(before.readings)
		}
		all = append(all, c)
	}
	return all
}

func (c counters) kafkaSince(t Targets, first counters) *Kafka {
	if len(t.Kafka.Brokers) == 0 {
		return nil
	}
	k := &Kafka{Brokers: fmt.Sprint(t.Kafka.Brokers), Err: c.kafkaErr}
	if len(t.Kafka.Brokers) == 1 {
		k.Brokers = t.Kafka.Brokers[0]
	}
	for i, state := range c.kafka {
		topic := Topic{TopicState: state, Over: c.at.Sub(first.at)}
		if first.kafkaErr == nil {
			topic.Before = &first.kafka[i]
		}
		k.Topics = append(k.Topics, topic)
	}
	return k
}

// get asks a web server. The caller closes the answer's body.
func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, shorten(err)
	}
	return response, nil
}
