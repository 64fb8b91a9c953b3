package generate

import "encoding/binary"

// Template and set ids. Sets 0 and 1 are NetFlow v9's (RFC 3954 section 5), 2 and 3
// IPFIX's (RFC 7011 section 3.3.2).
const (
	ipv4Template    = 256
	ipv6Template    = 257
	optionsTemplate = 258

	netflow9Templates, netflow9OptionsTemplates = 0, 1
	ipfixTemplates, ipfixOptionsTemplates       = 2, 3

	netflow9Header = 20
	ipfixHeader    = 16
	setHeader      = 4
)

// templateEncoder writes NetFlow v9 and IPFIX, which differ only in the header, in what
// the sequence number counts, and in options templates.
type templateEncoder struct {
	profile    *profile
	boot       int64
	sequence   uint32 // v9: datagrams, IPFIX: data records, sent before this datagram
	ipv4, ipv6 dataSet
	buf        []byte
}

func newTemplateEncoder(p *profile, boot int64) *templateEncoder {
	return &templateEncoder{
		profile: p,
		boot:    boot,
		ipv4:    newDataSet(ipv4Template, p.dataElements(ipv4Elements)),
		ipv6:    newDataSet(ipv6Template, p.dataElements(ipv6Elements)),
		buf:     make([]byte, 0, maxDatagram),
	}
}

func (e *templateEncoder) room() bool {
	const headers = netflow9Header
	return headers+e.ipv4.size()+e.ipv6.size()+e.ipv6.recordLength <= maxDatagram
}

func (e *templateEncoder) add(o *observation, now int64) {
	t := timing{first: uint64(now) - uint64(o.lasted), last: uint64(now)}
	if e.profile.protocol == NetFlow9 {
		t.first -= uint64(e.boot)
		t.last -= uint64(e.boot)
	}
	if o.Etype == 0x0800 {
		e.ipv4.add(o, t)
	} else {
		e.ipv6.add(o, t)
	}
}

func (e *templateEncoder) datagram(now int64) []byte {
	records := e.ipv4.count + e.ipv6.count
	b := e.begin()
	b = e.ipv4.appendTo(b)
	b = e.ipv6.appendTo(b)
	return e.finish(b, now, records, records)
}

func (e *templateEncoder) begin() []byte {
	if e.profile.protocol == NetFlow9 {
		return append(e.buf[:0], make([]byte, netflow9Header)...)
	}
	return append(e.buf[:0], make([]byte, ipfixHeader)...)
}

// finish writes the header of a datagram with that many records, of which data are
// not templates, and returns b.
func (e *templateEncoder) finish(b []byte, now int64, records, data int) []byte {
	h := b[:0]
	seconds := uint32(now / 1000)
	if e.profile.protocol == NetFlow9 {
		h = binary.BigEndian.AppendUint16(h, 9)
		h = binary.BigEndian.AppendUint16(h, uint16(records))
		h = binary.BigEndian.AppendUint32(h, uint32(now-e.boot))
		h = binary.BigEndian.AppendUint32(h, seconds)
		h = binary.BigEndian.AppendUint32(h, e.sequence)
		e.sequence++
	} else {
		h = binary.BigEndian.AppendUint16(h, 10)
		h = binary.BigEndian.AppendUint16(h, uint16(len(b)))
		h = binary.BigEndian.AppendUint32(h, seconds)
		h = binary.BigEndian.AppendUint32(h, e.sequence)
		e.sequence += uint32(data)
	}
	binary.BigEndian.AppendUint32(h, e.profile.number)
	e.buf = b
	return b
}

// announcement returns both templates, the options template and the sampling rates.
func (e *templateEncoder) announcement(now int64) []byte {
	b := e.begin()
	b, set := beginSet(b, e.setID(netflow9Templates, ipfixTemplates))
	b = e.ipv4.appendTemplate(b)
	b = e.ipv6.appendTemplate(b)
	b = endSet(b, set)

	scope, fields := e.profile.optionsElements()
	b, set = beginSet(b, e.setID(netflow9OptionsTemplates, ipfixOptionsTemplates))
	b = e.appendOptionsTemplate(b, scope, fields)
	b = endSet(b, set)

	b, set = beginSet(b, optionsTemplate)
	options := e.profile.options()
	for _, o := range options {
		for _, f := range append([]optionsElement{scope}, fields...) {
			b = appendUint(b, f.value(o), f.length)
		}
	}
	b = endSet(b, set)
	const templates = 3
	return e.finish(b, now, templates+len(options), len(options))
}

// appendOptionsTemplate appends an options template: v9 counts the bytes of scope and
// options (RFC 3954 section 6.1), IPFIX counts fields (RFC 7011 section 3.4.2.2).
func (e *templateEncoder) appendOptionsTemplate(b []byte, scope optionsElement, fields []optionsElement) []byte {
	const specifier = 4 // bytes
	b = binary.BigEndian.AppendUint16(b, optionsTemplate)
	if e.profile.protocol == NetFlow9 {
		b = binary.BigEndian.AppendUint16(b, specifier)
		b = binary.BigEndian.AppendUint16(b, uint16(len(fields)*specifier))
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(1+len(fields)))
		b = binary.BigEndian.AppendUint16(b, 1)
	}
	for _, f := range append([]optionsElement{scope}, fields...) {
		b = binary.BigEndian.AppendUint16(b, f.id)
		b = binary.BigEndian.AppendUint16(b, f.length)
	}
	return b
}

func (e *templateEncoder) setID(netflow9, ipfix uint16) uint16 {
	if e.profile.protocol == NetFlow9 {
		return netflow9
	}
	return ipfix
}

// beginSet appends a set header and returns where the set begins.
func beginSet(b []byte, id uint16) (extended []byte, start int) {
	start = len(b)
	b = binary.BigEndian.AppendUint16(b, id)
	return append(b, 0, 0), start
}

// endSet pads the set to a multiple of four bytes and writes its length.
func endSet(b []byte, start int) []byte {
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

// dataSet collects the records of one template.
type dataSet struct {
	template     uint16
	elements     []element
	recordLength int
	count        int
	records      []byte
}

func newDataSet(template uint16, elements []element) dataSet {
	s := dataSet{template: template, elements: elements}
	for _, f := range elements {
		s.recordLength += int(f.length)
	}
	s.records = make([]byte, 0, maxDatagram)
	return s
}

// size bounds what appendTo adds.
func (s *dataSet) size() int {
	const padding = 3
	return setHeader + len(s.records) + padding
}

func (s *dataSet) add(o *observation, t timing) {
	at := len(s.records)
	s.records = s.records[:at+s.recordLength]
	for i := range s.elements {
		f := &s.elements[i]
		f.put(s.records[at:], o, t)
		at += int(f.length)
	}
	s.count++
}

// appendTo appends the records as a set, nothing when there are none, and forgets them.
func (s *dataSet) appendTo(b []byte) []byte {
	if s.count == 0 {
		return b
	}
	b, set := beginSet(b, s.template)
	b = append(b, s.records...)
	s.records, s.count = s.records[:0], 0
	return endSet(b, set)
}

func (s *dataSet) appendTemplate(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, s.template)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.elements)))
	for _, f := range s.elements {
		b = binary.BigEndian.AppendUint16(b, f.id)
		b = binary.BigEndian.AppendUint16(b, f.length)
	}
	return b
}
