package settings

import (
	"fmt"
	"time"
)

func (k InterfaceKey) String() string { return fmt.Sprintf("%s/%d", k.Exporter, k.Index) }

func (r *reader) snmp(n node) {
	for _, n := range n.elements() {
		r.settings.SNMP = append(r.settings.SNMP, n.agent())
	}
}

// agent reads how SNMP agents are asked.
func (n node) agent() SNMP {
	s := SNMP{Version: "2c", Port: 161, Timeout: 2 * time.Second}
	text := func(to *string) func(node) { return func(n node) { *to = n.name() } }
	n.object(map[string]func(node){
		"exporters":           func(n node) { s.Exporters = n.prefixes() },
		"version":             func(n node) { s.Version = n.oneOf("2c", "3") },
		"port":                func(n node) { s.Port = uint16(n.number(1, 65535)) },
		"timeout":             func(n node) { s.Timeout = n.duration(100*time.Millisecond, 30*time.Second) },
		"community":           text(&s.Community),
		"communityFile":       text(&s.CommunityFile),
		"user":                text(&s.User),
		"authProtocol":        func(n node) { s.AuthProtocol = n.oneOf("MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512") },
		"authPassword":        text(&s.AuthPassword),
		"authPasswordFile":    text(&s.AuthPasswordFile),
		"privacyProtocol":     func(n node) { s.PrivacyProtocol = n.oneOf("DES", "AES", "AES192", "AES256") },
		"privacyPassword":     text(&s.PrivacyPassword),
		"privacyPasswordFile": text(&s.PrivacyPasswordFile),
	})
	of := map[bool][]string{}
	for key := range n.entries() {
		switch key {
		case "community", "communityFile":
			of[false] = append(of[false], key)
		case "user", "authProtocol", "authPassword", "authPasswordFile", "privacyProtocol", "privacyPassword", "privacyPasswordFile":
			of[true] = append(of[true], key)
		}
	}
	switch {
	case len(s.Exporters) == 0:
		// Whoever can forge flows would otherwise be told the community.
		n.fail("exporters: has to name the exporters that are asked, such as [\"192.0.2.0/24\"]")
	case s.Version == "2c" && len(of[true]) > 0:
		n.fail("%s is for version 3", of[true][0])
	case s.Version == "3" && len(of[false]) > 0:
		n.fail("%s is for version 2c", of[false][0])
	case s.Version == "2c" && (s.Community == "") == (s.CommunityFile == ""):
		n.fail("has to have either community or communityFile")
	case s.Version == "3" && s.User == "":
		n.fail("has no user")
	case (s.AuthProtocol != "") != (s.AuthPassword != "" || s.AuthPasswordFile != ""):
		n.fail("authProtocol goes with authPassword or authPasswordFile")
	case (s.PrivacyProtocol != "") != (s.PrivacyPassword != "" || s.PrivacyPasswordFile != ""):
		n.fail("privacyProtocol goes with privacyPassword or privacyPasswordFile")
	case s.PrivacyProtocol != "" && s.AuthProtocol == "":
		n.fail("privacyProtocol needs authProtocol")
	}
	return s
}

func (r *reader) geoip(n node) {
	g := &GeoIP{}
	n.object(map[string]func(node){
		"url":      func(n node) { g.URL = n.name() },
		"file":     func(n node) { g.File = n.name() },
		"interval": func(n node) { g.Interval = n.duration(time.Second, 30*24*time.Hour) },
	})
	name, _, ok := n.place(g.URL, g.File)
	if !ok {
		return
	}
	g.Name = name
	switch {
	case g.Interval != 0:
	case g.URL != "":
		g.Interval = 24 * time.Hour
	default:
		g.Interval = 10 * time.Second // whether a file has changed costs nothing
	}
	r.settings.GeoIP = g
}

func (r *reader) reverseDNS(n node) {
	d := &ReverseDNS{QueriesPerSecond: 10, Lifetime: 24 * time.Hour}
	n.object(map[string]func(node){
		"networks":         func(n node) { d.Networks = n.prefixes() },
		"queriesPerSecond": func(n node) { d.QueriesPerSecond = int(n.number(1, 1000)) },
		"lifetime":         func(n node) { d.Lifetime = n.duration(time.Minute, 365*24*time.Hour) },
	})
	if len(d.Networks) == 0 {
		n.fail("networks: has to name the networks whose addresses are asked for, such as [\"192.0.2.0/24\"]")
		return
	}
	r.settings.ReverseDNS = d
}
