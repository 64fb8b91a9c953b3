package awsvpc

import (
	"net/netip"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// What fields become, of the IANA registries and IEEE 802.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd

	forwarded    = 64  // forwardingStatus: forwarded
	deniedByRule = 129 // forwardingStatus: dropped, ACL deny
	dropped      = 130 // forwardingStatus: dropped, ACL drop
	denied       = 3   // firewallEvent

	ingress = 0
	egress  = 1
)

// setter takes the value of a field, and tells whether it can be one. A value of "-" is
// none and does not come here.
type setter func(r *record, value []byte) bool

// setters has every field of flow logs by its name. Those with nil are known and not
// kept.
var setters = map[string]setter{
	// version 2
	"version":      nil,
	"account-id":   setAccount,
	"interface-id": func(r *record, v []byte) bool { r.eni = idOf(v); return true },
	"srcaddr":      func(r *record, v []byte) bool { return setAddress(&r.srcAddr, v) },
	"dstaddr":      func(r *record, v []byte) bool { return setAddress(&r.dstAddr, v) },
	"srcport":      func(r *record, v []byte) bool { return setNumber(&r.SrcPort, v, 1<<16-1) },
	"dstport":      func(r *record, v []byte) bool { return setNumber(&r.DstPort, v, 1<<16-1) },
	"protocol":     func(r *record, v []byte) bool { return setNumber(&r.Proto, v, 1<<8-1) },
	"packets":      func(r *record, v []byte) bool { return setCount(&r.Packets, v) },
	"bytes":        func(r *record, v []byte) bool { return setCount(&r.Bytes, v) },
	"start":        func(r *record, v []byte) bool { return setCount(&r.TimeFlowStart, v) },
	"end":          func(r *record, v []byte) bool { return setCount(&r.TimeFlowEnd, v) },
	"action":       setAction,
	"log-status":   setStatus,
	// version 3
	"vpc-id":      func(r *record, v []byte) bool { r.vpc = idOf(v); return true },
	"subnet-id":   func(r *record, v []byte) bool { r.subnet = idOf(v); return true },
	"instance-id": nil,
	"tcp-flags":   func(r *record, v []byte) bool { return setNumber(&r.TCPFlags, v, 1<<8-1) },
	"type":        setType,
	"pkt-srcaddr": func(r *record, v []byte) bool { return setAddress(&r.packetSrc, v) },
	"pkt-dstaddr": func(r *record, v []byte) bool { return setAddress(&r.packetDst, v) },
	// version 4
	"region":           nil,
	"az-id":            nil,
	"sublocation-type": nil,
	"sublocation-id":   nil,
	// version 5
	"pkt-src-aws-service": setService,
	"pkt-dst-aws-service": setService,
	"flow-direction":      setDirection,
	"traffic-path":        nil,
	// version 6, of transit gateways
	"resource-type":              nil,
	"tgw-id":                     func(r *record, v []byte) bool { r.vpc = idOf(v); return true },
	"tgw-attachment-id":          func(r *record, v []byte) bool { r.eni = idOf(v); return true },
	"tgw-src-vpc-account-id":     nil,
	"tgw-dst-vpc-account-id":     nil,
	"tgw-src-vpc-id":             nil,
	"tgw-dst-vpc-id":             nil,
	"tgw-src-subnet-id":          func(r *record, v []byte) bool { r.subnet = idOf(v); return true },
	"tgw-dst-subnet-id":          nil,
	"tgw-src-eni":                nil,
	"tgw-dst-eni":                nil,
	"tgw-src-az-id":              nil,
	"tgw-dst-az-id":              nil,
	"tgw-pair-attachment-id":     nil,
	"packets-lost-no-route":      nil,
	"packets-lost-blackhole":     nil,
	"packets-lost-mtu-exceeded":  nil,
	"packets-lost-ttl-expired":   nil,
	"ecs-cluster-arn":            nil, // version 7, of containers
	"ecs-cluster-name":           nil,
	"ecs-container-instance-arn": nil,
	"ecs-container-instance-id":  nil,
	"ecs-container-id":           nil,
	"ecs-second-container-id":    nil,
	"ecs-service-name":           nil,
	"ecs-task-definition-arn":    nil,
	"ecs-task-arn":               nil,
	"ecs-task-id":                nil,
	"reject-reason":              setRejectReason, // version 8
}

// setAccount keeps the digits of an account, as hexadecimal ones. Other owners, such as
// "amazon-elb", have none.
func setAccount(r *record, v []byte) bool {
	account := uint64(0)
	for _, c := range v {
		if c < '0' || c > '9' {
			return true
		}
		account = account<<4 | uint64(c-'0')
	}
	r.account = account & (1<<48 - 1)
	return true
}

