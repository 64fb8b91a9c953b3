package names_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse/clickhousetest"
	"github.com/leoluk/NetMeta/internal/names"
	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/internal/snmp/snmptest"
	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }

// ask returns the only value of the answer to a query.
func ask(t *testing.T, db *sql.DB, query string) (answer string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT toString(("+query+"))").Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, config names.Config) *names.Service {
	t.Helper()
	s, err := names.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The tests share a database: it takes long to make one.
func TestNames(t *testing.T) {
	db, reader := clickhousetest.Migrated(t)
	clear := func(t *testing.T) {
		for _, table := range []string{"flows_raw", "flows_1m", "interface_names", "sampler_config", "host_names", "vlan_names", "networks", "own_asns", "interface_counters", "places", "as_loads"} {
			if _, err := db.ExecContext(t.Context(), "TRUNCATE TABLE "+table); err != nil {
				t.Fatal(err)
			}
		}
	}
	for promise, test := range map[string]func(*testing.T, *sql.DB, *sql.DB){
		"what the settings say is what queries see":             settingsAreSeen,
		"a change holds without a restart, a mistake does not":  changeHolds,
		"dictionaries that are missing come back":               dictionariesComeBack,
		"whoever asks sees all of the old or all of the new":    exchangeIsAtOnce,
		"names of sFlow agents count where nobody says more":    sflowNamesCount,
		"names in options data count before those of sFlow":     optionsNamesCount,
		"one exporter cannot take the room of all":              roomIsShared,
		"countries and cities are those of the GeoIP database":  placesAreSeen,
		"a source that goes wrong keeps what it listed":         sourceKeeps,
		"ClickHouse that is away is brought the names later":    clickHouseIsAway,
		"what was learned and listed outlives the program":      restartRemembers,
		"the DNS is asked only where the settings say so":       dnsNames,
		"SNMP agents name interfaces that flows mention":        agentsName,
		"an interface with a group alone is called by a number": groupAlone,
	} {
		t.Run(promise, func(t *testing.T) {
			clear(t)
			test(t, db, reader)
		})
	}
}

func settingsAreSeen(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `
		interfaceMap: [
			{device: "::100.0.0.1", idx: 858, description:  "TRANSIT-ABC"},
			{device: "::100.0.0.1", idx: 1126, description: "PEERING-YOLO-COLO"},
		]
		sampler: {
			"100.0.0.1": {device: "ams-core-1", site: "AMS1", interface: "7": {description: "up, and down ?", group: "transit", boundary: "external"}, vlan: "10": "here"}
			"2001:db8::1": {device: "six", anonymizeAddresses: true, samplingRate: 100}
		}
		vlans: "10": "anywhere"
		hosts: {"198.51.100.7": "www", "2001:db8::7": #"it's "quoted" \ and {strange}"#}
		networks: {"198.51.100.0/24": {name: "office", role: "lan", boundary: "internal"}, "2001:db8::/32": name: "six"}
		userData: autnums: "64500": {name: "OURS", country: "NL", boundary: "internal"}
	`)
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	const router = "parseAddress('100.0.0.1')"
	for query, want := range map[string]string{
		"interfaceName(" + router + ", 858)":                                                       "TRANSIT-ABC",
		"interfaceName(" + router + ", 1126)":                                                      "PEERING-YOLO-COLO",
		"interfaceName(" + router + ", 1)":                                                         "1",
		"interfaceLabel(" + router + ", 7)":                                                        "100.0.0.1/7: up; and down ?",
		"samplerName(" + router + ")":                                                              "ams-core-1",
		"samplerName(parseAddress('2001:db8::1'))":                                                 "six",
		"vlanName(" + router + ", 10)":                                                             "here",
		"vlanName(parseAddress('100.0.0.2'), 10)":                                                  "anywhere",
		"hostNameOf(parseAddress('198.51.100.7'))":                                                 "www",
		"hostNameOf(parseAddress('2001:db8::7'))":                                                  `it's "quoted" \ and {strange}`,
		"networkBoundary(parseAddress('198.51.100.200'))":                                          "internal",
		"networkBoundary(parseAddress('203.0.113.1'))":                                             "external",
		"addressBoundary(parseAddress('203.0.113.1'), 64500)":                                      "internal",
		"networkName(parseAddress('203.0.113.1'))":                                                 "",
		"networkName(parseAddress('198.51.100.200'))":                                              "office",
		"networkName(parseAddress('2001:db8:ffff::'))":                                             "six",
		"SELECT Name || Country FROM own_asns WHERE ASN = 64500":                                   "OURSNL",
		"SELECT toString(groupArray(SamplerAddress)) FROM sampler_config WHERE AnonymizeAddresses": "['2001:db8::1']",
	} {
		if got := ask(t, reader, query); got != want {
			t.Errorf("%s is %q, want %q", query, got, want)
		}
	}
}

