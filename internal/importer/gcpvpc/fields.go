package gcpvpc

import (
	"net/netip"
	"strconv"

	"github.com/leoluk/NetMeta/internal/importer/jsonline"
)

type field = jsonline.Field[entry]

// fields are those of an entry that are kept.
var fields = []field{
	{Name: "logName", Set: keep(func(e *entry) *[]byte { return &e.logName })},
	{Name: "resource", Fields: []field{{Name: "labels", Fields: []field{
		{Name: "project_id", Set: keep(func(e *entry) *[]byte { return &e.project })},
		{Name: "subnetwork_id", Set: setSubnetwork},
	}}}},
	{Name: "jsonPayload", Set: func(e *entry, v []byte) bool { e.payload = true; return v == nil }, Fields: []field{
		{Name: "connection", Fields: []field{
			{Name: "src_ip", Set: address(func(e *entry) *netip.Addr { return &e.srcAddr })},
			{Name: "dest_ip", Set: address(func(e *entry) *netip.Addr { return &e.dstAddr })},
			{Name: "src_port", Set: number(16, func(e *entry) *uint64 { return &e.srcPort })},
			{Name: "dest_port", Set: number(16, func(e *entry) *uint64 { return &e.dstPort })},
			{Name: "protocol", Set: number(8, func(e *entry) *uint64 { return &e.proto })},
		}},
		{Name: "reporter", Set: keep(func(e *entry) *[]byte { return &e.reporter })},
		{Name: "bytes_sent", Set: number(63, func(e *entry) *uint64 { return &e.bytes })},
		{Name: "packets_sent", Set: number(63, func(e *entry) *uint64 { return &e.packets })},
		{Name: "start_time", Set: keep(func(e *entry) *[]byte { return &e.start })},
		{Name: "end_time", Set: keep(func(e *entry) *[]byte { return &e.end })},
		{Name: "src_instance", Fields: []field{{Name: "vm_name", Set: keep(func(e *entry) *[]byte { return &e.srcVM })}}},
		{Name: "dest_instance", Fields: []field{{Name: "vm_name", Set: keep(func(e *entry) *[]byte { return &e.dstVM })}}},
		{Name: "src_vpc", Fields: vpcFields(func(e *entry) *vpc { return &e.srcVPC })},
		{Name: "dest_vpc", Fields: vpcFields(func(e *entry) *vpc { return &e.dstVPC })},
		{Name: "src_location", Fields: []field{{Name: "asn", Set: number(32, func(e *entry) *uint64 { return &e.srcAS })}}},
		{Name: "dest_location", Fields: []field{{Name: "asn", Set: number(32, func(e *entry) *uint64 { return &e.dstAS })}}},
	}},
}

func vpcFields(of func(e *entry) *vpc) []field {
	return []field{
		{Name: "project_id", Set: keep(func(e *entry) *[]byte { return &of(e).project })},
		{Name: "vpc_name", Set: keep(func(e *entry) *[]byte { return &of(e).name })},
	}
}

type setter = func(e *entry, value []byte) bool

func keep(of func(e *entry) *[]byte) setter {
	return func(e *entry, value []byte) bool {
		*of(e) = value
		return true
	}
}

// number takes numbers, also as text: JSON has none of 64 bits.
func number(bits int, of func(e *entry) *uint64) setter {
	return func(e *entry, value []byte) bool {
		n, err := strconv.ParseUint(text(value), 10, bits)
		*of(e) = n
		return err == nil
	}
}

func address(of func(e *entry) *netip.Addr) setter {
	return func(e *entry, value []byte) bool {
		a, err := netip.ParseAddr(text(value)) // which keeps only zones
		if err != nil || a.Zone() != "" {
			return false
		}
		*of(e) = a.Unmap()
		return true
	}
}

// setSubnetwork takes a subnetwork's id, which is a number, or else nothing.
func setSubnetwork(e *entry, value []byte) bool {
	e.subnetwork, _ = strconv.ParseUint(text(value), 10, 64)
	return true
}
