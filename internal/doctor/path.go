package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
)

// brokerReserve is how much of its disk the broker of standalone leaves free.
const brokerReserve = 128 << 20

// dropAdvice is what to do about a reason for which the queue drops flows.
var dropAdvice = map[string]string{
	"buffer_full":   "Kafka takes less than what arrives, and there is no more room: see that it runs and is fast enough. For the next time, raise --kafka-buffer, or give --state-dir for a spool.",
	"spool_full":    "Kafka is away for longer than the spool lasts: get it back. For the next time, raise --spool-size.",
	"spool_damaged": "Look at the disk of --state-dir: what had been written could not be read back.",
	"too_large":     "Raise max.message.bytes of the topic.",
	"refused":       "The broker's log says why it calls batches invalid.",
}

// diagnoseQueue looks at what waits for Kafka in collectors, and what is dropped there.
func diagnoseQueue(f Facts) *Stage {
	s := &Stage{ID: "queue", Title: "Queue and spool"}
	answering := f.answering()
	if len(answering) == 0 {
		return s.skip("--metrics or --data-dir of a collector that answers")
	}
	if f.DataDir != nil {
		s.diagnoseDataDir(*f.DataDir)
	}
	for _, c := range answering {
		c.diagnoseReady(s, f.Kafka)
		c.diagnoseDrops(s)
		c.diagnoseSpool(s)
		if written := c.Readings.total("netmeta_output_messages_written_total", nil); written.Value > 0 {
			s.add(OK, c.says("flows go to a file (--output), not to Kafka"), "")
		}
		acknowledged := c.Readings.total("netmeta_queue_flows_acknowledged_total", is("topic", flow.Topic))
		if acknowledged.Value > 0 {
			s.add(OK, c.says(fmt.Sprintf("Kafka has taken %s, %s in the last %s", many(acknowledged.Value, "flow"), count(acknowledged.Growth), span(c.Over))), "")
		}
	}
	return s
}

func (s *Stage) diagnoseDataDir(d Space) {
	switch {
	case d.Err != nil:
		s.add(Unknown, fmt.Sprintf("the disk of %s could not be examined: %v", d.Path, d.Err), "")
	case d.Free < d.Keep:
		s.add(Problem, fmt.Sprintf("the disk of %s is full: %s are free, and the broker takes nothing while there are less than %s", d.Path, humanize.IBytes(d.Free), humanize.IBytes(d.Keep)),
			"Free some space, or shorten --retention; --retention-disk 80% keeps it from coming to that. It goes on by itself.")
	}
}

// diagnoseReady says which topics Kafka does not take. Where Kafka itself was found to be
// broken, that is the cause, and this only what follows.
func (c Collector) diagnoseReady(s *Stage, k *Kafka) {
	follows := k != nil && k.broken()
	for _, r := range c.Readings["netmeta_queue_ready"] {
		if r.Value != 0 {
			continue
		}
		level, topic := Problem, r.Labels["topic"]
		if topic != flow.Topic || follows {
			level = Warning
		}
		why := ""
		for _, failing := range c.Failing {
			if topic == flow.Topic && (failing.Name == "kafka" || failing.Name == "storage") || strings.Contains(failing.Error, topic) {
				why = ": " + failing.Error
			}
		}
		waiting := c.Readings.total("netmeta_queue_buffered_bytes", is("topic", topic)).Value + c.Readings.total("netmeta_queue_spool_bytes", is("topic", topic)).Value
		s.add(level, c.says(fmt.Sprintf("Kafka does not take %s, and %s wait%s", topic, humanize.IBytes(uint64(waiting)), why)),
			"See that Kafka runs, that the collector's --kafka leads to it, and that the topic exists. What waits is delivered when it is back; what no longer fits is dropped and counted.")
	}
	for _, failing := range c.Failing {
		if failing.Name == "kafka" && c.Readings.total("netmeta_queue_ready", is("topic", flow.Topic)).Value != 0 {
			s.add(Warning, c.says(failing.Error), "")
		}
	}
}