func changeHolds(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.yaml")
	write(t, file, "hosts: {192.0.2.1: a}\n")
	var applied []int
	s := start(t, names.Config{DB: db, File: file, Applied: func(s *settings.Settings) { applied = append(applied, len(s.Hosts)) }})
	step := func(want string) {
		t.Helper()
		s.Step(t.Context(), time.Now())
		if got := ask(t, reader, "hostNameOf(parseAddress('192.0.2.1'))"); got != want {
			t.Errorf("the host is called %q, want %q", got, want)
		}
	}
	step("a")
	write(t, file, "hosts: {192.0.2.1: b, 192.0.2.2: c}\n")
	step("b")
	write(t, file, "hosts: {192.0.2.1: c, 192.0.2.2: }\nhost: {}\n")
	step("b")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	step("b")
	write(t, file, "hosts: {192.0.2.1: d}\n")
	step("d")
	if fmt.Sprint(applied) != "[1 2 1]" {
		t.Errorf("settings were applied with so many hosts: %v", applied)
	}
	write(t, file, "hosts: {router: d}\n")
	if _, err := names.New(names.Config{DB: db, File: file}); err == nil || !strings.Contains(err.Error(), "names.yaml: hosts.router") {
		t.Errorf("to start with a mistake: %v", err)
	}
}

func dictionariesComeBack(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `hosts: "192.0.2.1": "a"`)
	s := start(t, names.Config{DB: db, File: file})
	s.Step(t.Context(), time.Now())
	for _, name := range []string{"InterfaceNames", "SamplerConfig", "HostNames", "VlanNames", "Networks", "OwnAutnums", "Places"} {
		if _, err := db.ExecContext(t.Context(), "DROP DICTIONARY "+name); err != nil {
			t.Fatal(err)
		}
	}
	s.Step(t.Context(), time.Now().Add(10*time.Second))
	if got := ask(t, reader, "hostNameOf(parseAddress('192.0.2.1'))"); got != "a" {
		t.Errorf("the host is called %q", got)
	}
	ask(t, reader, "SELECT count() FROM (SELECT * FROM flows)")
}

func exchangeIsAtOnce(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.json")
	list := func(name string, n int) {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `%s{"device": "192.0.2.%d", "idx": %d, "description": "%s"}`, map[bool]string{true: ","}[i > 0], i%250, i, name)
		}
		write(t, file, `{"interfaceMap": [`+text.String()+`]}`)
	}
	list("old", 5000)
	s := start(t, names.Config{DB: db, File: file})
	s.Step(t.Context(), time.Now())
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	var asked atomic.Int64
	wait.Go(func() {
		for ctx.Err() == nil {
			var seen string
			err := reader.QueryRowContext(context.WithoutCancel(ctx), "SELECT toString(groupUniqArray((Name, n))) FROM (SELECT Name, count() AS n FROM interface_names GROUP BY Name)").Scan(&seen)
			if err != nil || seen != "[('old',5000)]" && seen != "[('new',4000)]" {
				t.Errorf("somebody saw %s, %v", seen, err)
				return
			}
			if err := reader.QueryRowContext(context.WithoutCancel(ctx), "SELECT toString(arraySort(groupUniqArray(interfaceName(parseAddress('192.0.2.' || toString(number % 250)), number)))) FROM numbers(4000)").Scan(&seen); err != nil || seen != "['old']" && seen != "['new']" {
				t.Errorf("somebody was told %s, %v", seen, err)
				return
			}
			asked.Add(1)
		}
	})
	for round := range 6 {
		list([]string{"new", "old"}[round%2], []int{4000, 5000}[round%2])
		s.Step(t.Context(), time.Now())
	}
	stop()
	wait.Wait()
	if asked.Load() == 0 {
		t.Error("nobody asked")
	}
}

