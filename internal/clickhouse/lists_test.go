package clickhouse_test

import (
	"database/sql"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestListsOfFiltersAreUnderstood(t *testing.T) {
	db, _ := migrated(t)
	const first, second, other = "parseAddress('192.0.2.1')", "parseAddress('2001:db8::1')", "parseAddress('198.51.100.7')"
	for expression, want := range map[string]string{
		// Addresses in all forms, networks, and several of them.
		"isAddressInList(" + first + ", addressList('192.0.2.1'))":                                        "1",
		"isAddressInList(" + first + ", addressList('::192.0.2.1'))":                                      "1",
		"isAddressInList(" + first + ", addressList('::ffff:192.0.2.1'))":                                 "1",
		"isAddressInList(" + first + ", addressList('::FFFF:192.0.2.1'))":                                 "1",
		"isAddressInList(" + second + ", addressList('2001:DB8:0::1'))":                                   "1",
		"isAddressInList(" + first + ", addressList('192.0.2.0/24'))":                                     "1",
		"isAddressInList(" + first + ", addressList('::192.0.2.0/24'))":                                   "1",
		"isAddressInList(" + first + ", addressList('::ffff:192.0.2.0/120'))":                             "1",
		"isAddressInList(" + first + ", addressList('192.0.2.1/32'))":                                     "1",
		"isAddressInList(" + first + ", addressList('192.0.3.0/24'))":                                     "0",
		"isAddressInList(" + second + ", addressList('0.0.0.0/0'))":                                       "0",
		"isAddressInList(" + second + ", addressList('10.0.0.0/8, 2001:db8::/32'))":                       "1",
		"isAddressInList(" + other + ", addressList('10.0.0.0/8, 203.0.113.0/24'))":                       "0", // between the two
		"isAddressInList(" + other + ", addressList('10.0.0.0/8,198.51.100.7,203.0.113.0/24'))":           "1",
		"isAddressInList(" + first + ", addressList('{192.0.2.1,198.51.100.7}'))":                         "1",
		"isAddressInList(" + first + ", addressList('{}'))":                                               "1",
		"isAddressInList(" + first + ", addressList('{'))":                                                "0",
		"isAddressInList(" + first + ", addressList('}, {'))":                                             "0",
		"isAddressInList(" + first + ", addressList(''))":                                                 "1",
		"isAddressInList(" + first + ", addressList(' , ,'))":                                             "1",
		"isAddressInList(" + first + ", addressList('!192.0.2.1'))":                                       "0",
		"isAddressInList(" + first + ", addressList(', ! 192.0.2.2'))":                                    "1",
		"isAddressInList(" + first + ", addressList('192.0.2.0/24, !192.0.2.1'))":                         "0",
		"isAddressInList(" + first + ", addressList('!10.0.0.0/8, !192.0.2.0/25'))":                       "0",
		"isEitherAddressInList(" + first + ", " + other + ", addressList('198.51.100.7'))":                "1",
		"isEitherAddressInList(" + first + ", " + other + ", addressList('203.0.113.1'))":                 "0",
		"isEitherAddressInList(" + first + ", " + other + ", addressList('192.0.2.1, !198.51.100.0/24'))": "0",
		// What cannot be read matches nothing, and excludes nothing; nothing is an error.
		"isAddressInList(" + first + ", addressList('nonsense'))":                                 "0",
		"isAddressInList(" + first + ", addressList('192.0.2.0/33'))":                             "0",
		"isAddressInList(" + first + ", addressList('192.0.2.0/'))":                               "0",
		"isAddressInList(" + first + ", addressList('/24'))":                                      "0",
		"isAddressInList(" + first + ", addressList('192.0.2.0/24/24'))":                          "0",
		"isAddressInList(" + first + ", addressList('2001:db8::/129, 192.0.2.999, \\'; --, (('))": "0",
		"isAddressInList(" + first + ", addressList('!'))":                                        "1",
		"isAddressInList(" + first + ", addressList('!nonsense'))":                                "1",
		"isAddressInList(" + first + ", addressList('nonsense, 192.0.2.1'))":                      "1",
		"isNumberInList(toUInt32(443), numberList('x'))":                                          "0",
		"isNumberInList(toUInt32(443), numberList('-443'))":                                       "0",
		"isNumberInList(toUInt32(443), numberList('443-'))":                                       "0",
		"isNumberInList(toUInt32(443), numberList('99999999999'))":                                "0",
		"isNumberInList(toUInt32(443), numberList('99999999999-999999999999'))":                   "0",
		"isProtocolInList(toUInt8(6), protocolList('TCPX'))":                                      "0",
		"isInterfaceInList(" + first + ", toUInt32(3), interfaceList('192.0.2.1'))":               "0",
		"isInterfaceInList(" + first + ", toUInt32(3), interfaceList('192.0.2.1/x'))":             "0",
		"isInterfaceInList(" + first + ", toUInt32(3), interfaceList('x/3'))":                     "0",

		"isNumberInList(toUInt32(443), numberList('80, 443'))":                                                         "1",
		"isNumberInList(toUInt32(8080), numberList('443, 8000-8100'))":                                                 "1",
		"isNumberInList(toUInt32(8080), numberList('8000-8100, !8080'))":                                               "0",
		"isNumberInList(toUInt32(4294967295), numberList('4294967295'))":                                               "1",
		"isNumberInList(toUInt8(6), numberList('6'))":                                                                  "1",
		"isEitherNumberInList(toUInt32(50000), toUInt32(443), numberList('443'))":                                      "1",
		"isEitherNumberInList(toUInt32(50000), toUInt32(443), numberList('!400-500'))":                                 "0",
		"isProtocolInList(toUInt8(6), protocolList('tcp'))":                                                            "1",
		"isProtocolInList(toUInt8(58), protocolList('UDP, icmpV6'))":                                                   "1",
		"isProtocolInList(toUInt8(61), protocolList('61'))":                                                            "1",
		"isProtocolInList(toUInt8(17), protocolList('!udp'))":                                                          "0",
		"isInterfaceInList(" + first + ", toUInt32(3), interfaceList('{192.0.2.1/3,x/4}'))":                            "1",
		"isInterfaceInList(" + second + ", toUInt32(3), interfaceList('2001:db8::1/3'))":                               "1",
		"isInterfaceInList(" + second + ", toUInt32(3), interfaceList('192.0.2.1/3'))":                                 "0",
		"isInterfaceInList(" + first + ", toUInt32(3), interfaceList('!192.0.2.1/3'))":                                 "0",
		"isEitherInterfaceInList(" + first + ", toUInt32(3), toUInt32(4), interfaceList('192.0.2.1/4'))":               "1",
		"isEitherInterfaceInList(" + first + ", toUInt32(3), toUInt32(4), interfaceList('192.0.2.1/5'))":               "0",
		"isEitherInterfaceInList(" + first + ", toUInt32(3), toUInt32(4), interfaceList('192.0.2.1/3, !192.0.2.1/4'))": "0",
	} {
		if got := query[string](t, db, "SELECT toString("+expression+")"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
}

// indexUse is EXPLAIN indexes = 1 of a count over flows_raw.
func indexUse(t *testing.T, db *sql.DB, filter string) string {
	t.Helper()
	return query[string](t, db, "SELECT arrayStringConcat(groupArray(explain), '\n') FROM (EXPLAIN indexes = 1 SELECT sum(Bytes) FROM flows_raw WHERE "+filter+")")
}

func TestListsOfFiltersUseIndexes(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, `INSERT INTO flows_raw (TimeReceived, SamplerAddress, InIf, SrcAddr, DstAddr, SrcAS)
		SELECT toDateTime('2030-05-01 14:00:00'), parseAddress(concat('192.0.2.', toString(1 + number % 8))), 1 + intDiv(number, 8) % 4,
			parseAddress(concat('10.', toString(intDiv(number, 65536)), '.', toString(intDiv(number, 256) % 256), '.', toString(number % 256))),
			parseAddress(concat('172.16.', toString(intDiv(number, 256) % 256), '.', toString(number % 256))), 64500 + number % 8 FROM numbers(200000)`)
	exec(t, db, "OPTIMIZE TABLE flows_raw FINAL")
	granules := regexp.MustCompile(`Granules: (\d+)/(\d+)`)
	for filter, by := range map[string]string{
		"isAddressInList(SrcAddr, addressList(decodeURLComponent('10%2E1.3.7')))":                                                                    "Name: source",
		"isAddressInList(DstAddr, addressList('172.16.3.7'))":                                                                                        "Name: destination",
		"isEitherAddressInList(SrcAddr, DstAddr, addressList('{10.1.3.7,10.1.3.8}'))":                                                                "Name: source",
		"isNumberInList(SrcAS, numberList('64503'))":                                                                                                 "Name: source_as",
		"isAddressInList(SamplerAddress, addressList('{192.0.2.3}'))":                                                                                "SamplerAddress",
		"isEitherInterfaceInList(SamplerAddress, InIf, OutIf, interfaceList('192.0.2.3/2'))":                                                         "SamplerAddress",
		"isAddressInList(SrcAddr, addressList('10.1.3.7, !10.2.0.0/16')) AND isProtocolInList(Proto, protocolList('!tcp'))":                          "Name: source",
		"isAddressInList(SrcAddr, addressList('10.1.3.7')) AND isEitherInterfaceInList(SamplerAddress, InIf, OutIf, interfaceList('!192.0.2.99/2'))": "Name: source",
		"isInterfaceInList(SamplerAddress, InIf, interfaceList('192.0.2.3/2'))":                                                                      "InIf",
		"isAddressInList(SrcAddr, addressList('10.1.3.7')) AND isNumberInList(SrcPort, numberList('!22'))":                                           "Name: source",
	} {
		text := indexUse(t, db, "TimeReceived = '2030-05-01 14:00:00' AND "+filter)
		matches := granules.FindAllStringSubmatch(text, -1)
		if len(matches) == 0 || !strings.Contains(text, by) {
			t.Errorf("%s: %s is not used:\n%s", filter, by, text)
			continue
		}
		read, _ := strconv.Atoi(matches[len(matches)-1][1])
		all, _ := strconv.Atoi(matches[0][2])
		if read == 0 || read*3 > all {
			t.Errorf("%s: %d granules of %d are read:\n%s", filter, read, all, text)
		}
	}
}

// A filter that filters nothing leaves the sums by second in their place, and so do those
// on what the sums know.
func TestListsOfFiltersLeaveTheProjectionInItsPlace(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "INSERT INTO flows_raw (TimeReceived, Proto, Bytes, SamplingRate) SELECT toDateTime('2030-05-01 14:00:00'), 6, 100, 10 FROM numbers(100000)")
	for filter, want := range map[string]bool{
		"1=1": true,
		"isAddressInList(SrcAddr, addressList(''))":          true,
		"isProtocolInList(Proto, protocolList('tcp, !udp'))": true,
		"FlowDirection = ('out' = 'out')":                    true,
		"isNumberInList(SrcPort, numberList('443'))":         false,
	} {
		text := query[string](t, db, "SELECT arrayStringConcat(groupArray(explain), '\n') FROM (EXPLAIN SELECT Proto, sum(Bytes * SamplingRate) FROM flows_raw WHERE TimeReceived >= '2030-05-01 14:00:00' AND "+filter+" GROUP BY Proto)")
		if got := strings.Contains(text, "per_second"); got != want {
			t.Errorf("%s: projection used: %v, want %v\n%s", filter, got, want, text)
		}
	}
}

// Looking a number up in a list costs more than to compare it, in every row.
func TestSingleNumberOfAListIsCompared(t *testing.T) {
	db, _ := migrated(t)
	exec(t, db, "INSERT INTO flows_raw (TimeReceived, SrcPort, DstPort) SELECT toDateTime('2030-05-01 14:00:00'), number, number FROM numbers(100)")
	for filter, want := range map[string]string{
		"isNumberInList(SrcPort, numberList(decodeURLComponent('443')))": "SrcPort = 443",
		"isEitherNumberInList(SrcPort, DstPort, numberList('443'))":      "DstPort = 443",
		"isNumberInList(SrcPort, numberList('443, 80'))":                 "has([443, 80], SrcPort)",
	} {
		text := indexUse(t, db, "TimeReceived = '2030-05-01 14:00:00' AND "+filter)
		_, evaluated, _ := strings.Cut(text, "Prewhere filter column:")
		evaluated, _, _ = strings.Cut(evaluated, "\n")
		if !strings.Contains(evaluated, want) || strings.Contains(want, " = ") && strings.Contains(evaluated, "has(") {
			t.Errorf("%s is evaluated as %s, want %s", filter, evaluated, want)
		}
	}
}
