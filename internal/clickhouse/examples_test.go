package clickhouse_test

import (
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/examples"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
	"github.com/leoluk/NetMeta/pb"
)

// page is that with the questions; it is read before the engine changes the working
// directory.
var page, pageErr = os.ReadFile("../../doc/sql.md")

// documented returns the questions of the page.
func documented(t *testing.T) []examples.Example {
	t.Helper()
	if pageErr != nil {
		t.Fatal(pageErr)
	}
	all, err := examples.Parse(string(page))
	if err != nil {
		t.Fatalf("doc/sql.md: %v", err)
	}
	if len(all) < 50 {
		t.Fatalf("%d questions are in doc/sql.md", len(all))
	}
	return all
}

// answers are what questions are answered with in the world of craft: an expression over
// the first row of the answer, and its value.
var answers = map[string]struct{ expression, want string }{
	"Who filled this link at 14:03":                                 {"concat(Source, ' ', Service, ' ', rate, ' ', toString(percent))", "203.0.113.1 https 40.00 Kbit/s 75"},
	"What is the 95th percentile of an interface":                   {"concat(side, ' ', percentile_95)", "out 10.67 Kbit/s"},
	"What was the 95th percentile of an interface over 30 days":     {"concat(side, ' ', percentile_95)", "out 10.67 Kbit/s"},
	"Which services are used more than half a year ago":             {"Service", "https"},
	"Which networks grew since last week":                           {"concat(toString(asn), ' ', toString(percent))", "64500 100"},
	"How does today compare with yesterday":                         {"toString(percent)", "900"},
	"What left through the backup transit":                          {"concat(toString(DestinationASN), ' ', Destination)", "64510 203.0.113.77"},
	"How big would a peering with AS 64502 be":                      {"concat(way, ' ', highest)", "from it 2.67 Kbit/s"},
	"Which networks are reached through one neighbour":              {"concat(toString(destination), ' by ', path, ', ', toString(networks))", "64503 by 64502 64503, 2"},
	"With which networks is routing asymmetric":                     {"concat(toString(asn), ' ', comes_in_at, ' ', leaves_at)", "64502 192.0.2.1 192.0.2.2"},
	"How much traffic goes by routes with a community":              {"community", "64502:120"},
	"Who is under attack":                                           {"concat(target, ' ', toString(sources))", "198.51.100.7 210"},
	"Is this a SYN flood or a flash crowd":                          {"concat(toString(port), ' ', toString(syn_percent), ' ', toString(bytes_per_packet), ' ', toString(sources), ' ', toString(samples_per_source))", "443 100 40 200 1"},
	"How many new sources a second come to a target":                {"toString(new_sources)", "210"},
	"Which amplifiers are used against us":                          {"concat(target, ' ', service, ' ', toString(reflectors), ' ', toString(bytes_per_packet))", "198.51.100.9 ntp 30 468"},
	"Who scans the ports of one host":                               {"concat(source, ' ', destination, ' ', toString(ports), ' ', toString(lowest), ' ', toString(highest))", "203.0.113.200 198.51.100.10 30 1 30"},
	"Who looks for one service everywhere":                          {"concat(source, ' ', service, ' ', toString(hosts))", "203.0.113.201 ssh 30"},
	"Does anything come in with a source that cannot be":            {"source", "10.0.0.0/16"},
	"What did the firewall deny":                                    {"concat(Source, ' ', toString(DestinationPort))", "203.0.113.30 445"},
	"Who was behind a translated address at a certain minute":       {"concat(Source, ' ', NATEvent)", "10.0.0.7 NAT44 session created"},
	"What was dropped, and why":                                     {"concat(Exporter, ' ', Forwarding)", "192.0.2.1 dropped: ACL deny"},
	"Who is told that packets are too big":                          {"concat(router, ' ', told, ' ', message)", "2001:db8::1 2001:db8::2 packet too big"},
	"Which hosts refuse connections":                                {"concat(host, ' ', service)", "198.51.100.30 smtp"},
	"Which flows last longest":                                      {"toString(seconds)", "7200"},
	"Which multicast groups are there":                              {"multicast_group", "239.1.1.1"},
	"What is neither IPv4 nor IPv6":                                 {"Network", "ARP"},
	"Which MPLS labels are in use":                                  {"concat(toString(top_label), ' ', toString(bottom_label))", "16 17"},
	"Which exporters went silent":                                   {"concat(exporter, ' ', toString(minutes))", "192.0.2.3 180"},
	"Whose clock is wrong":                                          {"concat(exporter, ' ', toString(seconds))", "192.0.2.4 -3600"},
	"Whose sampling rate is not known":                              {"Exporter", "192.0.2.5"},
	"How full were the interfaces of a router, by its own counters": {"concat(toString(Interface), ' ', Direction, ' ', toString(busiest_percent))", "1 out 3.2"},
	"Which interfaces are sampled badly":                            {"concat(toString(Interface), ' ', Direction)", "1 in"},
	"Which messages could not be read":                              {"concat(Topic, ' ', toString(messages))", flow.Topic + " 1"},
}

