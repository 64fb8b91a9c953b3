// Package gcpvpc decodes VPC flow logs of Google Cloud as Cloud Logging exports them: a
// LogEntry of JSON a line ("VPC Flow Logs records" in the VPC documentation).
//
// A line is what one virtual machine's interface saw of one direction of a connection in
// an aggregation interval. doc/import.md says what becomes of each field.
package gcpvpc

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/pb"
)

// Source is the name of this kind of file.
const Source = "gcp-vpc"

// OtherLog is the Reason for entries of other logs.
const OtherLog importer.Reason = "other_log"

// Options say what a log does not.
type Options struct {
	// Sampling is the secondary sampling rate of the subnet (logConfig.flowSampling),
	// between 0 and 1: the part of the records that Google keeps. What it samples before,
	// packets, is already made up for in the records.
	Sampling float64
	// Exporter is stored as the exporter's address instead of one made of project and VPC.
	Exporter netip.Addr
}

// Format returns how files are read.
func Format(o Options) (importer.Format, error) {
	if !(o.Sampling > 0 && o.Sampling <= 1) {
		return importer.Format{}, fmt.Errorf("a sampling rate of %v: it is above 0 and at most 1, as in the subnet's settings", o.Sampling)
	}
	rate := math.Round(1 / o.Sampling)
	return importer.Format{Source: Source, Records: "lines", New: func(string) (importer.Decoder, error) {
		return &decoder{options: o, rate: uint64(rate), scale: 1 / o.Sampling / rate}, nil
	}}, nil
}

type decoder struct {
	importer.Lines
	options Options
	rate    uint64
	scale   float64 // of counts, where 1/Sampling is no whole number
	entry   entry
	record  flow.Record
}

// entry is a LogEntry, as far as it is kept. Numbers of 64 bits are text in JSON.
type entry struct {
	Payload *struct {
		Connection struct {
			Source          string `json:"src_ip"`
			SourcePort      uint16 `json:"src_port"`
			Destination     string `json:"dest_ip"`
			DestinationPort uint16 `json:"dest_port"`
			Protocol        uint8  `json:"protocol"`
		} `json:"connection"`
		Reporter            string      `json:"reporter"`
		Bytes               json.Number `json:"bytes_sent"`
		Packets             json.Number `json:"packets_sent"`
		Start               string      `json:"start_time"`
		End                 string      `json:"end_time"`
		SourceInstance      instance    `json:"src_instance"`
		DestinationInstance instance    `json:"dest_instance"`
		SourceVPC           vpc         `json:"src_vpc"`
		DestinationVPC      vpc         `json:"dest_vpc"`
		SourcePlace         location    `json:"src_location"`
		DestinationPlace    location    `json:"dest_location"`
	} `json:"jsonPayload"`
	LogName  string `json:"logName"`
	Resource struct {
		Labels struct {
			Project    string `json:"project_id"`
			Subnetwork string `json:"subnetwork_id"`
		} `json:"labels"`
	} `json:"resource"`
}

type instance struct {
	Name string `json:"vm_name"`
}

type vpc struct {
	Project string `json:"project_id"`
	Name    string `json:"vpc_name"`
}

type location struct {
	ASN uint32 `json:"asn"`
}

// State implements importer.Decoder.
func (*decoder) State() string { return "" }

// Decode implements importer.Decoder.
func (d *decoder) Decode(record []byte, out *importer.Output) importer.Reason {
	line, reason := d.Line(record)
	if reason != importer.Sent {
		return reason
	}
	d.entry = entry{}
	e := &d.entry
	if err := json.Unmarshal(line, e); err != nil {
		out.Problem = err.Error()
		if line[0] == '[' || line[0] == ' ' {
			out.Problem = "an entry a line is needed, as log sinks write them: turn an array into that with jq -c '.[]'"
		}
		return importer.BadValue
	}
	if e.LogName != "" && !strings.Contains(e.LogName, "vpc_flows") || e.Payload == nil {
		return OtherLog
	}
	return d.finish(e, out)
}

