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
	"strings"
	"text/template"

	"github.com/leoluk/NetMeta/internal/serverconfig"
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

// readerProfile is the profile that has the limits of people as constraints.
const readerProfile = serverconfig.Profile

// limitReading makes the session one of a reader. The profile has the constraints
// only, because a session that changes its profile keeps the values it had.
var limitReading = func() string {
	sql := "SET profile = " + quote(readerProfile)
	for _, name := range slices.Sorted(maps.Keys(serverconfig.ReadLimits)) {
		if value := serverconfig.ReadLimits[name].Default; value != "" {
			sql += ", " + name + " = " + quote(value)
		}
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
{{.Constraints}}
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
		Users, Withheld, Reader, Constraints string
		Server, Settings                     map[string]string
	}{
		Users: escape(users), Withheld: strings.Join(withheld, ", "),
		Reader: readerProfile, Constraints: serverconfig.Constraints(serverconfig.ReadLimits),
	}
	var err error
	if values.Server, err = escapeSettings(serverconfig.Server, options.Server); err != nil {
		return "", err
	}
	if values.Settings, err = escapeSettings(serverconfig.DefaultProfile, options.Settings); err != nil {
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
