package serverconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Profile is the settings profile of people's accounts.
const Profile = "reader"

// Accounts are the accounts that people have unless they are named otherwise. Grafana
// has one of its own, so that a person who has used up the quota does not take the
// dashboards down, nor the other way round.
var Accounts = []string{"reader", "grafana"}

// Account is a user of ClickHouse that reads.
type Account struct {
	Name string
	// PasswordHash is the SHA-256 of the password in hexadecimal. If it is empty, the
	// server takes it from its environment, from the variable PasswordVariable(Name),
	// and does not start without it.
	PasswordHash string
	// Quota is what all who use the account may use together, DefaultQuota if zero.
	Quota Quota
}

// Quota is what an account may use in an hour.
type Quota struct {
	Queries  uint64
	ReadRows uint64
	// Seconds are those that queries ran, of all queries together.
	Seconds uint64
}

// DefaultQuota lets four queries run at every moment. A panel of a dashboard that
// refreshes itself every 30 s asks 120 times an hour.
var DefaultQuota = Quota{Queries: 100_000, ReadRows: 2_000_000_000_000, Seconds: 4 * 3600}

// accountName is what is both a name of an XML element and easily written in SQL.
var accountName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

var passwordHash = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// PasswordVariable is the name of the environment variable in which the server finds
// the SHA-256 of an account's password.
func PasswordVariable(account string) string {
	return "NETMETA_PASSWORD_SHA256_" + strings.ToUpper(account)
}

// ReadPassword sets PasswordHash from the file in dir that has the account's name, as
// a mounted Secret has. A line break at its end is not part of the password.
func (a *Account) ReadPassword(dir string) error {
	path := filepath.Join(dir, a.Name)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the password of account %s: %w", a.Name, err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return fmt.Errorf("read the password of account %s: %s is empty", a.Name, path)
	}
	hash := sha256.Sum256([]byte(password))
	a.PasswordHash = hex.EncodeToString(hash[:])
	return nil
}

func (a Account) check() error {
	switch {
	case !accountName.MatchString(a.Name):
		return fmt.Errorf("account %q: a name consists of letters, digits and _, and does not begin with a digit", a.Name)
	case a.Name == "default":
		return errors.New("account default: it is that of the administrator, take another name")
	case a.PasswordHash != "" && !passwordHash.MatchString(a.PasswordHash):
		return fmt.Errorf("account %s: the hash of the password has to be 64 hexadecimal digits", a.Name)
	}
	return nil
}

// queues are the Kafka tables of the schema. Who reads one takes messages out of it
// that are then stored nowhere.
var queues = []string{"flows_queue", "counters_queue", "pipeline_queue", "traces_queue"}

// partColumns tell how much is stored, and not where.
const partColumns = "database, table, partition, name, active, rows, bytes_on_disk, " +
	"data_compressed_bytes, data_uncompressed_bytes, min_time, max_time, modification_time"

// grants returns what readers of database may do, as statements. What ClickHouse lets
// everybody read of system (the names of tables, columns, functions, settings) comes on
// top, by itself; it shows tables and columns only to those who may read them.
func grants(database string) []string {
	db := "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(database) + "`"
	statements := []string{
		"GRANT SELECT, dictGet ON " + db + ".*",
		"GRANT SELECT(" + partColumns + ") ON system.parts",
		// Numbers that tell how busy ClickHouse is, and not with what.
		"GRANT SELECT ON system.metrics",
		// Views of what everybody may read in system, which some programs ask for.
		"GRANT SELECT ON information_schema.*",
		"GRANT SELECT ON INFORMATION_SCHEMA.*",
	}
	for _, queue := range queues {
		statements = append(statements, "REVOKE SELECT ON "+db+"."+queue)
	}
	return statements
}
