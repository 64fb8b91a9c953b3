package serverconfig_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// backups is what deploy/components/clickhouse has, too, with the place of its volume.
const backups = `<clickhouse><backups><allowed_path>%s</allowed_path></backups></clickhouse>`

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?);\n```")

// The statements of doc/backup.md, in their order: what was backed up, and then backed up
// on top, is there again after it was lost.
func TestBackupsOfTheDocumentationRestoreWhatWasLost(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	blocks := sqlBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 4 {
		t.Fatalf("%d statements are in doc/backup.md, want the backup, the next, the restoring, and that of one table", len(blocks))
	}
	run := func(statement string) {
		t.Helper()
		if _, err := server.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	insert := func(hour, flows int) {
		run(fmt.Sprintf("INSERT INTO flows_raw (TimeReceived, Bytes, Packets, SamplingRate) SELECT toDateTime(yesterday(), 'UTC') + %d * 3600 + number, number, 1, 1000 FROM numbers(%d)", hour, flows))
	}
	tables := []string{"flows_raw", "flows_1m", "flows_1h"}
	stored := func() (sums string) {
		t.Helper()
		for _, table := range tables {
			// Parts are merged meanwhile: only sums are the same.
			row, err := ask(t, "SELECT sum(Bytes), sum(Packets) FROM `"+database+"`."+table)
			if err != nil {
				t.Fatal(err)
			}
			sums += table + " " + row + "\n"
		}
		return sums
	}

	insert(10, 1000)
	run(blocks[0][1])
	insert(12, 500)
	want := stored()
	run(blocks[1][1])
	for _, table := range tables {
		run("TRUNCATE TABLE " + table + " SYNC")
	}
	if stored() == want {
		t.Fatal("nothing was lost")
	}
	run(blocks[2][1])
	if got := stored(); got != want {
		t.Errorf("restored is\n%s\nwant\n%s", got, want)
	}

	// A single day, by way of another table.
	run(blocks[3][1])
	run("TRUNCATE TABLE flows_raw SYNC")
	partition, err := ask(t, "SELECT DISTINCT partition_id FROM system.parts WHERE table = 'flows_raw_restored' AND active")
	if err != nil || strings.Contains(partition, "\n") {
		t.Fatalf("the parts of the day are in %q, %v", partition, err)
	}
	run("ALTER TABLE flows_raw ATTACH PARTITION ID '" + partition + "' FROM flows_raw_restored")
	run("DROP TABLE flows_raw_restored SYNC")
	if got, err := ask(t, "SELECT count() FROM `"+database+"`.flows_raw"); err != nil || got != "1000" {
		t.Errorf("%s flows of the day are there, %v, want the 1000 of the first backup", got, err)
	}
	for _, table := range tables {
		run("TRUNCATE TABLE " + table + " SYNC")
	}
}
