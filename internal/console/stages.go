package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// silence is how long nothing may arrive before that is worth a word.
const silence = 45 * time.Second

func assessDatagrams(t trend, listeners []Listener) stage {
	total, _ := ofCounter(metricDatagrams)(t.now())
	s := stage{
		ID: "datagrams", Title: "Datagrams", Unit: "datagrams since the start", Level: levelOK,
		Total: &total, Rate: t.rate(ofCounter(metricDatagrams)),
		Details: listenerFigures(t, listeners),
		Losses:  byLabels(t, metricKernelDrops, func(listener string) string { return "dropped by the kernel at " + listenerTitle(listener) }),
	}
	s.Losses = append(s.Losses, byLabels(t, metricReceiveErrors, func(listener string) string { return "failed reads at " + listenerTitle(listener) })...)
	s.Losses = append(s.Losses, byLabels(t, metricRefused, func(listener string) string { return "not of --allow at " + listenerTitle(listener) })...)
	s.Losses = append(s.Losses, gapFigures(t)...)

	if total == 0 {
		s.Level = levelIdle
		s.Advice = "No datagram has arrived since this process started: point a router here, see below."
	} else if arrived, over, ok := t.change(ofCounter(metricDatagrams), newsHorizon); ok && arrived == 0 && over >= silence {
		s.blame(levelWarn, "No datagram has arrived for "+seconds(over)+": have the exporters stopped, or does a firewall drop UDP to these ports?")
	}
	if dropped := t.recent(ofCounter(metricKernelDrops)); dropped > 0 {
		l := levelWarn
		if mostly(dropped, t.recent(ofCounter(metricDatagrams))) {
			l = levelBad
		}
		s.blame(l, "The kernel drops datagrams because they come faster than this process reads. For bursts, a larger buffer helps: sysctl -w net.core.rmem_max=33554432, then restart NetMeta. Otherwise give it more CPU, or let the exporters sample less, 1:2000 instead of 1:1000.")
	}
	if gaps := t.recent(ofGaps); gaps > t.recent(ofCounter(metricKernelDrops)) {
		s.blame(levelWarn, "The sequence numbers of exporters have gaps: datagrams are lost on the way here, in the network or in the exporter.")
	}
	if t.recent(ofCounter(metricReceiveErrors)) > 0 {
		s.blame(levelWarn, "Reading from a socket fails: the log of this process says why.")
	}
	return s
}

// gapFigures lists what is missing in the sequence numbers of each exporter.
func gapFigures(t trend) []figure {
	return byReading(t, metricLost, func(labels string) reading {
		return func(s *snapshot) (float64, bool) {
			return max(0, s.counters[metricLost][labels]-s.counters[metricLate][labels]), true
		}
	}, func(labels string) string {
		var exporter, protocol, unit string
		if parts := strings.Fields(labels); len(parts) == 3 {
			exporter, protocol, unit = parts[0], parts[1], parts[2]
		}
		return fmt.Sprintf("%s missing from %s (%s)", unit, exporter, protocolTitle(protocol))
	})
}

// listenerFigures has every listener with its port, those that have received
// nothing included: that is what people look for.
func listenerFigures(t trend, listeners []Listener) []figure {
	figures := []figure{}
	for _, l := range listeners {
		series := ofSeries(metricDatagrams, l.Name)
		value, _ := series(t.now())
		port := l.Address[strings.LastIndexByte(l.Address, ':')+1:]
		figures = append(figures, figure{Label: listenerTitle(l.Name) + " :" + port, Value: value, Rate: t.rate(series)})
	}
	return figures
}

func listenerTitle(name string) string {
	switch name {
	case ListenSFlow:
		return "sFlow"
	case ListenNetFlow:
		return "NetFlow, IPFIX"
	case ListenNetFlowLegacy:
		return "NetFlow v5"
	}
	return name
}

// protocolTitles are the values of the label protocol as people write them. It is
// netflow where a datagram's version is none of NetFlow or IPFIX.
var protocolTitles = map[string]string{"sflow": "sFlow", "netflow": "NetFlow, IPFIX", "netflow5": "NetFlow v5", "netflow9": "NetFlow v9", "ipfix": "IPFIX"}

func protocolTitle(protocol string) string {
	if title := protocolTitles[protocol]; title != "" {
		return title
	}
	return protocol
}

// heldTitles explains what became of data sets that waited for their template.
var heldTitles = map[string]string{
	"expired": "sets whose template did not come in time",
	"evicted": "sets whose exporter was forgotten before its template came",
	"refused": "sets that could not wait for their template",
}

// decodeErrorTitles explains the values of the label reason.
var decodeErrorTitles = map[string]string{
	"version":          "unknown version",
	"truncated":        "cut off",
	"trailing":         "bytes behind the end",
	"set_id":           "undefined kind of set",
	"template":         "unusable template",
	"unknown_template": "template not received yet",
	"record":           "unreadable record",
	"too_many_records": "too many records for its size",
	"datagram_header":  "unreadable header",
	"sample_header":    "unreadable sample",
	"samples_missing":  "samples missing",
	"records_missing":  "records missing",
	"record_count":     "wrong number of records",
}

func decodeErrorTitle(labels string) string {
	protocol, reason, _ := strings.Cut(labels, " ")
	protocol = protocolTitle(protocol)
	if title := decodeErrorTitles[reason]; title != "" {
		reason = title
	}
	return protocol + ": " + reason
}

