package settings

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// reader fills settings in.
type reader struct {
	settings *Settings
	whence   map[any]string // by what is there already, the key that has it
}

// keys are those of a file.
func (r *reader) keys() map[string]func(node) {
	return map[string]func(node){
		"sampler":        r.samplers,
		"interfaceMap":   r.interfaceMap,
		"vlans":          func(n node) { r.vlans(n, netip.Addr{}) },
		"hosts":          r.hosts,
		"networks":       r.networks,
		"networkSources": r.networkSources,
		"userData":       func(n node) { n.object(map[string]func(node){"autnums": r.autnums}) },
		"snmp":           r.snmp,
		"reverseDNS":     r.reverseDNS,
		"geoip":          r.geoip,
	}
}

// once notes what stands at a key, and refuses what is there already: addresses may be
// written in several ways.
func (r *reader) once(n node, what any, text string) bool {
	if at, ok := r.whence[what]; ok {
		n.fail("%s is there already, at %s", text, at)
		return false
	}
	set(&r.whence, what, n.key)
	return true
}

// set puts an entry into a map that may be nil.
func set[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = value
}

func (r *reader) samplers(n node) {
	for key, value := range n.entries() {
		n := n.child(key, value)
		address, ok := node{n.key, key, n.problems}.address()
		if ok && r.once(n, address, address.String()) {
			r.sampler(n, address)
		}
	}
}

func (r *reader) sampler(n node, address netip.Addr) {
	var e Exporter
	rate := func(to *uint32, least uint64) func(node) {
		return func(n node) { *to = uint32(n.number(least, 1<<32-1)) }
	}
	text := func(to *string) func(node) { return func(n node) { *to = n.text() } }
	n.object(map[string]func(node){
		"device":              func(n node) { e.Name = n.name() },
		"description":         text(&e.Description),
		"site":                text(&e.Site),
		"group":               text(&e.Group),
		"boundary":            func(n node) { e.Boundary = n.oneOf(External, Internal) },
		"samplingRate":        rate(&e.SamplingRate, 0),
		"defaultSamplingRate": rate(&e.DefaultSamplingRate, 1),
		"maxFlowsPerSecond":   rate(&e.MaxFlowsPerSecond, 1),
		"anonymizeAddresses":  func(n node) { e.AnonymizeAddresses = n.bool() },
		"interface": func(n node) {
			for key, value := range n.entries() {
				n := n.child(key, value)
				if index, ok := n.keyNumber(key, "number of an interface", 1<<32-1); ok {
					r.namedInterface(n, InterfaceKey{address, index}, nil)
				}
			}
		},
		"vlan": func(n node) { r.vlans(n, address) },
	})
	set(&r.settings.Exporters, address, e)
}

func (r *reader) interfaceMap(n node) {
	for _, n := range n.elements() {
		var key InterfaceKey
		device, index := false, false
		bad := len(n.problems.list) + n.problems.more
		before := map[string]func(node){
			"device": func(n node) { key.Exporter, device = n.address() },
			"idx":    func(n node) { key.Index, index = uint32(n.number(0, 1<<32-1)), true },
		}
		i := r.readInterface(n, before)
		if len(n.problems.list)+n.problems.more > bad {
			continue
		}
		if !device {
			n.fail("has no device, the address of the exporter")
		} else if !index {
			n.fail("has no idx, the number of the interface")
		} else {
			r.addInterface(n, key, i)
		}
	}
}

func (r *reader) namedInterface(n node, key InterfaceKey, keys map[string]func(node)) {
	bad := len(n.problems.list) + n.problems.more
	if i := r.readInterface(n, keys); len(n.problems.list)+n.problems.more == bad {
		r.addInterface(n, key, i)
	}
}

// readInterface reads what is said of an interface, and the other keys.
func (r *reader) readInterface(n node, keys map[string]func(node)) (i Interface) {
	all := map[string]func(node){
		"description": func(n node) { i.Description = n.name() },
		"group":       func(n node) { i.Group = n.text() },
		"boundary":    func(n node) { i.Boundary = n.oneOf(External, Internal) },
		"speed":       func(n node) { i.Speed = n.number(0, 1<<63) },
	}
	for key, read := range keys {
		all[key] = read
	}
	n.object(all)
	return i
}

