package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/internal/flow"
)

const (
	// late is how old the newest flow may be while flows are on their way.
	late = time.Minute
	// skewed is a difference of clocks that shows in every graph.
	skewed = 30 * time.Second
	// almostFull and full are shares of a disk that is used.
	almostFull, full = 0.85, 0.97
)

// diagnoseClickHouse looks at the database: whether it has the schema that this binary
// knows, and whether what Kafka has is stored.
func diagnoseClickHouse(f Facts) *Stage {
	s := &Stage{ID: "clickhouse", Title: "ClickHouse"}
	c := f.ClickHouse
	switch {
	case c == nil:
		return s.skip("--clickhouse or --data-dir")
	case c.Refused:
		s.add(Unknown, fmt.Sprintf("ClickHouse at %s refuses: %v", c.Address, c.Err), "Check the user, password, port and database in --clickhouse.")
		return s
	case c.Err != nil:
		s.add(Problem, fmt.Sprintf("ClickHouse at %s cannot be reached: %v", c.Address, c.Err),
			"See that it runs, and that --clickhouse is the address of its HTTP interface, usually port 8123. Meanwhile flows wait in Kafka.")
		return s
	}
	for _, err := range c.Failed {
		s.add(Unknown, "could not be examined: "+err.Error(), "Use an account that may read system tables.")
	}
	defer c.diagnoseDisks(s)
	if !c.diagnoseSchema(s) {
		return s // what else is missing follows from that
	}
	c.diagnoseReading(s, f.Kafka)
	c.diagnosePoison(s)
	c.diagnoseAge(s, f)
	if p := c.Parts; p.Delay > 0 && p.Count >= p.Delay {
		level := Warning
		if p.Count >= p.Throw {
			level = Problem
		}
		s.add(level, fmt.Sprintf("table %s has %d parts in partition %s: ClickHouse slows down what is stored from %d on, and refuses it from %d on", p.Table, p.Count, p.Partition, p.Delay, p.Throw),
			"Merges do not keep up: look at system.merges, at the disk, and whether somebody inserts single rows.")
	}
	if c.ClockSkew.Abs() > skewed {
		s.add(Warning, fmt.Sprintf("its clock differs from this host's by %s", span(c.ClockSkew.Abs())), "Have both hosts use NTP: the time of flows is the collector's, that of queries is ClickHouse's.")
	}
	s.add(OK, fmt.Sprintf("version %s, schema version %d", c.Version, c.Schema.Version), "")
	return s
}

// diagnoseSchema reports whether the schema is the one that this binary knows.
func (c ClickHouse) diagnoseSchema(s *Stage) bool {
	schema := c.Schema
	const migrate = "Run netmeta migrate with the same --clickhouse (netmeta-standalone does it when it starts)."
	switch {
	case schema.Newest == 0:
		return false // it could not be read, which is among what failed
	case schema.Changer != "" && (schema.Version != schema.Newest || schema.Dirty):
		s.add(Problem, fmt.Sprintf("%s is just migrating the schema, from version %d to at most %d", schema.Changer, schema.Version, schema.Newest), "Wait for it: nothing is stored meanwhile, flows wait in Kafka.")
	case !schema.Flows:
		s.add(Problem, "there are no tables: the database was not migrated", migrate)
	case schema.Version == 0:
		s.add(Problem, "there are tables, but no record of their version", "netmeta migrate says what to do.")
	case schema.Version > schema.Newest:
		s.add(Problem, fmt.Sprintf("the schema has version %d, and this netmeta knows versions up to %d", schema.Version, schema.Newest), "Use the newer netmeta that has migrated it, or go down with that: netmeta migrate --to "+fmt.Sprint(schema.Newest)+".")
	case schema.Dirty:
		s.add(Problem, fmt.Sprintf("migration %d was begun and not finished", schema.Version), migrate+" It is done again.")
	case schema.Version < schema.Newest:
		s.add(Problem, fmt.Sprintf("migrations are missing: the schema has version %d, this netmeta has %d", schema.Version, schema.Newest), migrate)
	default:
		return true
	}
	return false
}

