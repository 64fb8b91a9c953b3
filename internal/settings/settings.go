// Package settings reads what people tell NetMeta about their network: names of
// exporters, interfaces, VLANs, hosts and networks, and what is special about an
// exporter.
//
// The keys are those of netmeta: config: in deploy/single-node, so that one file serves
// a cluster and a standalone instance. A file is CUE, YAML or JSON; the keys stand at its
// top, or, as in config_local.cue, in netmeta: config:.
package settings

import (
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// Settings are what a file says. The zero value says nothing.
type Settings struct {
	Exporters      map[netip.Addr]Exporter    // key sampler
	Interfaces     map[InterfaceKey]Interface // keys interfaceMap and sampler.ADDRESS.interface
	VLANs          map[VLANKey]string         // keys vlans and sampler.ADDRESS.vlan
	Hosts          map[netip.Addr]string      // key hosts
	Networks       map[netip.Prefix]Network   // key networks
	NetworkSources []NetworkSource            // key networkSources
	Autnums        map[uint32]Autnum          // key userData.autnums
	SNMP           []SNMP                     // key snmp
	ReverseDNS     *ReverseDNS                // key reverseDNS; nil: off
	GeoIP          *GeoIP                     // key geoip; nil: none
}

// Exporter is what is known of an exporter. Zero values say nothing.
type Exporter struct {
	Name                string // key device
	Description         string
	Site                string
	Group               string
	Boundary            string // of its interfaces that have none of their own
	SamplingRate        uint32 // packets per sample, whatever the exporter says
	DefaultSamplingRate uint32 // packets per sample where the exporter says nothing
	MaxFlowsPerSecond   uint32
	AnonymizeAddresses  bool // cut off to /24 and /48 before they are stored
}

// InterfaceKey names an interface: numbers are unique only within an exporter.
type InterfaceKey struct {
	Exporter netip.Addr
	Index    uint32 // ifIndex
}

// Interface is what is known of an interface.
type Interface struct {
	Description string
	Group       string // transit, peering, customer: whatever people group by
	Boundary    string // External, Internal, or empty
	Speed       uint64 // bits per second, 0: not given
}

// Sides of a boundary.
const (
	External = "external"
	Internal = "internal"
)

// VLANKey names a VLAN. An exporter that is the zero value is any.
type VLANKey struct {
	Exporter netip.Addr
	VLAN     uint32
}

// Network is what is known of a network.
type Network struct {
	Name, Role, Site, Tenant string
	Boundary                 string // Internal: own
}

// NetworkSource is a file or URL that lists networks.
type NetworkSource struct {
	Name     string        // for messages: where it comes from
	URL      string        // http:// or https://, or empty
	File     string        // path, or empty
	Format   string        // csv or json
	Interval time.Duration // between two looks at it
}

// Autnum is the name of an autonomous system.
type Autnum struct {
	Name    string
	Country string // two letters (ISO 3166-1), or empty

	Boundary string // Internal: its addresses are own
}

// SNMP says how the SNMP agents of exporters are asked for the names of interfaces.
type SNMP struct {
	Exporters     []netip.Prefix // that it is for, at least one
	Version       string         // "2c" or "3"
	Port          uint16
	Timeout       time.Duration // for one answer
	Community     string        // of version 2c
	CommunityFile string        // instead: a file that has it

	// Of version 3.
	User                string
	AuthProtocol        string // "", MD5, SHA, SHA224, SHA256, SHA384 or SHA512
	AuthPassword        string
	AuthPasswordFile    string
	PrivacyProtocol     string // "", DES, AES, AES192 or AES256
	PrivacyPassword     string
	PrivacyPasswordFile string
}

// ReverseDNS asks the DNS for names of hosts.
type ReverseDNS struct {
	Networks         []netip.Prefix // whose addresses are asked for
	QueriesPerSecond int
	Lifetime         time.Duration // of an answer
}

// GeoIP is a database in MaxMind's format, which says in which country and city networks
// are: a file or URL.
type GeoIP struct {
	Name     string        // for messages: where it comes from
	URL      string        // http:// or https://, or empty
	File     string        // path, or empty
	Interval time.Duration // between two looks at it
}

// Overrides are what collectors have to know of exporters.
func (s *Settings) Overrides() map[netip.Addr]exporter.Override {
	overrides := make(map[netip.Addr]exporter.Override, len(s.Exporters))
	for address, e := range s.Exporters {
		overrides[address] = exporter.Override{
			Name: e.Name, SamplingRate: e.SamplingRate, DefaultSamplingRate: e.DefaultSamplingRate, MaxFlowsPerSecond: e.MaxFlowsPerSecond,
		}
	}
	return overrides
}

// MaxText is how long a name or description may be, in bytes: ifAlias has 64, and some
// devices take 255.
const MaxText = 255
