package exporter

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/flow"
)

var (
	datagramsDesc = prometheus.NewDesc("netmeta_exporter_datagrams_total",
		"Datagrams received, by exporter. Exporters beyond the first 1,000, and those heard of for less than two seconds, are counted together as exporter other, here and in all that follow.",
		[]string{"exporter", "protocol"}, nil)
	bytesDesc = prometheus.NewDesc("netmeta_exporter_bytes_total",
		"Bytes of the datagrams received, without their IP and UDP headers, by exporter.",
		[]string{"exporter", "protocol"}, nil)
	recordsDesc = prometheus.NewDesc("netmeta_exporter_records_total",
		"Flow records decoded and handed on, by exporter.",
		[]string{"exporter", "protocol"}, nil)
	unratedDesc = prometheus.NewDesc("netmeta_exporter_unknown_rate_records_total",
		"Flow records whose sampling rate neither the exporter nor the configuration gives, by exporter; 1 was assumed. Configure its rate as an override if it samples.",
		[]string{"exporter", "protocol"}, nil)
	lostDesc = prometheus.NewDesc("netmeta_exporter_lost_total",
		"Datagrams (sFlow, NetFlow v9) or flow records (NetFlow v5, IPFIX) missing in the sequence numbers of an exporter. Some may come late: what is lost for good is this minus netmeta_exporter_late_total. If netmeta_listen_kernel_drops_total grows too, they were lost in this host, else in the network or the exporter.",
		[]string{"exporter", "protocol", "unit"}, nil)
	lateDesc = prometheus.NewDesc("netmeta_exporter_late_total",
		"Datagrams or flow records that came after others that the exporter sent later. They were counted in netmeta_exporter_lost_total before.",
		[]string{"exporter", "protocol", "unit"}, nil)
	awayDesc = prometheus.NewDesc("netmeta_exporter_missed_while_down_total",
		"Datagrams or flow records that an exporter sent while no collector was running, by its sequence numbers before and after. When the collector did not come to an orderly end, up to a minute of what it did receive is in here.",
		[]string{"exporter", "protocol", "unit"}, nil)
	duplicatesDesc = prometheus.NewDesc("netmeta_exporter_duplicate_datagrams_total",
		"Datagrams with a sequence number that was received before, by exporter. Their flows are stored twice: look for a mirrored port or for two exporters with the same address and id.",
		[]string{"exporter", "protocol"}, nil)
	restartsDesc = prometheus.NewDesc("netmeta_exporter_sequence_restarts_total",
		"Times that an exporter's sequence numbers began anew, usually because it was restarted. What was lost at that moment is not known.",
		[]string{"exporter", "protocol"}, nil)
	templateMissesDesc = prometheus.NewDesc("netmeta_exporter_template_misses_total",
		"Data sets whose template was not known when they arrived, by exporter. What became of them is in netmeta_exporter_held_sets_total.",
		[]string{"exporter", "protocol"}, nil)
	limitedDesc = prometheus.NewDesc("netmeta_exporter_limited_flows_total",
		"Flows left out because the exporter sends more than its limit of flows a second. The sampling rate of those that were kept is raised accordingly.",
		[]string{"exporter"}, nil)
	unsampledDesc = prometheus.NewDesc("netmeta_exporter_unsampled_packets_total",
		"Packets that an sFlow agent says it should have sampled but could not, for lack of resources. While it grows, traffic is underestimated: have the agent sample one in more packets.",
		[]string{"exporter"}, nil)
	rateDesc = prometheus.NewDesc("netmeta_exporter_sampling_rate",
		"Sampling rate of the exporter's last record, in packets per sample.",
		[]string{"exporter"}, nil)
	lastSeenDesc = prometheus.NewDesc("netmeta_exporter_last_seen_timestamp_seconds",
		"When the exporter was last heard of, seconds since 1970.",
		[]string{"exporter"}, nil)
	infoDesc = prometheus.NewDesc("netmeta_exporter_info",
		"Always 1: the name that is configured for an exporter, to join with its other metrics.",
		[]string{"exporter", "name"}, nil)

	allDescs = []*prometheus.Desc{
		datagramsDesc, bytesDesc, recordsDesc, unratedDesc, lostDesc, lateDesc, awayDesc, duplicatesDesc, restartsDesc,
		templateMissesDesc, limitedDesc, unsampledDesc, rateDesc, lastSeenDesc, infoDesc,
	}
)

