package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// silence is how long nothing may arrive before that is a problem. Exporters are silent
// for a while when there is little traffic.
const silence = 2 * time.Minute

const firewall = "Check that the exporter sends to this host's address and port (the console's page Setup has the lines to configure), and that no firewall drops it: tcpdump -ni any udp shows datagrams before the firewall does. netmeta doctor --probe sends a flow from here."

// receivers are the checks of /readyz that are about sockets: collector is that of
// standalone.
var receivers = []string{"sflow", "netflow", "netflow-legacy", "collector"}

// diagnoseSockets looks at what comes to the collectors.
func diagnoseSockets(f Facts) *Stage {
	s := &Stage{ID: "sockets", Title: "Sockets"}
	if len(f.Collectors) == 0 {
		return s.skip("--metrics or --data-dir")
	}
	for _, socket := range f.Sockets {
		if !socket.Bound {
			s.add(Problem, fmt.Sprintf("nothing is bound to UDP %s, which %s datagrams are sent to", socket.Address, socket.Listener),
				"Start netmeta-standalone again; its log says why a socket could not be opened.")
		}
	}
	for _, c := range f.Collectors {
		if c.Err != nil {
			s.add(Problem, fmt.Sprintf("the collector at %s does not answer: %v", c.Name, c.Err),
				"See that it runs, and what its log ends with. If it runs, is --metrics its address?")
			continue
		}
		c.diagnoseArrival(s, f.Time)
		c.diagnoseSocketLosses(s)
	}
	return s
}

// diagnoseArrival says whether datagrams come.
func (c Collector) diagnoseArrival(s *Stage, now time.Time) {
	datagrams := c.Readings.total("netmeta_listen_datagrams_total", nil)
	for _, failing := range c.Failing {
		if slices.Contains(receivers, failing.Name) {
			s.add(Problem, c.says(failing.Error), "Restart the collector: it does not read its sockets.")
		}
	}
	if datagrams.Value == 0 {
		s.add(Problem, c.says("no datagram has arrived since it was started"), firewall)
		return
	}
	seen := c.lastSeen()
	if age := now.Sub(seen); datagrams.Growth == 0 && !seen.IsZero() && age > silence {
		s.add(Problem, c.says("no datagram has arrived for "+span(age)), firewall)
		return
	}
	s.add(OK, c.says(fmt.Sprintf("%s, %s in the last %s", many(datagrams.Value, "datagram"), count(datagrams.Growth), span(c.Over))), "")
}

// lastSeen is when any exporter was heard of; zero where that is not known.
func (c Collector) lastSeen() (latest time.Time) {
	for _, r := range c.Readings["netmeta_exporter_last_seen_timestamp_seconds"] {
		if at := time.UnixMilli(int64(r.Value * 1000)); at.After(latest) {
			latest = at
		}
	}
	return latest
}

func (c Collector) diagnoseSocketLosses(s *Stage) {
	datagrams := c.Readings.total("netmeta_listen_datagrams_total", nil)
	c.diagnoseListeners(s, "netmeta_listen_kernel_drops_total", datagrams, "the kernel dropped %s datagrams at %s, because its buffer was full",
		"Against bursts: sysctl -w net.core.rmem_max=33554432 and --socket-buffer, then restart the collector. If it goes on, give it more processors, or let the exporters sample less.")
	errors := c.Readings.total("netmeta_listen_errors_total", nil)
	if errors.Growth > 0 {
		s.add(Warning, c.says("reading from a socket fails"), "The collector's log says why.")
	}
}

// decodeAdvice is what to do about a reason of decode errors, where there is more to say
// than of all.
var decodeAdvice = map[string]string{
	"version":   "Something else than NetFlow or IPFIX arrives there. Check that each exporter sends its protocol to the right port: sFlow 6343, NetFlow and IPFIX 2055.",
	"truncated": "Datagrams are cut off: is the MTU on the way smaller than what the exporter sends, or is it another protocol than the port is for?",
	"template":  "The exporter sends a template that cannot be used: report it with a capture (tcpdump -w).",
}