func sflowNamesCount(t *testing.T, db, reader *sql.DB) {
	if _, err := db.ExecContext(t.Context(), "INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, Speed) VALUES (now() - 10, '::ffff:192.0.2.1', 1, 'before', 1), (now(), '::ffff:192.0.2.1', 1, 'swp1', 10), (now(), '::ffff:192.0.2.1', 2, 'swp2', 10)"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `sampler: "192.0.2.1": interface: "2": description: "uplink"`)
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	const want = "[(1,'swp1','swp1',10,'sflow'),(2,'uplink','swp2',10,'settings')]"
	if got := ask(t, reader, "SELECT groupArray((Interface, Name, Device, Speed, Source)) FROM (SELECT * FROM interface_names ORDER BY Interface)"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func optionsNamesCount(t *testing.T, db, reader *sql.DB) {
	for _, statement := range []string{
		// Options data come without counters; an agent that keeps none has an uptime.
		`INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, Uptime, InOctets) VALUES
			(now() - 20, '::ffff:192.0.2.1', 1, 'Gi0/1', 0, 0xffffffffffffffff), (now(), '::ffff:192.0.2.1', 1, 'ifindex 1', 5000, 7),
			(now(), '::ffff:192.0.2.1', 2, 'vlan2', 5000, 0xffffffffffffffff),
			(now(), '::ffff:192.0.2.1', 3, 'Gi0/3', 0, 0xffffffffffffffff),
			(now(), '::ffff:192.0.2.1', 4, 'Gi0/4', 0, 0xffffffffffffffff),
			(now(), '::ffff:192.0.2.1', 5, '\r\n', 0, 0xffffffffffffffff)`,
		`INSERT INTO interface_names VALUES ('::ffff:192.0.2.1', 4, 'polled', 'polled', '', 5, '', '', 'snmp', now())`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `sampler: "192.0.2.1": interface: "3": description: "uplink"`)
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	const want = "[(1,'Gi0/1','Gi0/1','options'),(2,'vlan2','vlan2','sflow'),(3,'uplink','Gi0/3','settings'),(4,'polled','polled','snmp')]"
	if got := ask(t, reader, "SELECT groupArray((Interface, Name, Device, Source)) FROM (SELECT * FROM interface_names ORDER BY Interface)"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := ask(t, reader, "SELECT count() FROM interface_traffic WHERE Interface IN (1, 3, 4)"); got != "0" {
		t.Errorf("%s rows of traffic without counters", got)
	}

	// After a restart, what the device is called may change again.
	if _, err := db.ExecContext(t.Context(), "INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, InOctets) VALUES (now() + 1, '::ffff:192.0.2.1', 3, 'Gi0/3 (new)', 0xffffffffffffffff)"); err != nil {
		t.Fatal(err)
	}
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	if got := ask(t, reader, "SELECT any(Device) FROM interface_names WHERE Interface = 3"); got != "Gi0/3 (new)" {
		t.Errorf("the device is called %q", got)
	}
}

func roomIsShared(t *testing.T, db, reader *sql.DB) {
	for _, statement := range []string{
		"INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, InOctets) SELECT now(), '::ffff:192.0.2.66', 1 + number, concat('forged ', toString(number)), 0xffffffffffffffff FROM numbers(250000)",
		"INSERT INTO interface_counters (TimeReceived, SamplerAddress, Interface, Name, InOctets) VALUES (now(), '::ffff:192.0.2.77', 1, 'Gi0/1', 0xffffffffffffffff)",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	start(t, names.Config{DB: db}).Step(t.Context(), time.Now())
	if got := ask(t, reader, "SELECT (countIf(SamplerAddress = '::ffff:192.0.2.66'), anyIf(Name, SamplerAddress = '::ffff:192.0.2.77')) FROM interface_names"); got != "(10000,'Gi0/1')" {
		t.Errorf("%s, want 10000 of the one and the name of the other", got)
	}
}

func sourceKeeps(t *testing.T, db, reader *sql.DB) {
	var answer atomic.Pointer[http.HandlerFunc]
	says := func(f http.HandlerFunc) { answer.Store(&f) }
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, fmt.Sprintf(`networkSources: [{url: "%s/networks.csv", interval: "10s"}], networks: "10.0.0.0/8": name: "mine"`, server.URL))
	s := start(t, names.Config{DB: db, File: file})
	now := time.Now()
	step := func(want string) {
		t.Helper()
		now = now.Add(2 * time.Minute)
		s.Step(t.Context(), now)
		if got := ask(t, reader, "SELECT arrayStringConcat(groupArray(Prefix || ' ' || Name), ', ') FROM (SELECT * FROM networks ORDER BY Prefix)"); got != want {
			t.Errorf("networks are %q, want %q", got, want)
		}
	}
	says(text("network,name,owner\n198.51.100.0/24,office,x\n10.0.0.0/8,theirs,y\nrouter,z,z\n"))
	step("10.0.0.0/8 mine, 198.51.100.0/24 office")
	for _, bad := range []string{"<!DOCTYPE html><title>Maintenance</title>", "", "network,name\n", "name,role\na,b\n", "network,name\na,b\nc,d\n192.0.2.0/24,e\n", "network,name\n192.0.2.0/24,\"cut", "network,name\n192.0.2.0/24,caf\xe9\n"} {
		says(text(bad))
		step("10.0.0.0/8 mine, 198.51.100.0/24 office")
	}
	says(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
	step("10.0.0.0/8 mine, 198.51.100.0/24 office")
	says(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "prefix,name\n2001:db8::/32,six\n")
	})
	step("10.0.0.0/8 mine, 2001:db8::/32 six")
	says(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != `"1"` {
			t.Error("asked without a condition")
		}
		w.WriteHeader(http.StatusNotModified)
	})
	step("10.0.0.0/8 mine, 2001:db8::/32 six")

	// Another program that finds the source in ruins knows what it listed last.
	says(text("<html>"))
	s = start(t, names.Config{DB: db, File: file})
	step("10.0.0.0/8 mine, 2001:db8::/32 six")
}

func clickHouseIsAway(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `hosts: "192.0.2.1": "a"`)
	if _, err := db.ExecContext(t.Context(), "RENAME TABLE host_names TO host_names_away"); err == nil {
		t.Fatal("a table that a dictionary reads can be renamed: the test wants another way")
	}
	away, err := sql.Open("clickhouse", "http://127.0.0.1:1/default")
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	start(t, names.Config{DB: away, File: file}).Step(t.Context(), time.Now())
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	if got := ask(t, reader, "hostNameOf(parseAddress('192.0.2.1'))"); got != "a" {
		t.Errorf("the host is called %q", got)
	}
}

