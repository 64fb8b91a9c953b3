package main

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

// group is a section of protocols.md: fields that answer one kind of question.
type group struct {
	title  string
	fields string // names, in the order in which they are shown
}

var groups = []group{
	{"Where it comes from", "Type TimeReceived SamplerAddress ObservationDomain SequenceNum"},
	{"Volume and sampling", "Bytes Packets SamplingRate SamplingRateSource"},
	{"Times", "TimeFlowStart TimeFlowEnd FlowEndReason"},
	{"Addresses", "SrcAddr DstAddr Etype"},
	{"IP header", "Proto IPTos IPTTL IPv6FlowLabel FragmentId FragmentOffset"},
	{"Ports, TCP, ICMP", "SrcPort DstPort TCPFlags IcmpType IcmpCode"},
	{"Interfaces and direction", "InIf OutIf FlowDirection HasFlowDirection BiFlowDirection ForwardingStatus IngressVrfID EgressVrfID"},
	{"Ethernet, VLAN, PPP", "SrcMac DstMac VlanId SrcVlan DstVlan HasPPP PPPAddressControl"},
	{"MPLS", "HasMPLS MPLSCount MPLS1Label MPLS1TTL MPLS2Label MPLS2TTL MPLS3Label MPLS3TTL MPLSLastLabel MPLSLastTTL"},
	{"Routing and BGP", "NextHop NextHopAS BGPNextHop SrcAS DstAS SrcNet DstNet ASPath Communities"},
	{"Tunnels", "HasEncap TunnelType VNI SrcAddrEncap DstAddrEncap EtypeEncap ProtoEncap SrcPortEncap DstPortEncap TCPFlagsEncap IPTosEncap IPTTLEncap IPv6FlowLabelEncap FragmentIdEncap FragmentOffsetEncap"},
	{"Address translation and firewalls", "PostNATSrcAddr PostNATSrcPort PostNATDstAddr PostNATDstPort NATEvent FirewallEvent"},
	{"Applications", "ApplicationID ApplicationName"},
	{"Requests in logs of web servers", "HTTPMethod HTTPHost HTTPPath HTTPStatus HTTPDuration TLSVersion"},
}

//go:embed protocols.md.tmpl
var protocolsText string

var protocolsTemplate = template.Must(template.New("protocols.md").Parse(protocolsText))

// protocolsPage returns the page that shows which part of each protocol fills which
// field. Every field has to be in one group.
func protocolsPage(fields []catalog.Field) (string, error) {
	byName := map[string]catalog.Field{}
	for _, f := range fields {
		byName[f.Name] = f
	}
	var tables strings.Builder
	for _, g := range groups {
		var members []catalog.Field
		for _, name := range strings.Fields(g.fields) {
			f, ok := byName[name]
			if !ok {
				return "", fmt.Errorf("group %q: there is no field %s that is not in a group yet", g.title, name)
			}
			delete(byName, name)
			members = append(members, f)
		}
		fmt.Fprintf(&tables, "### %s\n\n", g.title)
		writeTable(&tables, matrix, members)
		tables.WriteString("\n")
	}
	for name := range byName {
		return "", fmt.Errorf("field %s is in no group of protocols.go", name)
	}
	var page strings.Builder
	err := protocolsTemplate.Execute(&page, struct{ Fields, Elements string }{strings.TrimSpace(tables.String()), elementTable(fields)})
	return page.String(), err
}

// matrix is the table of a group. Its columns are always there, so that an empty one
// tells that a protocol knows nothing of the subject.
var matrix = []column{
	{"Field", func(f catalog.Field) string { return f.Name }},
	{"Column", columnText},
	{"sFlow", source(func(f catalog.Field) string { return f.SFlow })},
	{"NetFlow v5", source(func(f catalog.Field) string { return f.NetFlow5 })},
	{"NetFlow v9, IPFIX", source(func(f catalog.Field) string { return f.NetFlow9 })},
}

// source shows where a protocol carries a field; a field that none carries is the
// collector's own.
func source(of func(catalog.Field) string) func(catalog.Field) string {
	return func(f catalog.Field) string {
		if f.SFlow+f.NetFlow5+f.NetFlow9 == "" {
			return "*collector*"
		}
		if text := of(f); text != "" {
			return text
		}
		return "–"
	}
}