func assessRecords(t trend) stage {
	total, _ := ofCounter(metricRecords)(t.now())
	s := stage{
		ID: "records", Title: "Records", Unit: "flow records since the start", Level: levelOK,
		Total: &total, Rate: t.rate(ofCounter(metricRecords)),
		Details: byLabels(t, metricRecords, protocolTitle),
		Losses:  byLabels(t, metricDecodeErrors, decodeErrorTitle),
	}
	for _, f := range byLabels(t, metricHeldEnded, func(outcome string) string { return heldTitles[outcome] }) {
		if f.Label != "" {
			s.Losses = append(s.Losses, f)
		}
	}
	s.Losses = append(s.Losses, byLabels(t, metricLimited, func(exporter string) string { return "left out by the limit of " + exporter })...)
	if waiting := t.now().sum(metricHeldSets); waiting > 0 {
		s.Details = append(s.Details, figure{Label: "sets waiting for their template", Value: waiting})
		s.blame(levelWarn, "Data has arrived before its templates; it is kept for some minutes and read when they come. If they do not, set a shorter template refresh at the exporter.")
	}
	if total == 0 && len(s.Losses) == 0 {
		s.Level = levelIdle
		return s
	}
	failed := t.recent(ofCounter(metricDecodeErrors))
	if failed == 0 {
		return s
	}
	l := levelWarn
	if mostly(failed, t.recent(ofCounter(metricRecords))) {
		l = levelBad
	}
	s.blame(l, "Some of what arrives cannot be decoded: check that each exporter sends its protocol to the right port; the log names the exporters.")
	return s
}

// lagLimit is how many waiting Kafka messages are more than the second's worth
// that always waits.
const lagLimit = 2000

var dropTitles = map[string]string{
	"buffer_full":   "dropped, buffer full",
	"spool_full":    "dropped, spool full",
	"spool_damaged": "dropped, damaged on disk",
	"too_large":     "dropped, too large for Kafka",
	"refused":       "dropped, refused by Kafka",
	"encode":        "dropped, could not be compressed",
	"closed":        "dropped at shutdown",
}

func assessKafka(t trend) stage {
	now := t.now()
	total, _ := ofAcknowledged(now)
	s := stage{
		ID: "kafka", Title: "Kafka", Unit: "records acknowledged since the start", Level: levelOK,
		Total: &total, Rate: t.rate(ofAcknowledged),
		Details: []figure{{Label: "not sent yet", Value: now.sum(metricBuffered), Unit: "bytes"}},
		Losses: byLabels(t, metricDropped, func(labels string) string {
			reason, topic, _ := strings.Cut(labels, " ")
			title := dropTitles[reason]
			if title == "" {
				title = "dropped, " + reason
			}
			if topic != flow.Topic {
				title += ", of " + topic
			}
			return title
		}),
	}
	if doubtful := now.sum(metricDoubtful); doubtful > 0 {
		s.Details = append(s.Details, figure{Label: "perhaps stored twice", Value: doubtful})
	}
	if now.knowsLag() {
		s.Details = append([]figure{{Label: "messages waiting", Value: now.lag}}, s.Details...)
	}
	if total == 0 {
		s.Level = levelIdle
	}
	s.blameKafka(t)
	return s
}

func (s *stage) blameKafka(t trend) {
	now := t.now()
	if now.lagErr != nil {
		s.blame(levelBad, fmt.Sprintf("Kafka does not say what is waiting: %v.", now.lagErr))
	}
	if now.sum(metricQueueReady) == 0 && now.sum(metricBuffered) > 0 {
		s.blame(levelBad, "Kafka does not take records; they wait in memory until the buffer is full. See that Kafka runs and can be reached.")
	}
	if dropped := t.recent(ofCounter(metricDropped)); dropped > 0 {
		l := levelWarn
		if mostly(dropped, t.recent(ofAcknowledged)) {
			l = levelBad
		}
		s.blame(l, "Records are lost before Kafka. See that Kafka runs, that its disk is not full, and that it is fast enough.")
	}
	stuck := now.knowsLag() && now.storedErr == nil
	for _, before := range t {
		stuck = stuck && before.lag > 0 && before.stored.rows == now.stored.rows && before.stored.errors == now.stored.errors
	}
	if stuck && now.at.Sub(t[0].at) >= silence {
		s.blame(levelBad, "ClickHouse has read nothing from Kafka for "+seconds(now.at.Sub(t[0].at))+": SELECT * FROM system.kafka_consumers says why.")
	}
	if now.knowsLag() && now.lag > lagLimit {
		s.blame(levelWarn, "ClickHouse is behind: what is seen here is late. Nothing is lost while Kafka's retention lasts.")
	}
}

func assessRows(t trend) stage {
	now := t.now()
	s := stage{
		ID: "rows", Title: "ClickHouse", Unit: "rows stored", Level: levelOK,
		Rate: t.rate(ofRows), Details: []figure{}, Losses: []figure{},
	}
	if now.storedErr != nil {
		s.blame(levelBad, fmt.Sprintf("ClickHouse does not answer: %v.", now.storedErr))
		return s
	}
	s.Total = &now.stored.rows
	if now.stored.rows == 0 {
		s.Level = levelIdle
	}
	if !now.stored.newest.IsZero() {
		age := max(0, now.at.Sub(now.stored.newest).Seconds())
		s.Details = append(s.Details, figure{Label: "age of the newest flow", Value: age, Unit: "seconds"})
	}
	if now.stored.errors > 0 {
		s.Losses = append(s.Losses, figure{Label: "messages not parsed", Value: now.stored.errors, Rate: t.rate(ofParseErrors)})
	}
	if t.recent(ofParseErrors) > 0 {
		s.blame(levelWarn, "Something writes messages to the Kafka topic that are not FlowMessages: SELECT * FROM flows_errors shows them. Reasons: "+strings.Join(now.stored.reasons, "; "))
	}
	return s
}
