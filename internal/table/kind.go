package table

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/leoluk/NetMeta/internal/query"
)

// kind is what can be done with the values of a column.
type kind int

const (
	label  kind = iota // a name: text, an enum, an address
	number             // can be drawn
	moment             // a date or a date and time
)

var (
	numberType = regexp.MustCompile(`^(?:U?Int|Float|BFloat|Decimal)\d*(?:\(.*\))?$`)
	momentType = regexp.MustCompile(`^Date(?:32|Time|Time64)?(?:\(.*\))?$`)
)

// plainType returns a type without what is wrapped around it.
func plainType(columnType string) string {
	for {
		inner := ""
		for _, wrapper := range []string{"Nullable(", "LowCardinality("} {
			if rest, ok := strings.CutPrefix(columnType, wrapper); ok {
				inner = strings.TrimSuffix(rest, ")")
			}
		}
		if inner == "" {
			return columnType
		}
		columnType = inner
	}
}

func kindOf(c query.Column) kind {
	switch plain := plainType(c.Type); {
	case numberType.MatchString(plain):
		return number
	case momentType.MatchString(plain):
		return moment
	}
	return label
}

// show returns a value as people read it: an IPv4 address that is stored as an IPv6
// one without ::ffff: in front.
func show(c query.Column, v query.Value) string {
	if v.Null {
		return "NULL"
	}
	if plainType(c.Type) == "IPv6" {
		if address, err := netip.ParseAddr(v.Text); err == nil {
			return address.Unmap().String()
		}
	}
	return clean(v.Text)
}
