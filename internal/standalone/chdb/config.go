package chdb

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// settingName is what the name of a setting looks like.
var settingName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// withheld are the privileges that nobody has, neither people nor the program.
// The engine runs with the program's rights, it allows reading files everywhere
// when it is embedded, and its default database even offers every file as a
// table, readonly or not. Nothing here needs sources other than tables and Kafka.
var withheld = []string{
	"FILE", "URL", "REMOTE", "MONGO", "REDIS", "MYSQL", "POSTGRES", "SQLITE", "ODBC", "JDBC",
	"HDFS", "S3", "HIVE", "AZURE", "NATS", "RABBITMQ", "YTSAURUS", "ARROW FLIGHT",
}

// defaultSettings are settings of the default profile that NetMeta needs.
var defaultSettings = map[string]string{
	// A producer that sends times from hundreds of days must not stop ingestion.
	"max_partitions_per_insert_block": "0",
}

// defaultServer are settings of the server that NetMeta needs.
var defaultServer = map[string]string{
	// The settings of Kafka tables, which are no secret here, can be compared.
	"display_secrets_in_show_and_select": "1",
}

// limit is what a setting is for read-only queries, and between which values they may
// set it. 0 would be no limit at all.
type limit struct{ Default, Min, Max string }

const gibibyte = 1 << 30

// readLimits keep one query of a person from taking the process down, or what it
// needs to store flows. They hold for what the URL sets and for what the query's text
// sets alike. Memory is in bytes; what exceeds the half of it goes to the disk first.
var readLimits = map[string]limit{
	"max_execution_time":                        {"60", "0.001", "600"}, // seconds
	"max_memory_usage":                          {size(2), "1", size(4)},
	"max_memory_usage_for_user":                 {size(4), "1", size(4)}, // of all queries together
	"max_temporary_data_on_disk_size_for_query": {size(4), "1", size(8)},
	"max_temporary_data_on_disk_size_for_user":  {size(8), "1", size(8)},
}

func size(gibibytes int) string { return strconv.Itoa(gibibytes * gibibyte) }

// readerProfile is the profile that has readLimits and escapes as constraints.
const readerProfile = "reader"

// limitReading makes the session one of a reader. The profile has the constraints
// only, because a session that changes its profile keeps the values it had.
var limitReading = func() string {
	sql := "SET profile = " + quote(readerProfile)
	for _, name := range slices.Sorted(maps.Keys(readLimits)) {
		sql += ", " + name + " = " + quote(readLimits[name].Default)
	}
	return sql
}()

// configTemplate names the default profile twice, because what runs in the
// background (inserts of Kafka tables) takes its settings from there, and not
// from the engine's arguments.
var configTemplate = template.Must(template.New("config").Parse(`<clickhouse>
  <users_config>{{.Users}}</users_config>
  <default_profile>default</default_profile>
  <system_profile>default</system_profile>
{{- range $name, $value := .Server}}
  <{{$name}}>{{$value}}</{{$name}}>
{{- end}}
</clickhouse>
`))

var usersTemplate = template.Must(template.New("users").Parse(`<clickhouse>
  <profiles>
    <default>
{{- range $name, $value := .Settings}}
      <{{$name}}>{{$value}}</{{$name}}>
{{- end}}
    </default>
    <{{.Reader}}>
      <constraints>
{{- range $name, $limit := .ReadLimits}}
        <{{$name}}><min>{{$limit.Min}}</min><max>{{$limit.Max}}</max></{{$name}}>
{{- end}}
{{- range $name, $why := .Escapes}}
        <{{$name}}><const/></{{$name}}>
{{- end}}
      </constraints>
    </{{.Reader}}>
  </profiles>
  <users>
    <default>
      <password/>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT ALL ON *.* WITH GRANT OPTION</query>
        <query>REVOKE {{.Withheld}} ON *.*</query>
      </grants>
    </default>
  </users>
  <quotas><default/></quotas>
</clickhouse>
`))

// writeConfig writes the engine's configuration below dataDir and returns the
// path of its main file. An explicit file also keeps libchdb from reading a
// config.xml that happens to lie in the working or the home directory.
func writeConfig(dataDir string, options Options) (string, error) {
	dir := filepath.Join(dataDir, "config")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	config, users := filepath.Join(dir, "config.xml"), filepath.Join(dir, "users.xml")
	values := struct {
		Users, Withheld, Reader string
		Server, Settings        map[string]string
		ReadLimits              map[string]limit
		Escapes                 map[string]string
	}{Users: escape(users), Withheld: strings.Join(withheld, ", "), Reader: readerProfile, ReadLimits: readLimits, Escapes: escapes}
	var err error
	if values.Server, err = escapeSettings(defaultServer, options.Server); err != nil {
		return "", err
	}
	if values.Settings, err = escapeSettings(defaultSettings, options.Settings); err != nil {
		return "", err
	}
	for path, text := range map[string]*template.Template{config: configTemplate, users: usersTemplate} {
		var out bytes.Buffer
		if err := text.Execute(&out, values); err != nil {
			return "", fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o640); err != nil {
			return "", err
		}
	}
	return config, nil
}

// escapeSettings returns defaults and settings, which win, with values that are safe
// inside an XML element.
func escapeSettings(defaults, settings map[string]string) (map[string]string, error) {
	escaped := maps.Clone(defaults)
	for name, value := range settings {
		if !settingName.MatchString(name) {
			return nil, fmt.Errorf("setting %q: not a name of a setting", name)
		}
		escaped[name] = escape(value)
	}
	return escaped, nil
}

func escape(text string) string {
	var out bytes.Buffer
	// A bytes.Buffer cannot fail, and nothing else can.
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}
