package chdb

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// settingName is what the name of a setting looks like.
var settingName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.]*$`)

// withheld are the privileges that nobody has, neither people nor the program.
// The engine runs with the program's rights, it allows reading files everywhere
// when it is embedded, and its default database even offers every file as a
// table, readonly or not. Nothing here needs sources other than tables and Kafka.
var withheld = []string{
	"FILE", "URL", "REMOTE", "MONGO", "REDIS", "MYSQL", "POSTGRES", "SQLITE", "ODBC", "JDBC",
	"HDFS", "S3", "HIVE", "AZURE", "NATS", "RABBITMQ", "YTSAURUS", "ARROW FLIGHT",
}

const configTemplate = `<clickhouse>
  <users_config>USERS</users_config>
</clickhouse>
`

const usersTemplate = `<clickhouse>
  <profiles><default/></profiles>
  <users>
    <default>
      <password/>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT ALL ON *.* WITH GRANT OPTION</query>
        <query>REVOKE WITHHELD ON *.*</query>
      </grants>
    </default>
  </users>
  <quotas><default/></quotas>
</clickhouse>
`

// writeConfig writes the engine's configuration below dataDir and returns the
// path of its main file. An explicit file also keeps libchdb from reading a
// config.xml that happens to lie in the working or the home directory.
func writeConfig(dataDir string) (string, error) {
	dir := filepath.Join(dataDir, "config")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	users := filepath.Join(dir, "users.xml")
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(users)); err != nil {
		return "", err
	}
	main := filepath.Join(dir, "config.xml")
	if err := os.WriteFile(main, []byte(strings.Replace(configTemplate, "USERS", escaped.String(), 1)), 0o640); err != nil {
		return "", err
	}
	grants := strings.Replace(usersTemplate, "WITHHELD", strings.Join(withheld, ", "), 1)
	return main, os.WriteFile(users, []byte(grants), 0o640)
}
