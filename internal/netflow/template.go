package netflow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/exporter"
)

var templateEvents = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_netflow_templates_total",
	Help: "Templates received that were new or different (learned), withdrawn by the exporter, or refused because they cannot be used.",
}, []string{"protocol", "event"})

// enterpriseBit marks a field specifier that is followed by the number of the
// enterprise that defined it (RFC 7011 section 3.2). NetFlow v9 has none.
const enterpriseBit = 0x8000

// withdrawals notes which set-wide withdrawals a message has made: a second one
// would have to look at all templates again, 16,000 times in the worst datagram.
type withdrawals struct{ templates, options bool }

// templateHeader is what stands before the field specifiers of a template record.
type templateHeader struct {
	id     uint16
	fields int // in all, the scopes first
	scopes int
}

// readTemplates reads the body of a template set or options template set.
func (d *Decoder) readTemplates(b []byte, options bool, withdrawn *withdrawals) {
	for len(b) >= templateHeaderSize {
		if id, count := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]); id == 0 && count == 0 {
			if !isZero(b) {
				d.fail(reasonTemplate, "template set: %d bytes of padding are not zero", len(b))
			}
			return
		}
		h, rest, err := d.readTemplateHeader(b, options)
		if err == nil && h.fields == 0 {
			d.withdraw(h.id, options, withdrawn)
			b = rest
			continue
		}
		if err == nil {
			rest, err = d.readFields(rest, h.fields)
		}
		if err != nil {
			// Where the next template begins is not known.
			d.refuse(h.id, err)
			return
		}
		if err := d.learn(h, options); err != nil {
			d.refuse(h.id, err)
		}
		b = rest
	}
}

// readTemplateHeader reads RFC 3954 sections 5.2 and 6.1, RFC 7011 sections 3.4.1
// and 3.4.2.2.
func (d *Decoder) readTemplateHeader(b []byte, options bool) (h templateHeader, rest []byte, err error) {
	h.id = binary.BigEndian.Uint16(b)
	h.fields = int(binary.BigEndian.Uint16(b[2:]))
	// The withdrawal of an options template ends here too (RFC 7011 section 8.1).
	if !options || d.version == 10 && h.fields == 0 {
		return h, b[4:], nil
	}
	if len(b) < 6 {
		return h, nil, errors.New("header is cut off")
	}
	second := int(binary.BigEndian.Uint16(b[4:]))
	if d.version == 9 {
		// Lengths in bytes of the scopes and of the options.
		if h.fields%4 != 0 || second%4 != 0 {
			return h, nil, fmt.Errorf("scope length %d and option length %d are not multiples of 4", h.fields, second)
		}
		h.scopes, h.fields = h.fields/4, (h.fields+second)/4
		return h, b[6:], nil
	}
	if second > h.fields {
		return h, nil, fmt.Errorf("%d scopes among %d fields", second, h.fields)
	}
	h.scopes = second
	return h, b[6:], nil
}

// readFields reads so many field specifiers (RFC 7011 section 3.2) into d.fields.
func (d *Decoder) readFields(b []byte, count int) (rest []byte, err error) {
	d.fields = d.fields[:0]
	if count*4 > len(b) {
		return nil, fmt.Errorf("%d fields in %d bytes", count, len(b))
	}
	for range count {
		if len(b) < 4 {
			return nil, fmt.Errorf("%d fields, cut off after %d", count, len(d.fields))
		}
		f := exporter.Field{ID: binary.BigEndian.Uint16(b), Length: binary.BigEndian.Uint16(b[2:])}
		b = b[4:]
		if d.version == 10 && f.ID&enterpriseBit != 0 {
			if len(b) < 4 {
				return nil, fmt.Errorf("%d fields, cut off within field %d", count, len(d.fields)+1)
			}
			f.ID &^= enterpriseBit
			f.Enterprise = binary.BigEndian.Uint32(b)
			b = b[4:]
		}
		d.fields = append(d.fields, f)
	}
	return b, nil
}

// learn keeps the template whose fields are in d.fields.
func (d *Decoder) learn(h templateHeader, options bool) error {
	if h.id < firstDataSet {
		return fmt.Errorf("ids below %d are reserved", firstDataSet)
	}
	t := exporter.NewTemplate(options, h.scopes, slices.Clone(d.fields))
	if err := t.Check(); err != nil {
		return err
	}
	if d.state.SetTemplate(d.version, d.domain, h.id, t) {
		templateEvents.WithLabelValues(d.protocol.String(), "learned").Inc()
	}
	// Also where it is known: another socket may have looked for it just before it came.
	d.release(h.id, t)
	return nil
}

// refuse forgets what was known by that id too: the exporter means something else
// by it now.
func (d *Decoder) refuse(id uint16, err error) {
	d.state.RemoveTemplate(d.version, d.domain, id)
	templateEvents.WithLabelValues(d.protocol.String(), "refused").Inc()
	d.fail(reasonTemplate, "template %d of domain %d: %w", id, d.domain, err)
}

// withdraw reads a template record without fields (RFC 7011 section 8.1): the
// exporter will not use that template any more. NetFlow v9 does not define it, but
// there too no record can belong to such a template.
//
// Over UDP withdrawals should not occur and be ignored (section 8.4). They are
// honoured here, because an id that was given up is likely to mean something else
// next; a forged one costs records until the exporter repeats its templates.
func (d *Decoder) withdraw(id uint16, options bool, withdrawn *withdrawals) {
	removed := 0
	switch {
	case d.version == 10 && id == setTemplatesIPFIX && !withdrawn.templates:
		withdrawn.templates = true
		removed = d.state.RemoveTemplates(d.version, d.domain, false)
	case d.version == 10 && id == setOptionsIPFIX && !withdrawn.options:
		withdrawn.options = true
		removed = d.state.RemoveTemplates(d.version, d.domain, true)
	case d.state.RemoveTemplate(d.version, d.domain, id):
		removed = 1
	}
	templateEvents.WithLabelValues(d.protocol.String(), "withdrawn").Add(float64(removed))
}