// diagnoseDecoding looks at what could not be read.
func diagnoseDecoding(f Facts) *Stage {
	s := &Stage{ID: "decoding", Title: "Decoding"}
	answering := f.answering()
	if len(answering) == 0 {
		return s.skip("--metrics or --data-dir of a collector that answers")
	}
	for _, c := range answering {
		records := c.Readings.total("netmeta_records_total", nil)
		// Sets whose template is missing are told of below, by exporter.
		readable := func(labels map[string]string) bool { return labels["reason"] != "unknown_template" }
		reasons := c.Readings.by("netmeta_decode_errors_total", "reason", readable)
		for _, reason := range sorted(reasons) {
			level, text, ok := c.lost(reasons[reason], records)
			if !ok {
				continue
			}
			do := decodeAdvice[reason]
			if do == "" {
				do = "The collector's log names the exporter. Keep a capture of it (tcpdump -w) and report it."
			}
			protocols := c.Readings.by("netmeta_decode_errors_total", "protocol", is("reason", reason))
			s.add(level, c.says(fmt.Sprintf("%s of %s could not be decoded: %s", text, strings.Join(sorted(protocols), ", "), reason)), do)
		}
		c.diagnoseTemplates(s)
		if records.Value > 0 {
			s.add(OK, c.says(fmt.Sprintf("%s, %s in the last %s", many(records.Value, "flow record"), count(records.Growth), span(c.Over))), "")
		} else if c.Readings.total("netmeta_listen_datagrams_total", nil).Value > 0 {
			s.add(Warning, c.says("no flow record has been decoded yet"), "")
		}
	}
	return s
}

const templates = "NetFlow v9 and IPFIX cannot be read before the exporter has sent its templates. Set its template refresh to a minute; look whether its larger datagrams are lost on the way."

// diagnoseTemplates says which exporters wait for their templates.
func (c Collector) diagnoseTemplates(s *Stage) {
	held := c.Readings.total("netmeta_exporter_held_sets", nil)
	misses := c.Readings.by("netmeta_exporter_template_misses_total", "exporter", nil)
	for _, exporter := range sorted(misses) {
		if misses[exporter].Growth == 0 && held.Value == 0 {
			continue
		}
		records := c.Readings.total("netmeta_exporter_records_total", is("exporter", exporter))
		level := Warning
		if records.Value == 0 || misses[exporter].Growth > 0 && records.Growth == 0 {
			level = Problem
		}
		name := exporter
		if exporter == "other" {
			name = "an exporter that was just heard of"
		}
		s.add(level, c.says(fmt.Sprintf("flows of %s wait for their template (%s came without it)", name, many(misses[exporter].Value, "data set"))), templates)
	}
	ended := c.Readings.by("netmeta_exporter_held_sets_total", "outcome", func(labels map[string]string) bool { return labels["outcome"] != "released" })
	for _, outcome := range sorted(ended) {
		if level, text, ok := c.lost(ended[outcome], c.Readings.total("netmeta_records_total", nil)); ok {
			s.add(level, c.says(fmt.Sprintf("%s data sets are lost, since their template did not come (%s)", text, outcome)), templates)
		}
	}
}

// answering are the collectors that have said something.
func (f Facts) answering() []Collector {
	return slices.DeleteFunc(slices.Clone(f.Collectors), func(c Collector) bool { return c.Err != nil })
}

// says puts the collector's name before what is said of it.
func (c Collector) says(what string) string { return c.Name + ": " + what }

// lost judges a counter of losses beside what passed: ok is false where nothing was
// lost, or too little and not lately. text says how much.
func (c Collector) lost(lost, passed Reading) (level Level, text string, ok bool) {
	switch {
	case lost.Growth > 0:
		level, text = Warning, fmt.Sprintf("%s in the last %s, %s in all", count(lost.Growth), span(c.Over), count(lost.Value))
		if mostly(lost.Growth, passed.Growth) {
			level = Problem
		}
	case lost.Value == 0 || lost.Value*1000 < passed.Value:
		return OK, "", false
	default:
		level, text = Warning, count(lost.Value)+" since its start, none just now,"
		if passed.Value == 0 {
			level = Problem
		}
	}
	return level, text, true
}

// diagnoseListeners says what each listener lost by a metric, beside what passed: what is
// said has places for how much, and for the listener.
func (c Collector) diagnoseListeners(s *Stage, metric string, passed Reading, what, do string) {
	lost := c.Readings.by(metric, "listener", nil)
	for _, listener := range sorted(lost) {
		if level, text, ok := c.lost(lost[listener], passed); ok {
			s.add(level, c.says(fmt.Sprintf(what, text, listener)), do)
		}
	}
}

// mostly tells that more than a tenth of what came was lost.
func mostly(lost, passed float64) bool { return lost*9 > passed }

// many writes a number with what it counts.
func many(n float64, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}

func count(n float64) string { return humanize.Comma(int64(n)) }

// span writes a time as people say it.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if strings.HasSuffix(text, "m"+zero) || strings.HasSuffix(text, "h"+zero) {
			text = strings.TrimSuffix(text, zero)
		}
	}
	return text
}
