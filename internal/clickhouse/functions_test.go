package clickhouse_test

import (
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/schema"
)

func TestEveryFunctionIsDescribedAndDoesWhatItsExampleSays(t *testing.T) {
	db, _ := migrated(t)
	column := func(name string) []string {
		return query[[]string](t, db, "SELECT groupArray("+name+") FROM (SELECT * FROM functions ORDER BY Function)")
	}
	names, returns, descriptions, examples, results := column("Function"), column("Returns"), column("Description"), column("Example"), column("Result")
	if made := query[[]string](t, db, "SELECT arraySort(groupArray(name)) FROM system.functions WHERE origin = 'SQLUserDefined'"); strings.Join(made, " ") != strings.Join(names, " ") {
		t.Errorf("there are the functions %v, described are %v", made, names)
	}
	for i, name := range names {
		if descriptions[i] == "" {
			t.Errorf("%s has no description", name)
		}
		if got := query[string](t, db, "SELECT toString("+examples[i]+")"); got != results[i] {
			t.Errorf("%s is %q, described is %q", examples[i], got, results[i])
		}
		if got := query[string](t, db, "SELECT toTypeName("+examples[i]+")"); got != returns[i] {
			t.Errorf("%s has the type %s, described is %s", name, got, returns[i])
		}
	}
}

