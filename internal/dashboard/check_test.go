package dashboard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValuesAreCheckedByWhatTheirVariableHolds(t *testing.T) {
	d := testDashboard(t)
	for _, c := range []struct{ variable, value, want string }{
		{"host", "", ""},
		{"host", " 192.0.2.1 ", ""},
		{"host", "192.0.2.1, 2001:db8::/32,!198.51.100.7 , ! 10.0.0.0/8", ""},
		{"host", "::ffff:192.0.2.1", ""},
		{"host", "0.0.0.0/0", ""},
		{"host", "192.0.2.1,", ""},
		{"host", ",!192.0.2.1", ""},
		{"host", "!", "behind a !"},
		{"host", "192.0.2.1, !", "behind a !"},
		{"host", "192.0.2", `"192.0.2" is not an address or a network, such as`},
		{"host", "192.0.2.0/33", "the prefix length is 0 to 32"},
		{"host", "192.0.2.0/+3", "the prefix length"},
		{"host", "2001:db8::/129", "the prefix length is 0 to 128"},
		{"host", "fe80::1%eth0", "is not an address"},
		{"host", "';--", "is not an address"},
		{"host", "192.0.2.1' OR 1=1", "is not an address"},
		{"host", "münchen", "is not an address"},
		{"host", strings.Repeat("192.0.2.1,", 401) + "192.0.2.1", "more than the 4000"},
		{"host", "192.0.2.1\x00", "control character"},
		{"host", "\xff", "not UTF-8"},
		{"port", "0, 65535, !53, 8000-8100, !1-2", ""},
		{"port", "2-1", "the range ends before it begins"},
		{"port", "1-65536", "a number from 0 to 65535"},
		{"port", "1-", "a number from 0 to 65535"},
		{"port", "1-2-3", "a number from 0 to 65535"},
		{"port", "1 - 2", "a number from 0 to 65535"},
		{"port", "65536", "a number from 0 to 65535"},
		{"port", "-1", "a number"},
		{"port", "1e3", "a number"},
		{"port", "18446744073709551616", "a number"},
		{"vlan", "4095", "a number from 0 to 4094"},
		{"asn", "4294967295", ""},
		{"asn", "AS64500", `"AS64500" is not a number from 0 to 4294967295`},
		{"protocol", "TCP, udp, !1, IPv6-ICMP", ""},
		{"protocol", "256", "a protocol by name or number"},
		{"protocol", "tcp'", "a protocol by name or number"},
		{"note", "anything 'goes' \\ ☃", ""},
		{"note", "tab\tis space", ""},
		{"note", "\x1b[31m", "control character"},
		{"direction", "in", ""},
		{"direction", "inn", `there is no "inn" among its options`},
		{"exporter", "192.0.2.1", ""},
		{"exporter", "a\nb", "control character"},
		{"sql", "SrcPort = 53", ""},
		{"sql", "1)", "does not belong to an open one"},
	} {
		t.Run(c.variable+" "+shorten(c.value), func(t *testing.T) {
			wrong := d.Check(Values{c.variable: {c.value}})
			if c.want == "" && len(wrong) > 0 {
				t.Errorf("%q: %v, want nothing", c.value, wrong)
			}
			if c.want != "" && (len(wrong) != 1 || !strings.Contains(wrong[c.variable], c.want)) {
				t.Errorf("%q: %v, want %s", c.value, wrong, c.want)
			}
		})
	}
}

func TestEveryWrongVariableIsTold(t *testing.T) {
	got := testDashboard(t).Check(Values{"host": {"x"}, "port": {"1", "2"}, "exporter": {strings.Repeat("a", 3000), strings.Repeat("b", 3000)}})
	want := map[string]string{
		"host":     `"x" is not an address or a network, such as 192.0.2.1, 2001:db8::/32 or !198.51.100.7`,
		"port":     "it takes one value, not several",
		"exporter": "the values are 6000 bytes together, more than 4000: choose fewer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is wrong (-want +got):\n%s", diff)
	}
}

func TestConditionsCannotLeaveTheirBrackets(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"SrcPort = 53 AND (DstPort > 1024 OR Proto IN [6, 17])", ""},
		{"x = 'it''s' AND y = 'a\\'b' AND z = '\\\\'", ""},
		{"x = ')' AND y = '; -- /*'", ""},
		{"`SrcAddr` = toIPv6('::1') AND \"DstPort\" - 1 = -1", ""},
		{"Comment LIKE '%Zürich%'", ""},
		{"SrcAddr IN (SELECT DstAddr FROM flows_raw)", ""},
		{"multi\nline\t= 1", ""},
		{"a / b = c - d", ""},
		{"1) OR (1", `the bracket ")" does not belong`},
		{"(1", `a closing ")" is missing`},
		{"([1)]", `the bracket ")" does not belong`},
		{"x = 'open", "a closing ' is missing"},
		{`x = 'open\'`, "a closing ' is missing"},
		{"x = `a", "a closing ` is missing"},
		{"1; DROP TABLE flows_raw", "leave out the semicolon"},
		{"1 -- rest", "comments are not possible"},
		{"1 /* rest", "comments are not possible"},
		{"1 // rest", "comments are not possible"},
		{"1 # rest", "comments are not possible"},
		{"$$)$$", "within quotes only"},
		{"{x:String}", "within quotes only"},
		{`1 \G`, "within quotes only"},
		{`x = x'\'`, `a quote follows "x"`},
		{"x = ‘a’", "quotes are ' and not ’"},
		{"x\u00a0= 1", "letters other than a-z"},
		{"1\x00", "control character"},
		{"'\x00'", "NUL byte"},
		{strings.Repeat("(", 101) + strings.Repeat(")", 101), "nested deeper than 100"},
	} {
		t.Run(shorten(c.text), func(t *testing.T) {
			err := CheckCondition(c.text)
			if c.want == "" && err != nil {
				t.Errorf("%s: %v, want nothing", c.text, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %s", c.text, err, c.want)
			}
		})
	}
}