// diagnoseReading says why messages are not read from Kafka, or not stored.
func (c ClickHouse) diagnoseReading(s *Stage, k *Kafka) {
	closed := map[string]bool{}
	for _, gate := range c.Schema.Closed {
		closed[strings.TrimSuffix(gate, "_gate")+"_queue"] = true
		if c.Schema.Changer != "" {
			s.add(Warning, fmt.Sprintf("%s is closed while %s repairs sums: nothing is stored for a moment", gate, c.Schema.Changer), "")
			continue
		}
		s.add(Problem, fmt.Sprintf("%s is detached, so nothing that Kafka has is stored", gate),
			"ATTACH TABLE "+gate+" (a program that repairs sums was killed, perhaps). What waits in Kafka is stored then.")
	}
	reasons := len(closed)
	for _, consumer := range c.Consumers {
		switch {
		case consumer.Failure != "":
			reasons++
			s.add(Problem, fmt.Sprintf("%s cannot store what it reads: %s", consumer.Table, consumer.Failure), "ClickHouse tries again until it can. SELECT * FROM system.kafka_consumers has all of it.")
		case consumer.Assigned == 0 && !closed[consumer.Table]:
			s.add(Warning, consumer.Table+" has no partition of Kafka to read", "After a start that takes up to a minute. If it lasts: can ClickHouse reach the brokers of the named collection netmeta_kafka, also by their advertised.listeners?")
		}
	}
	if k == nil || reasons > 0 {
		return
	}
	for _, t := range k.Topics {
		if t.Topic == flow.Topic && t.stuck() {
			s.add(Problem, fmt.Sprintf("it reads nothing from Kafka, where %s wait", many(float64(t.Lag()), "message")), "SELECT * FROM system.kafka_consumers and ClickHouse's log say why. Is the group of netmeta migrate --group "+t.Group+"?")
		}
	}
}

func (c ClickHouse) diagnosePoison(s *Stage) {
	const look = "Something else writes to the topic: SELECT * EXCEPT Message FROM flows_errors ORDER BY TimeReceived DESC LIMIT 10 shows what. doc/developer.md says what belongs there."
	switch p := c.Poison; {
	case p.Recent > 0:
		s.add(Problem, fmt.Sprintf("%s of the last ten minutes could not be parsed; the newest is of topic %s: %s", many(float64(p.Recent), "message"), p.Topic, p.Reason), look)
	case p.Kept > 0:
		s.add(Warning, fmt.Sprintf("%s could not be parsed, none in the last ten minutes", many(float64(p.Kept), "message")), look)
	}
}

// diagnoseAge compares the newest flow with what is on its way.
func (c ClickHouse) diagnoseAge(s *Stage, f Facts) {
	if c.Newest.IsZero() {
		s.add(Warning, "no flow is stored", "")
		return
	}
	age := f.Time.Sub(c.Newest)
	what := "the newest flow is " + span(max(0, age)) + " old"
	acknowledged := 0.0
	for _, collector := range f.answering() {
		acknowledged += collector.Readings.total("netmeta_queue_flows_acknowledged_total", is("topic", flow.Topic)).Growth
	}
	switch {
	case age > late && acknowledged > 0:
		s.add(Problem, what+", though Kafka gets flows", "See whether ClickHouse reads from the brokers that the collector writes to: SELECT * FROM system.kafka_consumers.")
	case age > 5*late:
		s.add(Warning, what, "")
	default:
		s.add(OK, what, "")
	}
}

func (c ClickHouse) diagnoseDisks(s *Stage) {
	const do = "Keep flows for a shorter time (netmeta retention --raw), or drop old ones by netmeta retention --disk 80%; or give ClickHouse a larger disk."
	for _, d := range c.Disks {
		used := 0.0
		if d.Total > 0 {
			used = 1 - float64(d.Free)/float64(d.Total)
		}
		what := fmt.Sprintf("disk %s has %s free of %s", d.Path, humanize.IBytes(d.Free), humanize.IBytes(d.Total))
		switch {
		case d.Free <= d.Keep:
			s.add(Problem, what+fmt.Sprintf(", and ClickHouse writes nothing while there are less than %s", humanize.IBytes(max(d.Keep, 1))), do)
		case used > full:
			s.add(Problem, what, do)
		case used > almostFull:
			s.add(Warning, what, do)
		default:
			s.add(OK, what, "")
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