func (r *reader) addInterface(n node, key InterfaceKey, i Interface) {
	if i == (Interface{}) {
		n.fail("says nothing of the interface: give a description")
		return
	}
	if r.once(n, key, "the interface "+key.String()) {
		set(&r.settings.Interfaces, key, i)
	}
}

// described reads a text, or an object that has it as description.
func (n node) described() (text string) {
	if _, ok := n.value.(map[string]any); !ok {
		return n.name()
	}
	n.object(map[string]func(node){"description": func(n node) { text = n.name() }})
	return text
}

func (r *reader) vlans(n node, address netip.Addr) {
	for key, value := range n.entries() {
		n := n.child(key, value)
		if number, ok := n.keyNumber(key, "number of a VLAN", 1<<32-1); ok && r.once(n, VLANKey{address, number}, "the VLAN "+key) {
			set(&r.settings.VLANs, VLANKey{address, number}, n.described())
		}
	}
}

func (r *reader) hosts(n node) {
	type host netip.Addr // an exporter may have a name as a host, too
	for key, value := range n.entries() {
		n := n.child(key, value)
		if address, ok := (node{n.key, key, n.problems}).address(); ok && r.once(n, host(address), "the host "+address.String()) {
			set(&r.settings.Hosts, address, n.described())
		}
	}
}

func (r *reader) networks(n node) {
	for key, value := range n.entries() {
		n := n.child(key, value)
		if prefix, ok := (node{n.key, key, n.problems}).prefix(); ok && r.once(n, prefix, prefix.String()) {
			set(&r.settings.Networks, prefix, n.network())
		}
	}
}

func (n node) network() (network Network) {
	text := func(to *string) func(node) { return func(n node) { *to = n.text() } }
	n.object(map[string]func(node){
		"name": func(n node) { network.Name = n.name() },
		"role": text(&network.Role), "site": text(&network.Site), "tenant": text(&network.Tenant),
		"boundary": func(n node) { network.Boundary = n.oneOf(External, Internal) },
	})
	if network == (Network{}) {
		n.fail("says nothing of the network: give a name")
	}
	return network
}

func (r *reader) networkSources(n node) {
	for _, n := range n.elements() {
		s := NetworkSource{Interval: 10 * time.Minute}
		n.object(map[string]func(node){
			"url":      func(n node) { s.URL = n.name() },
			"file":     func(n node) { s.File = n.name() },
			"format":   func(n node) { s.Format = n.oneOf("csv", "json") },
			"interval": func(n node) { s.Interval = n.duration(10*time.Second, 30*24*time.Hour) },
		})
		name, path, ok := n.place(s.URL, s.File)
		if !ok {
			continue
		}
		s.Name = name
		if s.Format == "" {
			s.Format = "json"
			if strings.EqualFold(filepath.Ext(path), ".csv") {
				s.Format = "csv"
			}
		}
		r.settings.NetworkSources = append(r.settings.NetworkSources, s)
	}
}

// place checks where something is to be read from: the one or the other. name is for
// messages.
func (n node) place(address, file string) (name, path string, ok bool) {
	at, err := url.Parse(address)
	switch {
	case (address == "") == (file == ""):
		n.fail("has to have either url or file")
		return "", "", false
	case address == "":
		return file, file, true
	case err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "":
		n.fail("url: %q is not of the form https://HOST/PATH", address)
		return "", "", false
	}
	return at.Redacted(), at.Path, true
}

func (r *reader) autnums(n node) {
	type autnum uint32
	for key, value := range n.entries() {
		n := n.child(key, value)
		number, ok := n.keyNumber(strings.TrimPrefix(key, "AS"), "AS number", 1<<32-1)
		if !ok || !r.once(n, autnum(number), "AS"+strings.TrimPrefix(key, "AS")) {
			continue
		}
		var a Autnum
		n.object(map[string]func(node){
			"asn":      func(n node) { n.number(uint64(number), uint64(number)) },
			"name":     func(n node) { a.Name = n.name() },
			"country":  func(n node) { a.Country = n.country() },
			"boundary": func(n node) { a.Boundary = n.oneOf(External, Internal) },
		})
		if a == (Autnum{}) {
			n.fail("says nothing of the autonomous system: give a name")
		}
		set(&r.settings.Autnums, number, a)
	}
}

func (n node) country() string {
	s, _ := n.value.(string)
	if len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		n.fail("%s is no country: want two capital letters (ISO 3166-1)", shown(n.value))
		return ""
	}
	return s
}
