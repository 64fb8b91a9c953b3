package dashboard

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A ValueError is a value that a variable cannot have.
type ValueError struct {
	Variable string
	Reason   string // for the person who chose the value, with what to do
}

// Error implements error.
func (e *ValueError) Error() string { return fmt.Sprintf("variable %s: %s", e.Variable, e.Reason) }

// maxValue is the length in bytes of a value, and of all values of a variable: far
// beyond what fits into a link.
const maxValue = 4000

// A kind is what the values of a text variable are.
type kind int

const (
	kindText kind = iota
	kindAddresses
	kindNumbers
	kindProtocols
	kindCondition
)

// kinds are those of the variables that dashboards share. The format of dashboards
// has no place to say it: the name does.
var kinds = map[string]kind{
	"host": kindAddresses, "source": kindAddresses, "destination": kindAddresses, "nextHop": kindAddresses,
	"port": kindNumbers, "asn": kindNumbers, "srcAS": kindNumbers, "dstAS": kindNumbers, "vlan": kindNumbers,
	"protocol": kindProtocols, "sql": kindCondition,
}

// largest numbers of variables; 2^32-1 for others.
var largest = map[string]uint64{"port": 65535, "vlan": 4094}

func kindOf(v *Variable) kind {
	if v.Type != TypeTextBox {
		return kindText
	}
	return kinds[v.Name]
}

// Check returns what is wrong with values, by the name of the variable.
func (d *Dashboard) Check(values Values) map[string]string {
	wrong := map[string]string{}
	for i := range d.Variables {
		v := &d.Variables[i]
		if err := v.check(values.of(v)); err != nil {
			wrong[v.Name] = err.Error()
		}
	}
	return wrong
}

// check says why chosen cannot be put into a statement.
func (v *Variable) check(chosen []string) error {
	if everything(chosen) {
		if len(chosen) > 0 && !v.IncludeAll {
			return errors.New("it has no value for everything: choose one")
		}
		return nil
	}
	if len(chosen) > 1 && !v.Multi {
		return errors.New("it takes one value, not several")
	}
	length := 0
	for _, value := range chosen {
		length += len(value)
		if err := v.checkValue(value); err != nil {
			return err
		}
	}
	if length > maxValue {
		return fmt.Errorf("the values are %d bytes together, more than %d: choose fewer", length, maxValue)
	}
	return nil
}

func (v *Variable) checkValue(value string) error {
	switch {
	case len(value) > maxValue:
		return fmt.Errorf("%d bytes are more than the %d that a value may have", len(value), maxValue)
	case !utf8.ValidString(value):
		return errors.New("it is not UTF-8")
	case strings.IndexFunc(value, func(r rune) bool { return unicode.IsControl(r) && (v.Type != TypeTextBox || !unicode.IsSpace(r)) }) >= 0:
		return errors.New("it has a control character: write it by hand instead of pasting it")
	case v.Type == TypeCustom || v.Type == TypeInterval:
		if !slices.ContainsFunc(v.Options, func(o Option) bool { return o.Value == value }) {
			return fmt.Errorf("there is no %q among its options", shorten(value))
		}
		return nil
	}
	switch kindOf(v) {
	case kindAddresses:
		return eachItem(value, "an address or a network, such as 192.0.2.1, 2001:db8::/32 or !198.51.100.7", checkAddress)
	case kindNumbers:
		limit := uint64(1<<32 - 1)
		if l, ok := largest[v.Name]; ok {
			limit = l
		}
		return eachItem(value, fmt.Sprintf("a number from 0 to %d or a range of them, such as 80, 100-200 or !80", limit), func(item string) error { return checkRange(item, limit) })
	case kindProtocols:
		return eachItem(value, "a protocol by name or number, such as TCP, 17 or !ICMP", checkProtocol)
	case kindCondition:
		return CheckCondition(value)
	}
	return nil
}

// eachItem checks the items of a list with commas, each with or without a ! before. As in
// the database, nothing between two commas is no item: a link that adds one to an empty
// list leaves that.
func eachItem(list, want string, check func(item string) error) error {
	for _, item := range strings.Split(list, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		bare := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(item), "!"))
		if bare == "" {
			return fmt.Errorf("behind a ! there is nothing: write %s", want)
		}
		if err := check(bare); err != nil {
			return fmt.Errorf("%q is not %s%s", shorten(bare), want, explain(err))
		}
	}
	return nil
}

// explain adds the reason of an error that has one.
func explain(err error) string {
	if err == errNoItem {
		return ""
	}
	return ": " + err.Error()
}

var errNoItem = errors.New("it is something else")

func checkAddress(item string) error {
	address, length, network := strings.Cut(item, "/")
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return errNoItem
	}
	if !network {
		return nil
	}
	bits, err := strconv.ParseUint(length, 10, 8)
	if err != nil || strings.HasPrefix(length, "+") || int(bits) > a.BitLen() {
		return fmt.Errorf("the prefix length is 0 to %d", a.BitLen())
	}
	return nil
}

// Condition returns the SQL condition that is chosen and the name of its variable;
// ok is false if there is none. Only ClickHouse can tell whether it means something.
func (d *Dashboard) Condition(values Values) (name, condition string, ok bool) {
	for i := range d.Variables {
		v := &d.Variables[i]
		if chosen := values.of(v); kindOf(v) == kindCondition && !everything(chosen) {
			return v.Name, chosen[0], true
		}
	}
	return "", "", false
}

// checkRange accepts a number, or two with a hyphen between.
func checkRange(item string, limit uint64) error {
	first, last, isRange := strings.Cut(item, "-")
	if !isRange {
		return checkNumber(item, limit)
	}
	if checkNumber(first, limit) != nil || checkNumber(last, limit) != nil {
		return errNoItem
	}
	// Both are numbers, by the check.
	from, _ := strconv.ParseUint(first, 10, 64)
	if to, _ := strconv.ParseUint(last, 10, 64); from > to {
		return errors.New("the range ends before it begins")
	}
	return nil
}

func checkNumber(item string, limit uint64) error {
	if strings.Trim(item, "0123456789") != "" {
		return errNoItem
	}
	if n, err := strconv.ParseUint(item, 10, 64); err != nil || n > limit {
		return errNoItem
	}
	return nil
}

// checkProtocol accepts the form of a name; which names there are is the database's
// to know.
func checkProtocol(item string) error {
	if checkNumber(item, 255) == nil {
		return nil
	}
	for i := range len(item) {
		if c := item[i]; !isWord(c) && strings.IndexByte("-+./ ", c) < 0 {
			return errNoItem
		}
	}
	if c := item[0]; c >= '0' && c <= '9' && strings.Trim(item, "0123456789") == "" || len(item) > 40 {
		return errNoItem
	}
	return nil
}

// shorten cuts a value to what fits into a message.
func shorten(value string) string {
	const most = 60
	if len(value) <= most {
		return value
	}
	return strings.ToValidUTF8(value[:most], "") + "…"
}