func (c Collector) diagnoseDrops(s *Stage) {
	flows := is("topic", flow.Topic)
	drops := c.Readings.by("netmeta_queue_flows_dropped_total", "reason", flows)
	for _, reason := range sorted(drops) {
		if level, text, ok := c.lost(drops[reason], c.Readings.total("netmeta_queue_flows_acknowledged_total", flows)); ok {
			s.add(level, c.says(fmt.Sprintf("%s flows are lost before Kafka: %s", text, reason)), dropAdvice[reason])
		}
	}
	if refused := c.Readings.total("netmeta_broker_refused_total", nil); refused.Growth > 0 {
		s.add(Problem, c.says("the embedded broker takes nothing, because the disk is almost full"), "Free some space, or shorten --retention.")
	}
}

func (c Collector) diagnoseSpool(s *Stage) {
	spool := c.Readings.total("netmeta_queue_spool_bytes", is("topic", flow.Topic))
	oldest := c.Readings.total("netmeta_queue_spool_oldest_seconds", is("topic", flow.Topic))
	if oldest.Value > 30 {
		s.add(Warning, c.says(fmt.Sprintf("%s of flows wait on disk, the oldest for %s", humanize.IBytes(uint64(spool.Value)), span(seconds(oldest.Value)))),
			"They are delivered when Kafka takes them; at --spool-size the oldest are dropped.")
	}
	if failed := c.Readings.total("netmeta_queue_spool_errors_total", nil); failed.Growth > 0 {
		s.add(Problem, c.says("the spool cannot be written or read: flows wait in memory, and are lost with the process"),
			"Look at the disk of --state-dir, and at the collector's log for what failed.")
	}
}

// broken tells that it lies with Kafka that it does not take flows.
func (k Kafka) broken() bool {
	if k.Err != nil {
		return true
	}
	for _, t := range k.Topics {
		if t.Topic == flow.Topic && (t.Missing || t.Err != nil) {
			return true
		}
	}
	return false
}

// diagnoseKafka looks at topics, and at how far ClickHouse has read them.
func diagnoseKafka(f Facts) *Stage {
	s := &Stage{ID: "kafka", Title: "Kafka"}
	if f.Kafka == nil {
		return s.skip("--kafka or --data-dir")
	}
	if err := f.Kafka.Err; err != nil {
		what, check := queue.Explain(err)
		s.add(Problem, fmt.Sprintf("%s: %s: %v", f.Kafka.Brokers, what, err), "Check: "+check+".")
		return s
	}
	for _, t := range f.Kafka.Topics {
		s.diagnoseTopic(t, f.ClickHouse != nil)
	}
	return s
}

// diagnoseTopic judges one topic. That nothing is read of it is a matter of ClickHouse,
// where that is examined.
func (s *Stage) diagnoseTopic(t Topic, elsewhere bool) {
	level := Problem
	if t.Topic != flow.Topic {
		level = Warning
	}
	switch {
	case t.Missing:
		s.add(level, "there is no topic "+t.Topic, "Create it (kafka-topics.sh --create --topic "+t.Topic+"), or correct the name that the collector has.")
	case errors.Is(t.Err, kafka.TopicAuthorizationFailed), errors.Is(t.Err, kafka.GroupAuthorizationFailed):
		s.add(Unknown, fmt.Sprintf("topic %s could not be examined: %v", t.Topic, t.Err), "Let the user describe the topic and the group "+t.Group+".")
	case t.Err != nil:
		what, check := queue.Explain(t.Err)
		s.add(level, fmt.Sprintf("topic %s: %s: %v", t.Topic, what, t.Err), "Check: "+check+".")
	case t.stuck() && elsewhere:
		s.add(Warning, fmt.Sprintf("%s of %s wait, and ClickHouse reads none of them", many(float64(t.Lag()), "message"), t.Topic), "The stage ClickHouse says why.")
	case t.stuck():
		s.add(level, fmt.Sprintf("%s of %s wait, and group %s has read none of them in %s", many(float64(t.Lag()), "message"), t.Topic, t.Group, span(t.Over)),
			"Look at ClickHouse: give --clickhouse.")
	case t.Lag() > lagLimit:
		s.add(Warning, fmt.Sprintf("%s of %s wait: ClickHouse is behind", many(float64(t.Lag()), "message"), t.Topic), "What is seen is late. Nothing is lost while Kafka's retention lasts; if it grows, ClickHouse is too slow.")
	default:
		s.add(OK, fmt.Sprintf("%s: %s, lag %s", t.Topic, many(float64(len(t.Partitions)), "partition"), many(float64(t.Lag()), "message")), "")
	}
}

// lagLimit is how many waiting messages are more than the second's worth that always
// waits.
const lagLimit = 2000