// Where a view is created, a function takes the place of what the view's own WITH calls
// by the same name, without an error. A view that brings flows would bring none.
func TestFunctionsAreNotCalledAsWhatViewsDefineForThemselves(t *testing.T) {
	migrations, err := schema.Source(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	made, own := regexp.MustCompile(`CREATE OR REPLACE FUNCTION (\w+)`), regexp.MustCompile(`\bAS (\w+)`)
	functions, defined := map[string]bool{}, map[string]string{}
	for version, err := migrations.First(); !errors.Is(err, fs.ErrNotExist); version, err = migrations.Next(version) {
		if err != nil {
			t.Fatal(err)
		}
		for _, read := range []func(uint) (io.ReadCloser, string, error){migrations.ReadUp, migrations.ReadDown} {
			file, name, err := read(version)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(file)
			file.Close()
			if err != nil {
				t.Fatal(err)
			}
			if match := made.FindSubmatch(text); match != nil {
				functions[string(match[1])] = true
			}
			for _, match := range own.FindAllSubmatch(text, -1) {
				defined[string(match[1])] = name
			}
		}
	}
	if len(functions) < 20 || len(defined) < 50 {
		t.Fatalf("found %d functions and %d names", len(functions), len(defined))
	}
	for name := range functions {
		if migration := defined[name]; migration != "" {
			t.Errorf("migration %s has a %s of its own", migration, name)
		}
	}
}

func TestFunctionsKnowTheFormsThatPeopleWrite(t *testing.T) {
	db, _ := migrated(t)
	for expression, want := range map[string]string{
		"parseAddress('192.0.2.1')":                                      "::ffff:192.0.2.1",
		"parseAddress(' ::192.0.2.1 ')":                                  "::ffff:192.0.2.1",
		"parseAddress('::ffff:192.0.2.1')":                               "::ffff:192.0.2.1",
		"parseAddress('::FFFF:192.0.2.1')":                               "::ffff:192.0.2.1",
		"parseAddress('::1')":                                            "::1",
		"parseAddress('2001:DB8::ffff:192.0.2.1')":                       "2001:db8::ffff:c000:201",
		"addressToString(toIPv6('::'))":                                  "",
		"addressToString(toIPv6('::ffff:0.0.0.0'))":                      "0.0.0.0",
		"addressToString(toIPv6('::ffff:1:2:3'))":                        "::ffff:1:2:3",
		"networkRange('192.0.2.77')":                                     "('::ffff:192.0.2.77','::ffff:192.0.2.77')",
		"networkRange('192.0.2.77/31')":                                  "('::ffff:192.0.2.76','::ffff:192.0.2.77')",
		"networkRange('0.0.0.0/0')":                                      "('::ffff:0.0.0.0','::ffff:255.255.255.255')",
		"networkRange('::192.0.2.0/24')":                                 "('::ffff:192.0.2.0','::ffff:192.0.2.255')",
		"networkRange('::ffff:192.0.2.0/120')":                           "('::ffff:192.0.2.0','::ffff:192.0.2.255')",
		"networkRange('2001:db8::/127')":                                 "('2001:db8::','2001:db8::1')",
		"isInNetwork(parseAddress('2001:db8::1'), '0.0.0.0/0')":          "0",
		"isInNetwork(parseAddress('192.0.3.0'), '192.0.2.0/24')":         "0",
		"networkOf(parseAddress('192.0.2.77'), 28, 48)":                  "192.0.2.64/28",
		"networkOf(parseAddress('::1'), 24, 48)":                         "::/48",
		"networkOf(parseAddress('::'), 24, 48)":                          "",
		"icmpName(toUInt8(58), toUInt8(2), toUInt8(0))":                  "packet too big",
		"icmpName(toUInt8(1), toUInt8(3), toUInt8(4))":                   "fragmentation needed",
		"icmpName(toUInt8(1), toUInt8(3), toUInt8(99))":                  "destination unreachable",
		"icmpName(toUInt8(1), toUInt8(77), toUInt8(1))":                  "type 77 code 1",
		"icmpName(toUInt8(6), toUInt8(0), toUInt8(0))":                   "",
		"serviceName(toUInt8(6), toUInt32(50000), toUInt32(443))":        "https",
		"serviceName(toUInt8(6), toUInt32(22), toUInt32(443))":           "ssh",
		"serviceName(toUInt8(17), toUInt32(40000), toUInt32(45000))":     "40000",
		"serviceName(toUInt8(17), toUInt32(0), toUInt32(45000))":         "45000",
		"serviceName(toUInt8(17), toUInt32(514), toUInt32(45000))":       "syslog",
		"serviceName(toUInt8(6), toUInt32(514), toUInt32(45000))":        "shell",
		"serviceName(toUInt8(1), toUInt32(53), toUInt32(53))":            "",
		"serviceName(toUInt8(17), toUInt32(0), toUInt32(0))":             "",
		"forwardingStatusName(toUInt8(130))":                             "dropped: ACL drop",
		"forwardingStatusName(toUInt8(191))":                             "dropped: reason 63",
		"protocolName(toUInt8(61))":                                      "61",
		"protocolName(toUInt8(255))":                                     "255",
		"etherTypeName(toUInt16(0x1234))":                                "0x1234",
		"dscpName(toUInt8(3))":                                           "CS0",
		"dscpName(toUInt8(20))":                                          "5",
		"tcpFlagsToString(toUInt8(255))":                                 "FIN-SYN-RST-PSH-ACK-URG-ECE-CWR",
		"rateToString(sum(0))":                                           "0.00 bit/s",
		"bitsPerSecond(number, toUInt64(10), 2) FROM numbers(3)":         "120",
		"packetsPerSecond(number + 1, toUInt64(10), 60) FROM numbers(3)": "1",
	} {
		call, from, _ := strings.Cut(expression, " FROM ")
		if from == "" {
			from = "numbers(1)"
		}
		if got := query[string](t, db, "SELECT toString("+call+") FROM "+from); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}

func TestNetworkThatCannotBeIsRefused(t *testing.T) {
	db, _ := migrated(t)
	for _, network := range []string{"192.0.2.0/33", "192.0.2.0/95", "192.0.2.0/300", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/x", "192.0.2.256/24", "nonsense", ""} {
		if _, err := db.ExecContext(t.Context(), "SELECT networkRange('"+network+"') FORMAT Null"); err == nil {
			t.Errorf("network %q is taken", network)
		}
	}
}

func TestFiltersOfPeopleReadOnlyTheirPartOfTheTable(t *testing.T) {
	db, _ := migrated(t)
	// Hosts in the order of the table, so that the primary key tells where they are.
	exec(t, db, `INSERT INTO flows_raw (TimeReceived, SamplerAddress, SrcAddr)
		SELECT toDateTime('2030-05-01 14:00:00'), parseAddress('192.0.2.1'), parseAddress(concat('10.0.', toString(intDiv(number, 256)), '.', toString(number % 256))) FROM numbers(65536)`)
	rows := func(filter string) uint64 {
		return query[uint64](t, db, "SELECT sum(rows) FROM (EXPLAIN ESTIMATE SELECT sum(Bytes) FROM flows WHERE Time = '2030-05-01 14:00:00' AND "+filter+")")
	}
	if all := rows("Source != ''"); all != 65536 {
		t.Fatalf("%d rows would be read for all", all)
	}
	for _, filter := range []string{
		"SamplerAddress = parseAddress('192.0.2.1') AND SrcAddr = parseAddress('10.0.3.7')",
		"SamplerAddress = parseAddress('192.0.2.1') AND isInNetwork(SrcAddr, '10.0.3.0/24')",
	} {
		if read := rows(filter); read == 0 || read > 16384 {
			t.Errorf("%s: %d rows of 65536 would be read", filter, read)
		}
	}
}