// idOf returns the last 32 bits of an id like eni-0123456789abcdef0.
func idOf(v []byte) (id uint32) {
	for _, c := range v[max(0, len(v)-8):] {
		switch {
		case c >= '0' && c <= '9':
			id = id<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			id = id<<4 | uint32(c-'a'+10)
		default:
			id = 0
		}
	}
	return id
}

func setAction(r *record, v []byte) bool {
	switch string(v) {
	case "ACCEPT":
		r.ForwardingStatus = forwarded
	case "REJECT":
		r.FirewallEvent = denied
		if r.ForwardingStatus == 0 {
			r.ForwardingStatus = deniedByRule
		}
	default:
		return false
	}
	return true
}

// setRejectReason: BPA is VPC Block Public Access, all others are rules.
func setRejectReason(r *record, v []byte) bool {
	if string(v) == "BPA" {
		r.ForwardingStatus = dropped
	}
	return true
}

func setStatus(r *record, v []byte) bool {
	switch string(v) {
	case "OK":
	case "NODATA":
		r.noData = true
	case "SKIPDATA":
		r.skipData = true
	default:
		return false
	}
	return true
}

func setType(r *record, v []byte) bool {
	switch string(v) {
	case "IPv4":
		r.Etype = etherIPv4
	case "IPv6":
		r.Etype = etherIPv6
	case "EFA": // Elastic Fabric Adapter: not IP
	default:
		return false
	}
	return true
}

func setDirection(r *record, v []byte) bool {
	switch string(v) {
	case "ingress":
		r.FlowDirection = ingress
	case "egress":
		r.FlowDirection = egress
	default:
		return false
	}
	r.HasFlowDirection = true
	return true
}

// setService keeps the name of the AWS service that an address belongs to. That of the
// destination, which comes later in all formats that AWS proposes, counts more.
func setService(r *record, v []byte) bool {
	if !utf8.Valid(v) {
		return false
	}
	r.ApplicationName = service(v)
	return true
}

// services are the names that AWS documents, so that none is allocated again.
var services = func() map[string]string {
	names := map[string]string{}
	for name := range strings.FieldsSeq(`AMAZON AMAZON_APPFLOW AMAZON_CONNECT API_GATEWAY AURORA_DSQL CHIME_MEETINGS
		CHIME_VOICECONNECTOR CLOUD9 CLOUDFRONT CLOUDFRONT_ORIGIN_FACING CODEBUILD DYNAMODB EBS EC2 EC2_INSTANCE_CONNECT
		GLOBALACCELERATOR IVS_LOW_LATENCY IVS_REALTIME KINESIS_VIDEO_STREAMS MEDIA_PACKAGE_V2 ROUTE53
		ROUTE53_HEALTHCHECKS ROUTE53_HEALTHCHECKS_PUBLISHING ROUTE53_RESOLVER S3 WORKSPACES_GATEWAYS`) {
		names[name] = name
	}
	return names
}()

func service(v []byte) string {
	if name, known := services[string(v)]; known {
		return name
	}
	return string(v)
}

// setAddress reads an IPv4 address in dotted form, or an IPv6 address (RFC 4291 section 2.2).
func setAddress(a *netip.Addr, v []byte) bool {
	if v4, ok := parseIPv4(v); ok {
		*a = netip.AddrFrom4(v4)
		return true
	}
	if len(v) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return false
	}
	parsed, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(v), len(v))) // which keeps only zones
	if err != nil || parsed.Zone() != "" {
		return false
	}
	*a = parsed.Unmap()
	return true
}

func parseIPv4(v []byte) (a [4]byte, ok bool) {
	part, value, digits := 0, uint32(0), 0
	for _, c := range v {
		if c == '.' {
			if digits == 0 || part == 3 {
				return a, false
			}
			a[part] = byte(value)
			part, value, digits = part+1, 0, 0
			continue
		}
		value = value*10 + uint32(c-'0')
		if digits++; c < '0' || c > '9' || value > 255 {
			return a, false
		}
	}
	a[part] = byte(value)
	return a, part == 3 && digits > 0
}

func setNumber(n *uint32, v []byte, most uint64) bool {
	var value uint64
	if !setCount(&value, v) || value > most {
		return false
	}
	*n = uint32(value)
	return true
}

// setCount reads a decimal number below 10^19.
func setCount(n *uint64, v []byte) bool {
	if len(v) > 19 || len(v) == 0 {
		return false
	}
	value := uint64(0)
	for _, c := range v {
		if c < '0' || c > '9' {
			return false
		}
		value = value*10 + uint64(c-'0')
	}
	*n = value
	return true
}
