package scamper

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/importer"
)

// An object begins with the magic number, its type, and the length of the rest.
const (
	magic      = 0x1205
	header     = 8
	mostObject = 16 << 20
)

// Types of objects.
const (
	typeList       = 1
	typeCycleStart = 2
	typeCycle      = 3 // of a file in the middle of a cycle
	typeCycleStop  = 4
	typeAddress    = 5 // deprecated
	typeTrace      = 6
	typePing       = 7
)

// splitWarts returns the length of the first object.
func splitWarts(data []byte) (int, error) {
	if len(data) < header {
		return 0, nil
	}
	if binary.BigEndian.Uint16(data) != magic {
		return 0, errors.New("the warts file is damaged: an object does not begin with 0x1205")
	}
	length := binary.BigEndian.Uint32(data[4:])
	if length > mostObject {
		return 0, fmt.Errorf("the warts file is damaged: an object of %d bytes", length)
	}
	if size := header + int(length); size <= len(data) {
		return size, nil
	}
	return 0, nil
}

// warts decodes the objects of a file, of which measurements refer to earlier ones by their
// numbers in the file.
type warts struct {
	lists   map[uint32]list
	cycles  map[uint32]cycle
	global  addresses // of the file, from 1 on
	local   addresses // of an object
	monitor string    // where the file has none
	ping    pingStatistics
}

type list struct {
	id            uint32
	name, monitor string
}

type cycle struct {
	id   uint32
	host string
}

// mostEntries is how many lists and cycles a file may have.
const mostEntries = 1 << 16

func newWarts(monitor string) *warts {
	w := &warts{lists: map[uint32]list{}, cycles: map[uint32]cycle{}, monitor: monitor}
	w.global.all = []netip.Addr{{}} // numbers begin at 1
	return w
}

// learn takes in an object that others may refer to, and says whether it is none that
// holds a measurement.
func (w *warts) learn(object []byte) (aside bool, reason importer.Reason) {
	c := cursor{b: object[header:]}
	switch binary.BigEndian.Uint16(object[2:]) {
	case typeList:
		w.list(&c)
	case typeCycleStart, typeCycle:
		w.cycle(&c)
	case typeCycleStop:
	case typeAddress:
		w.address(&c)
	case typeTrace, typePing:
		return false, importer.Sent
	default:
		return true, OtherType
	}
	if c.bad {
		return true, importer.BadValue
	}
	return true, importer.Aside
}

func (w *warts) list(c *cursor) {
	const monitor = 2
	number := c.uint32()
	l := list{id: c.uint32(), name: string(c.text())}
	p := c.params()
	for flag := p.next(); flag != 0 && flag <= monitor; flag = p.next() {
		if text := p.text(); flag == monitor {
			l.monitor = string(text)
		}
	}
	c.bad = c.bad || p.bad
	if !c.bad && len(w.lists) < mostEntries {
		w.lists[number] = l
	}
}

func (w *warts) cycle(c *cursor) {
	const stopTime, hostname = 1, 2
	number := c.uint32()
	c.uint32() // of the list
	y := cycle{id: c.uint32()}
	c.uint32() // when it began
	p := c.params()
	for flag := p.next(); flag != 0 && flag <= hostname; flag = p.next() {
		switch flag {
		case stopTime:
			p.uint32()
		case hostname:
			y.host = string(p.text())
		}
	}
	c.bad = c.bad || p.bad
	if !c.bad && len(w.cycles) < mostEntries {
		w.cycles[number] = y
	}
}

// address is how files before 2009 name addresses. The lowest bits of its number are there
// to notice that one is missing; where files were put one behind the other, numbers begin
// anew.
func (w *warts) address(c *cursor) {
	const modulus, mostAddresses = 255, 1 << 24
	number := c.uint8()
	a := addressOf(c.uint8(), c.b)
	if int(number) != len(w.global.all)%modulus || len(w.global.all) == mostAddresses {
		w.global.all = w.global.all[:1]
		if number != 1 {
			c.bad = true
			return
		}
	}
	w.global.all = append(w.global.all, a)
}

// decode decodes an object into a trace that is empty, or says why not.
func (w *warts) decode(object []byte, t *flow.Trace) (importer.Reason, string) {
	if aside, reason := w.learn(object); aside {
		return reason, ""
	}
	w.local.reset()
	w.global.unknown = false
	c := cursor{b: object[header:]}
	var many bool
	if binary.BigEndian.Uint16(object[2:]) == typeTrace {
		many = !w.trace(&c, t)
	} else {
		w.pings(&c, t)
	}
	switch {
	case many:
		return TooManyHops, ""
	case c.bad:
		return importer.BadValue, "the object ends too early"
	case w.local.unknown || w.global.unknown:
		return UnknownAddress, ""
	}
	if t.Monitor == "" {
		t.Monitor = w.monitor
	}
	return importer.Sent, ""
}

// listed and cycled store what the file says of a list and a cycle.
func (w *warts) listed(number uint32, t *flow.Trace) {
	l := w.lists[number]
	t.ListID, t.List = l.id, l.name
	if l.monitor != "" {
		t.Monitor = l.monitor
	}
}

func (w *warts) cycled(number uint32, t *flow.Trace) {
	y := w.cycles[number]
	t.CycleID = y.id
	if t.Monitor == "" {
		t.Monitor = y.host
	}
}
