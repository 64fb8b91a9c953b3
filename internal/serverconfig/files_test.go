package serverconfig_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/serverconfig"
)

// ClickHouse has read the files when the tests begin; this is whether it took them over.
func TestTheServerIsConfigured(t *testing.T) {
	for _, c := range []struct{ promise, sql, want string }{
		{"background inserts take flows of any number of days", "SELECT value FROM system.settings WHERE name = 'max_partitions_per_insert_block'", "0"},
		{"background inserts do not look for equal rows in sums", "SELECT value FROM system.settings WHERE name = 'optimize_on_insert'", "0"},
		{"settings of Kafka tables can be compared", "SELECT value FROM system.server_settings WHERE name = 'display_secrets_in_show_and_select'", "1"},
		{"the disk is not filled to the last byte", "SELECT keep_free_space FROM system.disks WHERE name = 'default'", "1234567"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if got, err := ask(t, c.sql); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// node is an element of XML.
type node struct {
	XMLName  xml.Name
	Replace  string `xml:"replace,attr"`
	Remove   string `xml:"remove,attr"`
	Engine   string `xml:"engine"`
	Table    string `xml:"table"`
	Children []node `xml:",any"`
}

// The embedded engine writes none of its logs, but it has the tables' engine.
func TestLogsAreKeptForAWeekOrNotAtAll(t *testing.T) {
	files, err := serverconfig.Files(serverconfig.Options{Accounts: []serverconfig.Account{{Name: "reader"}}})
	if err != nil {
		t.Fatal(err)
	}
	var config node
	if err := xml.Unmarshal(files[0].Text, &config); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, element := range config.Children {
		name := element.XMLName.Local
		if !strings.HasSuffix(name, "_log") && name != "dead_letter_queue" {
			continue
		}
		if element.Engine == "" {
			if element.Remove != "1" {
				t.Errorf("%s is neither kept nor removed", name)
			}
			continue
		}
		kept++
		if element.Replace != "1" || element.Table != name {
			t.Errorf("%s: replace %q, table %q: it would be merged with what the server has", name, element.Replace, element.Table)
		}
		table := "default." + name
		if _, err := ask(t, "CREATE TABLE "+table+" (event_date Date, event_time DateTime) "+element.Engine); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := ask(t, "INSERT INTO "+table+" SELECT today() - number, now() - INTERVAL number DAY FROM numbers(10)"); err != nil {
			t.Error(err)
		}
		if _, err := ask(t, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Error(err)
		}
		if got, err := ask(t, "SELECT count() FROM "+table); err != nil || got != "7" && got != "8" {
			t.Errorf("%s: %s of 10 days are kept, %v, want a week", name, got, err)
		}
		if _, err := ask(t, "DROP TABLE "+table+" SYNC"); err != nil {
			t.Error(err)
		}
	}
	if kept < 3 {
		t.Errorf("only %d logs are kept", kept)
	}
}

func TestAccountsThatCannotBeAreRefused(t *testing.T) {
	for _, c := range []struct {
		promise  string
		accounts []serverconfig.Account
		want     string
	}{
		{"none", nil, "no accounts are given"},
		{"the administrator's", []serverconfig.Account{{Name: "default"}}, "that of the administrator"},
		{"not a name", []serverconfig.Account{{Name: "a><b"}}, `account "a><b"`},
		{"twice", []serverconfig.Account{{Name: "reader"}, {Name: "Reader"}}, "account Reader is given twice"},
		{"a password for a hash", []serverconfig.Account{{Name: "reader", PasswordHash: "secret"}}, "64 hexadecimal digits"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := serverconfig.Files(serverconfig.Options{Accounts: c.accounts})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPasswordsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"reader": "password\r\n", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, hash, err string }{
		{"reader", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", ""},
		{"empty", "", "is empty"},
		{"absent", "", "read the password of account absent"},
	} {
		account := serverconfig.Account{Name: c.name}
		err := account.ReadPassword(dir)
		if account.PasswordHash != c.hash || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v, want %q, %q", c.name, account.PasswordHash, err, c.hash, c.err)
		}
	}
}