// rest is the label of the exporters that have no metrics of their own.
const rest = "other"

// NewCollector returns the metrics of the exporters of t, one by one. At most
// Config.MaxSeries established exporters have metrics of their own; the place of one
// that is forgotten goes to the next that is heard of. All others are counted as
// exporter "other". What was counted there stays there when an exporter gets metrics of
// its own, which begin at 0 then, and what an exporter counted goes when it is
// forgotten: so no series ever goes back, and none jumps.
func NewCollector(t *Table) prometheus.Collector { return collector{t} }

type collector struct{ table *Table }

func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range allDescs {
		descs <- d
	}
}

// Collect makes sure that what has become too old is not counted as kept, also while
// nothing is received.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	c.table.catchUp()
	for _, s := range c.table.listedStates() {
		s.collect(metrics)
	}
	c.table.rest.collect(metrics, rest)
}

// listedStates returns the exporters that have counters of their own.
func (t *Table) listedStates() []*State {
	t.mu.Lock()
	defer t.mu.Unlock()
	listed := make([]*State, 0, t.listed)
	for _, s := range t.established.states.Values() {
		if s.counters.Load() != &t.rest {
			listed = append(listed, s)
		}
	}
	return listed
}

func (s *State) collect(metrics chan<- prometheus.Metric) {
	name := s.address.String()
	s.counters.Load().collect(metrics, name)
	metrics <- prometheus.MustNewConstMetric(lastSeenDesc, prometheus.GaugeValue, float64(s.now())/nanoseconds, name)
	if rate := s.inUse.Load(); rate > 0 {
		metrics <- prometheus.MustNewConstMetric(rateDesc, prometheus.GaugeValue, float64(rate), name)
	}
	if given := s.override.Load().Name; given != "" {
		metrics <- prometheus.MustNewConstMetric(infoDesc, prometheus.GaugeValue, 1, name, given)
	}
}

// collect gives nothing of protocols that nothing was received of.
func (c *counters) collect(metrics chan<- prometheus.Metric, exporter string) {
	for _, p := range flow.Protocols {
		if counts := c.of(p); counts.datagrams.Load() > 0 {
			counts.collect(metrics, exporter, p)
		}
	}
	metrics <- prometheus.MustNewConstMetric(limitedDesc, prometheus.CounterValue, value(&c.limitedFlows), exporter)
	metrics <- prometheus.MustNewConstMetric(unsampledDesc, prometheus.CounterValue, value(&c.unsampled), exporter)
}

func (c *protocolCounters) collect(metrics chan<- prometheus.Metric, exporter string, p flow.Protocol) {
	name, unit := p.String(), unit(p)
	metrics <- prometheus.MustNewConstMetric(datagramsDesc, prometheus.CounterValue, value(&c.datagrams), exporter, name)
	metrics <- prometheus.MustNewConstMetric(bytesDesc, prometheus.CounterValue, value(&c.bytes), exporter, name)
	metrics <- prometheus.MustNewConstMetric(recordsDesc, prometheus.CounterValue, value(&c.records), exporter, name)
	metrics <- prometheus.MustNewConstMetric(unratedDesc, prometheus.CounterValue, value(&c.unrated), exporter, name)
	metrics <- prometheus.MustNewConstMetric(lostDesc, prometheus.CounterValue, value(&c.lost), exporter, name, unit)
	metrics <- prometheus.MustNewConstMetric(lateDesc, prometheus.CounterValue, value(&c.late), exporter, name, unit)
	metrics <- prometheus.MustNewConstMetric(awayDesc, prometheus.CounterValue, value(&c.away), exporter, name, unit)
	metrics <- prometheus.MustNewConstMetric(duplicatesDesc, prometheus.CounterValue, value(&c.duplicates), exporter, name)
	metrics <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, value(&c.restarts), exporter, name)
	metrics <- prometheus.MustNewConstMetric(templateMissesDesc, prometheus.CounterValue, value(&c.templateMisses), exporter, name)
}

func value(n *atomic.Uint64) float64 { return float64(n.Load()) }
