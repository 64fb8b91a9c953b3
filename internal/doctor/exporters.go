package doctor

import (
	"fmt"
)

// diagnoseExporters looks at what exporters say, and at what is not taken from them.
func diagnoseExporters(f Facts) *Stage {
	s := &Stage{ID: "exporters", Title: "Exporters"}
	answering := f.answering()
	if len(answering) == 0 {
		return s.skip("--metrics or --data-dir of a collector that answers")
	}
	for _, c := range answering {
		c.diagnoseRefusals(s)
		c.diagnoseRates(s)
		c.diagnoseGaps(s)
		limited := c.Readings.by("netmeta_exporter_limited_flows_total", "exporter", nil)
		for _, exporter := range sorted(limited) {
			if _, text, ok := c.lost(limited[exporter], c.Readings.total("netmeta_exporter_records_total", is("exporter", exporter))); ok {
				s.add(Warning, c.says(fmt.Sprintf("%s flows of %s are above its limit; the sampling rate of the others was raised for them", text, exporter)),
					"Let the exporter sample less, or raise its limit in the file of --exporters.")
			}
		}
		if known := c.Readings.total("netmeta_exporters", nil).Value; known > 0 {
			s.add(OK, c.says(many(known, "exporter")+" known"), "")
		}
	}
	return s
}

// diagnoseRefusals says how much was not looked at because of --allow.
func (c Collector) diagnoseRefusals(s *Stage) {
	taken := c.Readings.total("netmeta_exporter_datagrams_total", nil)
	c.diagnoseListeners(s, "netmeta_collect_refused_datagrams_total", taken, "%s datagrams at %s are of addresses that --allow does not have",
		"If the exporter is yours, add its address to --allow; tcpdump -ni any udp shows it.")
}

// diagnoseRates says whose flows are counted as if they were not sampled.
func (c Collector) diagnoseRates(s *Stage) {
	unknown := c.Readings.by("netmeta_exporter_unknown_rate_records_total", "exporter", nil)
	for _, exporter := range sorted(unknown) {
		records := c.Readings.total("netmeta_exporter_records_total", is("exporter", exporter))
		u := unknown[exporter]
		// What an exporter sent before its first options does not matter for long.
		if u.Growth == 0 && u.Value*2 < records.Value || u.Value == 0 {
			continue
		}
		s.add(Warning, c.says(fmt.Sprintf("the sampling rate of %s is unknown: %s of its %s flows count as if nothing was sampled, so its traffic looks too small", exporter, count(u.Value), count(records.Value))),
			"Have the exporter send its sampling rate (option templates), give it in the file of --exporters, or restart with --default-sampling-rate.")
	}
	unsampled := c.Readings.by("netmeta_exporter_unsampled_packets_total", "exporter", nil)
	for _, exporter := range sorted(unsampled) {
		if unsampled[exporter].Growth > 0 {
			s.add(Warning, c.says(fmt.Sprintf("%s cannot sample %s packets in %s, for lack of resources", exporter, count(unsampled[exporter].Growth), span(c.Over))),
				"Have the agent sample one in more packets.")
		}
	}
}

// diagnoseGaps says what is missing in sequence numbers.
func (c Collector) diagnoseGaps(s *Stage) {
	lost := c.Readings.by("netmeta_exporter_lost_total", "exporter", nil)
	late := c.Readings.by("netmeta_exporter_late_total", "exporter", nil)
	kernel := c.Readings.total("netmeta_listen_kernel_drops_total", nil)
	for _, exporter := range sorted(lost) {
		missing := Reading{
			Value:  max(0, lost[exporter].Value-late[exporter].Value),
			Growth: max(0, lost[exporter].Growth-late[exporter].Growth),
		}
		// Sequence numbers count datagrams or records: the larger number is on the safe side.
		passed := c.Readings.total("netmeta_exporter_records_total", is("exporter", exporter))
		level, text, ok := c.lost(missing, passed)
		if !ok || kernel.Value >= missing.Value {
			continue // told of as drops of the kernel
		}
		if level == Problem && passed.Growth > 0 {
			level = Warning
		}
		s.add(level, c.says(fmt.Sprintf("%s are missing in the sequence numbers of %s", text, exporter)),
			"They are lost on the way: look for drops at the exporter's own export statistics, at interfaces, policers and firewalls in between.")
	}
	duplicates := c.Readings.by("netmeta_exporter_duplicate_datagrams_total", "exporter", nil)
	for _, exporter := range sorted(duplicates) {
		if duplicates[exporter].Growth > 0 {
			s.add(Warning, c.says("datagrams of "+exporter+" come twice, and their flows are stored twice"),
				"Look for a mirrored port, or for two exporters with the same address and id.")
		}
	}
}
