// Package links reads what the kernel knows of the interfaces of this host, by rtnetlink
// (RFC 3549; linux/rtnetlink.h, linux/if_link.h): names, state and counters. They go where
// the interface counters of sFlow agents go, so that interfaces have their names.
package links

import (
	"bytes"
	"encoding/binary"

	"github.com/leoluk/NetMeta/internal/agent/netlink"
	"github.com/leoluk/NetMeta/internal/flow"
)

// Of linux/rtnetlink.h and linux/if_link.h.
const (
	typeNewLink = 16
	typeGetLink = 18

	infoSize = 16 // struct ifinfomsg

	attributeName    = 3  // IFLA_IFNAME
	attributeStats64 = 23 // IFLA_STATS64

	flagUp      = 0x1  // IFF_UP
	flagRunning = 0x40 // IFF_RUNNING
	flagPromisc = 0x100
)

// Values of InterfaceCounters.Type and .Status that sFlow version 5 has, too.
const (
	ethernetCsmacd   = 6  // IANAifType
	softwareLoopback = 24 // IANAifType
	statusAdminUp    = 1
	statusOperUp     = 2

	arphrdEthernet = 1
	arphrdLoopback = 772
)

// decode reads an RTM_NEWLINK message into c: everything but time, address and sequence
// number. It tells whether it is one.
func decode(m netlink.Message, c *flow.Counters) bool {
	if m.Type != typeNewLink || len(m.Body) < infoSize {
		return false
	}
	c.Interface = binary.NativeEndian.Uint32(m.Body[4:])
	switch binary.NativeEndian.Uint16(m.Body[2:]) {
	case arphrdEthernet:
		c.Type = ethernetCsmacd
	case arphrdLoopback:
		c.Type = softwareLoopback
	}
	flags := binary.NativeEndian.Uint32(m.Body[8:])
	if flags&flagUp != 0 {
		c.Status |= statusAdminUp
	}
	if flags&flagRunning != 0 {
		c.Status |= statusOperUp
	}
	if flags&flagPromisc != 0 {
		c.PromiscuousMode = 1
	}
	for a := netlink.Attributes(m.Body[infoSize:]); ; {
		kind, value, rest, ok := a.Next()
		if !ok {
			return true
		}
		a = rest
		switch kind {
		case attributeName:
			c.Name = string(bytes.TrimRight(value, "\x00"))
		case attributeStats64:
			statistics(value, c)
		}
	}
}

// statistics reads struct rtnl_link_stats64.
func statistics(b []byte, c *flow.Counters) {
	const needed = 9 * 8
	if len(b) < needed {
		return
	}
	at := func(i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }
	c.InUnicastPackets, c.OutUnicastPackets = uint32(at(0)-at(8)), uint32(at(1)) // rx_packets has multicast, too
	c.InOctets, c.OutOctets = at(2), at(3)
	c.InErrors, c.OutErrors = uint32(at(4)), uint32(at(5))
	c.InDiscards, c.OutDiscards = uint32(at(6)), uint32(at(7))
	c.InMulticastPackets = uint32(at(8))
}
