package netflow

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/flow"
)

var reverseRecords = promauto.NewCounter(prometheus.CounterOpts{
	Name: "netmeta_netflow_reverse_records_total",
	Help: "Flow records made of the reverse direction of biflows (RFC 5103), which the records of their protocol include.",
})

// reverseEnterprise marks elements that say of the reverse direction of a biflow what
// IANA's element of the same number says of the forward one (RFC 5103 section 6.1).
const reverseEnterprise = 29305

// How the source of a biflow was chosen (RFC 5103 section 6.3).
const (
	biflowArbitrary        = 0
	biflowInitiator        = 1
	biflowReverseInitiator = 2
)

// reverseOf completes d.reverse.record, the flow from the destination of the biflow r
// to its source, and reports whether there was any traffic. What the two directions
// share is exchanged; what depends on the packets (flags, TTL, where they went next)
// is only known where the exporter says it of this direction. Both have the times of
// r if it gives them only once.
func (d *Decoder) reverseOf(r *flow.Record) bool {
	v := &d.reverse
	v.resolveCounters()
	if v.Bytes == 0 && v.Packets == 0 {
		return false
	}
	back := &v.Record
	back.SrcAddr, back.DstAddr = r.DstAddr, r.SrcAddr
	back.SrcNet, back.DstNet = r.DstNet, r.SrcNet
	back.SrcAS, back.DstAS = r.DstAS, r.SrcAS
	back.Etype, back.Proto = r.Etype, r.Proto
	back.SrcPort, back.DstPort = r.DstPort, r.SrcPort
	v.resolveTransport()
	v.resolveLink()
	v.resolveToS()
	back.SrcMac, back.DstMac = cmp.Or(back.SrcMac, r.DstMac), cmp.Or(back.DstMac, r.SrcMac)
	back.SrcVlan, back.DstVlan = cmp.Or(back.SrcVlan, r.DstVlan), cmp.Or(back.DstVlan, r.SrcVlan)
	back.VlanID = cmp.Or(back.VlanID, back.SrcVlan, r.VlanID)
	back.InIf, back.OutIf = cmp.Or(back.InIf, r.OutIf), cmp.Or(back.OutIf, r.InIf)
	back.IngressVrfID = cmp.Or(back.IngressVrfID, r.EgressVrfID)
	back.EgressVrfID = cmp.Or(back.EgressVrfID, r.IngressVrfID)
	if !back.HasFlowDirection {
		back.FlowDirection, back.HasFlowDirection = r.FlowDirection, r.HasFlowDirection
	}
	back.BiFlowDirection = reverseDirection(r.BiFlowDirection)

	back.TimeFlowStart, back.TimeFlowEnd = r.TimeFlowStart, r.TimeFlowEnd
	v.boot = d.values.boot
	if start, end := d.times(v); start != 0 || end != 0 {
		d.setTimes(back, start, end)
	}
	back.ApplicationID, back.ApplicationName = r.ApplicationID, r.ApplicationName
	back.FlowEndReason, back.FirewallEvent = r.FlowEndReason, r.FirewallEvent
	return true
}

// reverseDirection returns the biflowDirection of the flow whose source is the
// destination of the biflow. There is none for a source within a perimeter.
func reverseDirection(direction uint32) uint32 {
	switch direction {
	case biflowInitiator:
		return biflowReverseInitiator
	case biflowReverseInitiator:
		return biflowInitiator
	}
	return biflowArbitrary
}
