package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/doctor"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/kafkatest"
)

// examine runs netmeta doctor, and returns its report and its exit code.
func examine(t *testing.T, args ...string) (r doctor.Report, exitCode int) {
	t.Helper()
	stdout, stderr, err := execute(t, append([]string{"doctor", "--interval", "1s", "--output", "json"}, args...)...)
	if failed := json.Unmarshal([]byte(stdout), &r); failed != nil {
		t.Fatalf("%v: %s%s (%v)", failed, stdout, stderr, err)
	}
	return r, exitStatus(err)
}

// says returns an error unless the first problem is at the stage and says want.
func says(r doctor.Report, stage, want string) error {
	for _, s := range r.Stages {
		if s.ID == stage && r.First == stage && strings.Contains(s.Summary, want) {
			return nil
		}
	}
	return fmt.Errorf("the first problem is at %q, want %q that says %q: %+v", r.First, stage, want, r.Stages)
}

// wantFound runs doctor until the first problem is at the stage and says want.
func wantFound(t *testing.T, stage, want string, args ...string) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		report, code := examine(t, args...)
		if err = says(report, stage, want); err == nil {
			if code != exitProblem {
				t.Errorf("%s: exit code %d, want %d", want, code, exitProblem)
			}
			return
		}
	}
	t.Error(err)
}

func TestDoctorNamesTheStageOfEachFaultOfACluster(t *testing.T) {
	bootstrap, kafka := kafkatest.Start(t)
	for _, topic := range []string{flow.Topic, flow.CountersTopic, flow.PipelineTopic, flow.TracesTopic} {
		kafkatest.CreateTopic(t, []string{bootstrap}, topic, 1)
	}
	url := serveEngine(t, false)
	collector := launchCollector(t, "--kafka", bootstrap)
	metrics := collector.find(t, `serving url=(\S+)`)
	args := []string{"--metrics", metrics, "--kafka", bootstrap, "--clickhouse", url}

	wantFound(t, "sockets", "no datagram has arrived", args...)
	sendTo(t, collector, 1000)
	wantFound(t, "clickhouse", "there are no tables", args...)
	if _, _, err := execute(t, "migrate", "--clickhouse", url, "--kafka", bootstrap); err != nil {
		t.Fatal(err)
	}
	until(t, 3*time.Minute, "a cluster without a problem", func() bool {
		report, code := examine(t, args...)
		return code == 0 && report.First == ""
	})
	if report, _ := examine(t, append(args, "--counters-topic", "misspelt")...); !strings.Contains(fmt.Sprint(report), "there is no topic misspelt") {
		t.Errorf("the topic that is missing is not named: %+v", report)
	}
	// Collectors say every ten seconds what they have counted.
	until(t, 3*time.Minute, "the collector to be known to ClickHouse", func() bool {
		report, _ := examine(t, "--clickhouse", url)
		return report.Stages[0].Level == doctor.OK && strings.Contains(report.Stages[1].Summary, "1,000 flow records")
	})

	db, err := clickhouse.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if report, _ := examine(t, append(args, "--probe", "--netflow", collector.find(t, `listener=netflow address=(\S+)`))...); !strings.Contains(fmt.Sprint(report), "was stored after") {
		t.Errorf("the flow of the probe did not arrive: %+v", report)
	}
	change(t, db, "DETACH TABLE flows_gate SYNC")
	sendTo(t, collector, 1000)
	wantFound(t, "clickhouse", "flows_gate is detached", args...)
	change(t, db, "ATTACH TABLE flows_gate")

	newest := int(setVersion(t, db, 9999))
	wantFound(t, "clickhouse", "the schema has version 9999, and this netmeta knows versions up to", args...)
	setVersion(t, db, newest-1)
	wantFound(t, "clickhouse", fmt.Sprintf("the schema has version %d, this netmeta has %d", newest-1, newest), args...)
	setVersion(t, db, newest)

	wantFound(t, "clickhouse", "cannot be reached", "--metrics", metrics, "--kafka", bootstrap, "--clickhouse", "http://admin:secret@127.0.0.1:1/default")
	kafka.Kill()
	wantFound(t, "kafka", "Kafka cannot be reached", args...)
	// Without --kafka it is seen by the collector.
	wantFound(t, "queue", "Kafka does not take flow-messages", "--metrics", metrics, "--clickhouse", url)
}

// change runs a statement.
func change(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// setVersion has the database say that its schema has a version, and returns which one it
// said before.
func setVersion(t *testing.T, db *sql.DB, version int) (before int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT argMax(version, sequence) FROM schema_migrations").Scan(&before); err != nil {
		t.Fatal(err)
	}
	change(t, db, fmt.Sprintf("INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, 0, toUnixTimestamp64Nano(now64(9)))", version))
	return before
}

func TestDoctorNamesExportersThatAreNotAllowed(t *testing.T) {
	collector := launchCollector(t, "--output", t.TempDir()+"/flows.bin", "--allow", "192.0.2.0/24")
	metrics := collector.find(t, `serving url=(\S+)`)
	sendTo(t, collector, 1000)
	wantFound(t, "exporters", "are of addresses that --allow does not have", "--metrics", metrics)
}

func TestDoctorRefusesWhatItCannotExamine(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing runs":          {[]string{"--data-dir", t.TempDir()}, "no netmeta-standalone runs there"},
		"both":                  {[]string{"--data-dir", "/srv", "--metrics", "c:9100"}, "either --data-dir"},
		"interval":              {[]string{"--interval", "1ms", "--metrics", "c:9100"}, "between 1s and 1h"},
		"form of the report":    {[]string{"--output", "xml"}, "must be table or json"},
		"probe without rows":    {[]string{"--probe", "--netflow", "c:2055", "--metrics", "c:9100"}, "give --clickhouse"},
		"probe to nowhere":      {[]string{"--probe", "--clickhouse", "c:8123"}, "give --netflow"},
		"netflow without probe": {[]string{"--netflow", "c:2055", "--clickhouse", "c:8123"}, "give that, too"},
		"other protocol":        {[]string{"--clickhouse", "clickhouse://u:secret@c:9000"}, "not http or https"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := execute(t, append([]string{"doctor"}, test.args...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) || exitStatus(err) != exitUnknown {
				t.Errorf("error %v with exit code %d, want %q and %d", err, exitStatus(err), test.want, exitUnknown)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}