func TestEveryDocumentedQuestionIsAnswered(t *testing.T) {
	all := documented(t)
	now := time.Now().Truncate(time.Second)
	db, broker := migrated(t)
	// Flows of a week ago are asked for. A block that ClickHouse has begun to fill still
	// goes by the old retention: it ends with a message that cannot be read.
	exec(t, db, "ALTER TABLE flows_raw MODIFY TTL TimeReceived + INTERVAL 30 DAY")
	publish(t, broker, []byte("\x05no flow"))
	waitFor(t, db, 1, "SELECT count() FROM flows_errors")
	crafted := craft(now)
	publish(t, broker, delimited(t, crafted...))
	publishTo(t, broker, flow.CountersTopic, delimited(t, craftCounters(now)...))
	waitFor(t, db, uint64(len(crafted)), "SELECT sum(Flows) FROM flows_1h") // what is stored last
	waitFor(t, db, 4, "SELECT count() FROM interface_counters")

	known := 0
	for _, e := range all {
		if answer, ok := answers[e.Question]; ok {
			known++
			if got := firstOf(t, db, e.At(now), answer.expression); got != answer.want {
				t.Errorf("%s? The answer is %q, want %q", e.Question, got, answer.want)
			}
		}
	}
	if known != len(answers) {
		t.Errorf("%d of %d questions with known answers are on the page", known, len(answers))
	}

	const history = 20_000
	publish(t, broker, invented(t, now, history)...)
	waitFor(t, db, uint64(len(crafted)+history), "SELECT sum(Flows) FROM flows_1h")
	for _, e := range all {
		if rows := query[uint64](t, db, "SELECT count() FROM ("+e.At(now)+")"); rows == 0 {
			t.Errorf("%s? There is no answer", e.Question)
		}
	}
}

// firstOf returns the value of an expression over the first row of a query's answer.
func firstOf(t *testing.T, db *sql.DB, statement, expression string) string {
	t.Helper()
	return query[string](t, db, "SELECT arrayStringConcat(groupArray(x)) FROM (SELECT "+expression+" AS x FROM ("+statement+") LIMIT 1)")
}

// invented returns Kafka messages with the flows of an hour of the demo's network.
func invented(t *testing.T, to time.Time, flows int) (values [][]byte) {
	t.Helper()
	var value []byte
	err := generate.History(t.Context(), generate.HistoryOptions{From: to.Add(-time.Hour), To: to, Flows: flows, Seed: 1}, func(r *flow.Record) error {
		value = r.AppendDelimited(value)
		if len(value) > 500_000 {
			values, value = append(values, value), nil
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(values, value)
}

func TestDocumentedQueryFindsTheInterfaceThatIsSampledBadly(t *testing.T) {
	var comparison string
	for _, e := range documented(t) {
		if e.Question == "Which interfaces are sampled badly" {
			comparison = e.Query
		}
	}
	db, broker := migrated(t)
	now := uint64(time.Now().Unix())
	exporter := []byte{192, 0, 2, 1}
	var flows []proto.Message
	// The first half came before the first counters, which say nothing about it.
	for i := range uint64(800) {
		flows = append(flows, &pb.FlowMessage{
			TimeReceived: now - 600 + i/400*600, SamplerAddress: exporter, SamplingRate: 100, Bytes: 1000, Packets: 1, InIf: 1, OutIf: 2,
		})
	}
	publish(t, broker, delimited(t, flows...))
	publishTo(t, broker, flow.CountersTopic, delimited(t, craftCounters(time.Unix(int64(now), 0))...))
	waitFor(t, db, 800, "SELECT count() FROM flows_raw")
	waitFor(t, db, 4, "SELECT count() FROM interface_counters")
	got := query[string](t, db, "SELECT arrayStringConcat(groupArray(concat(toString(Interface), ' ', Direction, ': ', toString(deviation_percent), ' of ', toString(expected_percent))), ', ') FROM ("+comparison+")")
	if want := "2 out: -50 of 9.8, 1 in: 0 of 9.8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPageShowsTheFunctionsOfTheDatabase(t *testing.T) {
	db, _ := migrated(t)
	rows := query[[]string](t, db, "SELECT groupArray(concat('| `', Function, '(', Arguments, ')` | ', Description, ' | `', Example, '` → `', Result, '` |')) FROM functions")
	if table := strings.Join(rows, "\n"); !strings.Contains(string(page), "|---|---|---|\n"+table+"\n\n") {
		t.Errorf("the table of functions in doc/sql.md is not that of the database:\n%s", table)
	}
}
