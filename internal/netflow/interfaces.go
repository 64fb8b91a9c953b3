package netflow

import (
	"bytes"
	"cmp"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/flow"
)

var interfaceNames = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_netflow_interface_names_total",
	Help: "Names of interfaces in options data that were handed on. Exporters repeat them.",
}, []string{"protocol"})

// noCounters is what says nothing of an interface but its name: all ones stand for
// counters that an exporter does not keep, as in sFlow.
var noCounters = flow.Counters{
	InOctets:         math.MaxUint64,
	InUnicastPackets: math.MaxUint32, InMulticastPackets: math.MaxUint32, InBroadcastPackets: math.MaxUint32,
	InDiscards: math.MaxUint32, InErrors: math.MaxUint32, InUnknownProtocols: math.MaxUint32,
	OutOctets:         math.MaxUint64,
	OutUnicastPackets: math.MaxUint32, OutMulticastPackets: math.MaxUint32, OutBroadcastPackets: math.MaxUint32,
	OutDiscards: math.MaxUint32, OutErrors: math.MaxUint32,
}

// nameInterface hands on what options data say an interface is called, the way that
// names from sFlow agents go: as counters, of which there are none. It returns whether
// there was something to hand on.
func (d *Decoder) nameInterface(v *values) bool {
	index := cmp.Or(v.InIf, v.OutIf)
	if d.count == nil || v.parts&partInterface == 0 || index == 0 {
		return false
	}
	name := d.name(appendInterfaceName(d.text[:0], v.interfaceName, v.interfaceDescription))
	if name == "" {
		return false
	}
	d.counters = noCounters
	c := &d.counters
	c.TimeReceived, c.SamplerAddress, c.ObservationDomain = v.TimeReceived, v.SamplerAddress, v.ObservationDomain
	c.Interface, c.Name = index, name
	d.count(c)
	return true
}

// appendInterfaceName appends a name, with the description behind it in brackets where
// it says something else, as far as the capacity of text goes.
func appendInterfaceName(text, name, description []byte) []byte {
	name, description = trimText(name), trimText(description)
	if len(name) == 0 {
		name, description = description, nil
	}
	text = appendWhole(text, name, cap(text)-len(text))
	const brackets = len(" ()")
	if free := cap(text) - len(text) - brackets; len(description) > 0 && free > 0 && !bytes.Equal(name, description) && !isLongForm(name, description) {
		text = append(text, " ("...)
		text = appendWhole(text, description, free)
		text = append(text, ')')
	}
	return text
}

// trimText returns a text as it was before it filled up a field of fixed length.
func trimText(b []byte) []byte {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return bytes.TrimSpace(b)
}

// appendWhole appends at most so many bytes of b, and no part of a character.
func appendWhole(text, b []byte, most int) []byte {
	if len(b) > most {
		for most > 0 && !utf8.RuneStart(b[most]) {
			most--
		}
		b = b[:most]
	}
	return append(text, b...)
}

// isLongForm tells whether a description is the name written out, as "FastEthernet 1/0"
// is for "Fe1/0" (RFC 3954 section 8, IF_NAME and IF_DESC): a word with the same first
// letter, and the same number behind it.
func isLongForm(name, description []byte) bool {
	short, shortNumber := splitNumber(name)
	long, longNumber := splitNumber(description)
	return len(short) > 0 && len(long) > 0 && len(shortNumber) > 0 && bytes.Equal(shortNumber, longNumber) &&
		unicode.ToLower(rune(short[0])) == unicode.ToLower(rune(long[0])) && !bytes.ContainsAny(long, " \t")
}

func splitNumber(b []byte) (word, number []byte) {
	at := bytes.IndexAny(b, "0123456789")
	if at < 0 {
		return b, nil
	}
	return bytes.TrimRight(b[:at], " "), b[at:]
}
