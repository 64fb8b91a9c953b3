package scamper

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/pb"
)

// jsonCycle is the cycle that the measurements of the lines that follow belong to.
type jsonCycle struct {
	ID       uint32 `json:"id"`
	List     string `json:"list_name"`
	Hostname string `json:"hostname"`
}

// jsonObject is a line: a trace, a ping, or the beginning or end of a cycle.
type jsonObject struct {
	Type string `json:"type"`
	jsonCycle

	UserID     uint32     `json:"userid"`
	Method     string     `json:"method"`
	Src        netip.Addr `json:"src"`
	Dst        netip.Addr `json:"dst"`
	StopReason string     `json:"stop_reason"`
	Start      struct {
		Seconds uint64 `json:"sec"`
	} `json:"start"`

	Probes uint32    `json:"probe_count"` // of a trace
	Hops   []jsonHop `json:"hops"`

	Sent      uint32      `json:"ping_sent"`
	Responses []jsonReply `json:"responses"`
}

type jsonReply struct {
	Probe    uint16  `json:"seq"`
	RTT      float64 `json:"rtt"` // milliseconds
	Protocol string  `json:"reply_proto"`
	Type     uint8   `json:"icmp_type"`
	Code     uint8   `json:"icmp_code"`
}

type jsonHop struct {
	Address    netip.Addr `json:"addr"`
	TTL        uint8      `json:"probe_ttl"`
	Attempt    uint32     `json:"probe_id"`
	RTT        float64    `json:"rtt"` // milliseconds
	ReplyTTL   uint8      `json:"reply_ttl"`
	Type       uint8      `json:"icmp_type"`
	Code       uint8      `json:"icmp_code"`
	Extensions []struct {
		Labels []struct {
			Label uint32 `json:"mpls_label"`
		} `json:"mpls_labels"`
	} `json:"icmpext"`
}

// parse reads a line into memory that is used again.
func (d *decoder) parse(line []byte) error {
	hops := d.object.Hops[:cap(d.object.Hops)]
	clear(hops)
	replies := d.object.Responses[:cap(d.object.Responses)]
	clear(replies)
	d.object = jsonObject{Hops: hops[:0], Responses: replies[:0]}
	return json.Unmarshal(line, &d.object)
}

// skipLine learns of the cycle that a line begins.
func (d *decoder) skipLine(line []byte) {
	if !strings.Contains(string(line[:min(len(line), 32)]), `"cycle-`) { // nearly all
		return
	}
	if d.parse(line) == nil {
		d.cycled()
	}
}

// cycled tells whether the line is about a cycle, whose beginning it notes.
func (d *decoder) cycled() bool {
	switch d.object.Type {
	case "cycle-start", "cycle-def":
		d.cycle = d.object.jsonCycle
	case "cycle-stop":
		d.cycle = jsonCycle{}
	default:
		return false
	}
	return true
}

// decodeLine decodes a line into a trace that is empty, or says why not.
func (d *decoder) decodeLine(line []byte, t *flow.Trace) (importer.Reason, string) {
	if err := d.parse(line); err != nil {
		return importer.BadValue, err.Error()
	}
	if d.cycled() {
		return importer.Aside, ""
	}
	o := &d.object
	t.Time, t.SrcAddr, t.DstAddr = o.Start.Seconds, o.Src.WithZone(""), o.Dst.WithZone("")
	t.Method, t.StopReason, t.UserID = o.Method, strings.ToLower(o.StopReason), o.UserID
	t.List, t.CycleID, t.Monitor = d.cycle.List, d.cycle.ID, d.cycle.Hostname
	if t.Monitor == "" {
		t.Monitor = d.monitor
	}
	switch o.Type {
	case "trace":
		o.trace(t)
	case "ping":
		o.ping(t, &d.ping)
	default:
		return OtherType, ""
	}
	return importer.Sent, ""
}

func (o *jsonObject) trace(t *flow.Trace) {
	t.Kind, t.Sent, t.Replies = pb.Trace_TRACE, o.Probes, uint32(len(o.Hops))
	for i, h := range o.Hops {
		t.HopTTL, t.HopAttempt, t.HopAddress = append(t.HopTTL, uint32(h.TTL)), append(t.HopAttempt, h.Attempt), append(t.HopAddress, h.Address.WithZone(""))
		t.HopRTT, t.HopReplyTTL = append(t.HopRTT, micros(h.RTT)), append(t.HopReplyTTL, uint32(h.ReplyTTL))
		t.HopICMPType, t.HopICMPCode = append(t.HopICMPType, uint32(h.Type)), append(t.HopICMPCode, uint32(h.Code))
		for _, e := range h.Extensions {
			for _, l := range e.Labels {
				t.MPLSHop, t.MPLSLabel = append(t.MPLSHop, uint32(i+1)), append(t.MPLSLabel, l.Label)
			}
		}
	}
}

// ping sums up replies by itself: scamper's own statistics count errors of routers, too.
func (o *jsonObject) ping(t *flow.Trace, s *pingStatistics) {
	t.Kind, t.Sent = pb.Trace_PING, o.Sent
	s.begin(t)
	for _, r := range o.Responses {
		s.add(uint32(r.Probe), protocols[r.Protocol], uint32(r.Type)<<8|uint32(r.Code), micros(r.RTT))
	}
	s.store(t)
}

var protocols = map[string]uint32{"tcp": tcp, "udp": udp}

// micros makes whole microseconds of milliseconds; it is 0 for what cannot be.
func micros(ms float64) uint32 {
	us := math.Round(ms * 1000)
	if us < 0 || us > math.MaxUint32 {
		return 0
	}
	return uint32(us)
}
