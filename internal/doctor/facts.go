package doctor

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/queue"
)

// Facts are what Gather has seen. What is nil or empty was not looked at.
type Facts struct {
	Time       time.Time
	Collectors []Collector
	Sockets    []Socket // of standalone, on this host
	DataDir    *Space   // of standalone
	Kafka      *Kafka
	ClickHouse *ClickHouse
	Console    *Page
	Grafana    *Page
	Probe      *Probe
}

// Collector is what a collector says of itself.
type Collector struct {
	Name     string
	Err      error         // it does not answer
	Readings Readings      // counters and gauges
	Over     time.Duration // in which Readings have grown
	Failing  []Failing     // of /readyz
}

// Failing is a check of a collector that does not hold.
type Failing struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// Reading is one series of a metric.
type Reading struct {
	Labels map[string]string
	Value  float64
	Growth float64 // of a counter, within Collector.Over
}

// Readings are series by the name of their metric.
type Readings map[string][]Reading

// total returns value and growth of all series of a metric that keep accepts; nil
// accepts all.
func (r Readings) total(metric string, keep func(labels map[string]string) bool) (sum Reading) {
	for _, s := range r[metric] {
		if keep == nil || keep(s.Labels) {
			sum.Value += s.Value
			sum.Growth += s.Growth
		}
	}
	return sum
}

// by returns value and growth of a metric by the values of a label.
func (r Readings) by(metric, label string, keep func(labels map[string]string) bool) map[string]Reading {
	sums := map[string]Reading{}
	for _, s := range r[metric] {
		if keep == nil || keep(s.Labels) {
			sum := sums[s.Labels[label]]
			sum.Value += s.Value
			sum.Growth += s.Growth
			sums[s.Labels[label]] = sum
		}
	}
	return sums
}

// is accepts series by the value of a label.
func is(label, value string) func(map[string]string) bool {
	return func(labels map[string]string) bool { return labels[label] == value }
}

// Socket is an address that exporters send to.
type Socket struct {
	Listener string // sflow, netflow, netflow-legacy
	Address  string
	Bound    bool
}

// Space is a file system.
type Space struct {
	Path        string
	Free, Total uint64 // bytes
	Keep        uint64 // bytes that the server leaves free: it writes nothing more when there are less
	Err         error
}

// Kafka is what the brokers say.
type Kafka struct {
	Brokers string
	Err     error // they do not answer
	Topics  []Topic
}

// Topic is a topic at two moments.
type Topic struct {
	queue.TopicState
	Before *queue.TopicState // as it was Over ago; nil: not known
	Over   time.Duration
}

// stuck tells that messages wait and the group has read none of them meanwhile.
func (t Topic) stuck() bool {
	return t.Before != nil && t.Before.Err == nil && t.Before.Lag() > 0 && t.Lag() > 0 && t.Committed() <= t.Before.Committed()
}

// ClickHouse is what the database says.
type ClickHouse struct {
	Address   string // without password
	Err       error  // it does not answer
	Refused   bool   // Err is its own answer: the user, password or database is wrong
	Version   string
	Schema    clickhouse.SchemaState
	Failed    []error       // what could not be asked
	ClockSkew time.Duration // by how much its clock is ahead of this host's

	Consumers []Consumer
	Newest    time.Time // when the newest flow was received by a collector; zero: none is stored
	Poison    Poison
	Disks     []Space
	Parts     Parts
}

// Consumer is a table that reads from Kafka.
type Consumer struct {
	Table    string
	Assigned int    // partitions
	Failure  string // of the last minute, and nothing has been stored since; empty: none
}

// Poison are messages of Kafka that could not be parsed.
type Poison struct {
	Recent, Kept uint64 // of the last ten minutes; of all that are still stored
	Topic        string // of the newest
	Reason       string // of the newest
}

// Parts is the partition with the most parts.
type Parts struct {
	Table, Partition    string
	Count, Delay, Throw uint64 // Delay: from how many on ClickHouse slows down what is stored; Throw: refuses it
}

// Page is a web server.
type Page struct {
	URL     string // without password
	Err     error  // it does not answer
	Status  int    // of the answer
	Problem string // what it says is wrong with it; empty: nothing
	Note    string // what could not be examined of it
}

// Probe is the flow that was sent to see where it gets.
type Probe struct {
	To      string
	Err     error         // it could not be sent or looked for
	Arrived time.Duration // after which its row was there; 0: it did not come
	Waited  time.Duration
	Reached string // last stage that counted it; empty: none
}

// sorted returns the keys of m, those with the highest growth, then value, first.
func sorted(m map[string]Reading) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b].Growth, m[a].Growth), cmp.Compare(m[b].Value, m[a].Value), cmp.Compare(a, b))
	})
}
