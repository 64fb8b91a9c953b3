// Package snmp asks SNMP agents for the names of their interfaces: ifName, ifAlias and
// ifHighSpeed of the IF-MIB (RFC 2863), by version 2c or 3.
package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"

	"github.com/leoluk/NetMeta/internal/settings"
)

// MaxInterfaces bounds what is read of an agent. Large routers have some thousands.
const MaxInterfaces = 50_000

// Interface is what an agent says of one.
type Interface struct {
	Name  string // ifName, or ifDescr where there is none, as the agent sends it: any bytes
	Alias string // ifAlias, the description that people gave it in the device
	Speed uint64 // ifHighSpeed in bits per second, 0: unknown
}

// Columns of ifXTable and ifTable.
const (
	ifDescr     = ".1.3.6.1.2.1.2.2.1.2"
	ifName      = ".1.3.6.1.2.1.31.1.1.1.1"
	ifHighSpeed = ".1.3.6.1.2.1.31.1.1.1.15"
	ifAlias     = ".1.3.6.1.2.1.31.1.1.1.18"
)

// Interfaces asks the agent at address for all of its interfaces, by ifIndex. It ends
// with ctx at the latest, and fails where the agent does not answer, refuses, has none,
// or sends what cannot be.
func Interfaces(ctx context.Context, address netip.Addr, how settings.SNMP) (found map[uint32]Interface, err error) {
	// The library reads what anybody may send to its port.
	defer func() {
		if r := recover(); r != nil {
			found, err = nil, fmt.Errorf("ask SNMP agent %s: its answer cannot be read: %v", address, r)
		}
	}()
	agent, err := client(ctx, address, how)
	if err != nil {
		return nil, err
	}
	if err := agent.Connect(); err != nil {
		return nil, fmt.Errorf("ask SNMP agent %s: %w", address, err)
	}
	defer agent.Conn.Close()
	found = map[uint32]Interface{}
	read := func(column string, set func(*Interface, gosnmp.SnmpPDU)) error {
		if err := walk(agent, column, found, set); err != nil {
			return fmt.Errorf("ask SNMP agent %s: %w", address, err)
		}
		return nil
	}
	if err := read(ifName, func(i *Interface, v gosnmp.SnmpPDU) { i.Name = text(v) }); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if err := read(ifDescr, func(i *Interface, v gosnmp.SnmpPDU) { i.Name = text(v) }); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("ask SNMP agent %s: it tells of no interface: does it allow the IF-MIB (1.3.6.1.2.1.31 and 1.3.6.1.2.1.2) to be read?", address)
	}
	// Names without descriptions and speeds are better than none.
	return found, errors.Join(
		read(ifAlias, func(i *Interface, v gosnmp.SnmpPDU) { i.Alias = text(v) }),
		read(ifHighSpeed, func(i *Interface, v gosnmp.SnmpPDU) { i.Speed = megabits(v) }))
}

// walk reads a column of a table whose index is the ifIndex.
func walk(agent *gosnmp.GoSNMP, column string, found map[uint32]Interface, set func(*Interface, gosnmp.SnmpPDU)) error {
	last := int64(-1)
	return agent.BulkWalk(column, func(v gosnmp.SnmpPDU) error {
		rest, ok := strings.CutPrefix(v.Name, column+".")
		index, err := strconv.ParseUint(rest, 10, 32)
		if !ok || err != nil {
			return fmt.Errorf("%q is no ifIndex", rest)
		}
		if int64(index) <= last {
			return fmt.Errorf("it goes round in circles: %d comes after %d", index, last)
		}
		last = int64(index)
		if len(found) == MaxInterfaces {
			return fmt.Errorf("it tells of more than %d interfaces", MaxInterfaces)
		}
		i := found[uint32(index)]
		set(&i, v)
		found[uint32(index)] = i
		return nil
	})
}

// text returns nothing for what is no text.
func text(v gosnmp.SnmpPDU) string {
	b, _ := v.Value.([]byte)
	return string(b)
}

func megabits(v gosnmp.SnmpPDU) uint64 {
	if v.Type != gosnmp.Gauge32 {
		return 0
	}
	n := gosnmp.ToBigInt(v.Value)
	if !n.IsUint64() || n.Uint64() > math.MaxUint32 {
		return 0
	}
	return n.Uint64() * 1_000_000
}

func client(ctx context.Context, address netip.Addr, how settings.SNMP) (*gosnmp.GoSNMP, error) {
	agent := &gosnmp.GoSNMP{
		Context: ctx, Target: address.String(), Port: how.Port, Transport: "udp", Timeout: how.Timeout, Retries: 1,
		MaxOids: gosnmp.MaxOids, MaxRepetitions: 25, Version: gosnmp.Version2c,
	}
	if how.Version != "3" {
		community, err := secret(how.Community, how.CommunityFile)
		agent.Community = community
		return agent, err
	}
	auth, err := secret(how.AuthPassword, how.AuthPasswordFile)
	if err != nil {
		return nil, err
	}
	privacy, err := secret(how.PrivacyPassword, how.PrivacyPasswordFile)
	if err != nil {
		return nil, err
	}
	agent.Version, agent.SecurityModel = gosnmp.Version3, gosnmp.UserSecurityModel
	switch {
	case how.PrivacyProtocol != "":
		agent.MsgFlags = gosnmp.AuthPriv
	case how.AuthProtocol != "":
		agent.MsgFlags = gosnmp.AuthNoPriv
	}
	agent.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName:                 how.User,
		AuthenticationProtocol:   cmp.Or(authProtocols[how.AuthProtocol], gosnmp.NoAuth),
		AuthenticationPassphrase: auth,
		PrivacyProtocol:          cmp.Or(privacyProtocols[how.PrivacyProtocol], gosnmp.NoPriv),
		PrivacyPassphrase:        privacy,
	}
	return agent, nil
}

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privacyProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"DES": gosnmp.DES, "AES": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// secret is the value, or what is in the file, without the line break at its end.
func secret(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read what SNMP agents want to know: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