func (d *decoder) finish(e *entry, out *importer.Output) importer.Reason {
	p, r := e.Payload, &d.record
	*r = flow.Record{
		Type: pb.FlowMessage_GCP_VPC, SamplingRate: d.rate, SamplingRateSource: pb.FlowMessage_RATE_CONFIGURED,
		SrcPort: uint32(p.Connection.SourcePort), DstPort: uint32(p.Connection.DestinationPort), Proto: uint32(p.Connection.Protocol),
		SrcAS: p.SourcePlace.ASN, DstAS: p.DestinationPlace.ASN,
	}
	var err error
	if r.SrcAddr, err = address(p.Connection.Source); err == nil {
		r.DstAddr, err = address(p.Connection.Destination)
	}
	if err == nil {
		r.Bytes, err = d.count(p.Bytes)
	}
	if err == nil {
		r.Packets, err = d.count(p.Packets)
	}
	if err != nil {
		out.Problem = err.Error()
		return importer.BadValue
	}
	if !setTimes(r, p.Start, p.End) {
		out.Problem = fmt.Sprintf("start_time is %+q, end_time %+q", p.Start, p.End)
		return importer.BadTime
	}
	r.TimeReceived = importer.Received(r.TimeFlowEnd, out.Now)
	if r.TimeReceived != r.TimeFlowEnd {
		out.Ahead()
	}
	r.Etype = 0x0800
	if r.SrcAddr.Is6() {
		r.Etype = 0x86dd
	}
	own, name := p.SourceVPC, p.SourceInstance.Name
	switch p.Reporter {
	case "SRC":
		r.FlowDirection, r.HasFlowDirection = 1, true
	case "DEST":
		own, name = p.DestinationVPC, p.DestinationInstance.Name
		r.HasFlowDirection = true
	}
	if own.Project == "" {
		own.Project = e.Resource.Labels.Project
	}
	r.ApplicationName = strings.ToValidUTF8(name, "")
	r.ObservationDomain = subnet(e.Resource.Labels.Subnetwork)
	r.SamplerAddress = d.options.Exporter
	if !r.SamplerAddress.IsValid() {
		r.SamplerAddress = exporterOf(own)
	}
	out.Flow(r)
	return importer.Sent
}

func setTimes(r *flow.Record, start, end string) bool {
	from, err := time.Parse(time.RFC3339, start)
	to, errTo := time.Parse(time.RFC3339, end)
	if errTo != nil {
		to, errTo = from, err
	}
	if err != nil {
		from, err = to, errTo
	}
	r.TimeFlowStart, r.TimeFlowEnd = uint64(max(from.Unix(), 0)), uint64(max(to.Unix(), 0))
	return err == nil && importer.Plausible(r.TimeFlowStart) && importer.Plausible(r.TimeFlowEnd)
}

func address(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("the connection has the address %+q", text[:min(len(text), 60)])
	}
	return a.Unmap(), nil
}

// count returns a number, so that it is right after it is multiplied by the rate.
func (d *decoder) count(n json.Number) (uint64, error) {
	if n == "" {
		return 0, nil
	}
	count, err := strconv.ParseUint(string(n), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("a count is %+q", string(n[:min(len(n), 60)]))
	}
	if d.scale != 1 {
		count = uint64(math.Round(float64(count) * d.scale))
	}
	return count, nil
}

// subnet returns the lower 32 bits of a subnetwork's id, which is a number.
func subnet(id string) uint32 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// exporterOf makes an address of a hash of project and VPC: fd67:6370 has the letters gcp,
// and fd00::/8 are addresses that everybody may use inside (RFC 4193).
func exporterOf(v vpc) netip.Addr {
	h := fnv.New64a()
	_, _ = h.Write([]byte(v.Project + "/" + v.Name)) // never fails
	b := [16]byte{0: 0xfd, 1: 'g', 2: 'c', 3: 'p'}
	copy(b[8:], h.Sum(nil))
	return netip.AddrFrom16(b)
}