func restartRemembers(t *testing.T, db, reader *sql.DB) {
	if _, err := db.ExecContext(t.Context(), "INSERT INTO interface_names VALUES ('::ffff:192.0.2.1', 1, 'eth0 (up)', 'eth0', 'up', 5, '', '', 'snmp', now())"); err != nil {
		t.Fatal(err)
	}
	start(t, names.Config{DB: db}).Step(t.Context(), time.Now())
	if got := ask(t, reader, "SELECT any((Name, Device, Description, Speed, Source)) FROM interface_names"); got != "('eth0 (up)','eth0','up',5,'snmp')" {
		t.Error(got)
	}
}

func groupAlone(t *testing.T, db, reader *sql.DB) {
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `sampler: "192.0.2.1": interface: "7": group: "transit"`)
	start(t, names.Config{DB: db, File: file}).Step(t.Context(), time.Now())
	if got := ask(t, reader, "SELECT any((Name, Group)) FROM interface_names"); got != "('7','transit')" {
		t.Error(got)
	}
}

func agentsName(t *testing.T, db, reader *sql.DB) {
	// Nothing answers on the second address; its names are those of before.
	for _, statement := range []string{
		"INSERT INTO flows_raw (TimeReceived, SamplerAddress, InIf, OutIf, Bytes, Packets) VALUES (now(), '::ffff:127.0.0.1', 1, 4000000000, 1, 1), (now(), '::ffff:127.0.0.2', 1, 2, 1, 1), (now(), '::ffff:192.0.2.1', 1, 2, 1, 1)",
		"INSERT INTO interface_names VALUES ('::ffff:127.0.0.2', 1, 'before', 'before', '', 5, '', '', 'snmp', now())",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, fmt.Sprintf(`snmp: [{exporters: ["127.0.0.0/8"], community: %q, port: %d}], hosts: "192.0.2.9": "a"`, snmptest.Community, snmptest.Agent(t)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := start(t, names.Config{DB: db, File: file})
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx, nil) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if got := ask(t, reader, "interfaceName(parseAddress('127.0.0.1'), 1)"); got == "lo" {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("interface 1 is still called %q", got)
		}
	}
	stop()
	done.Wait()
	for query, want := range map[string]string{
		"interfaceName(parseAddress('127.0.0.1'), 4000000000)":                             "4000000000",
		"interfaceName(parseAddress('127.0.0.2'), 1)":                                      "before",
		"interfaceName(parseAddress('192.0.2.1'), 1)":                                      "1",
		"hostNameOf(parseAddress('192.0.2.9'))":                                            "a",
		"SELECT any(InIfName) FROM flows WHERE SamplerAddress = parseAddress('127.0.0.1')": "lo",
	} {
		if got := ask(t, reader, query); got != want {
			t.Errorf("%s is %q, want %q", query, got, want)
		}
	}
}
