package serverconfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// Options say for which server Files are.
type Options struct {
	// Accounts are people's.
	Accounts []Account
	// Database is that of the schema, which they read, "default" if empty.
	Database string
	// KeepFree is how many bytes of the disk ClickHouse leaves free: it refuses to
	// insert and to merge before the disk is full. Flows wait in Kafka meanwhile.
	KeepFree uint64
}

// File is one file of a server's configuration.
type File struct {
	// Path is below the directory of the server's configuration, usually
	// /etc/clickhouse-server.
	Path string
	Text []byte
}

// Files returns the configuration, a file for the server and one for its users. Both
// are merged into what the server has: they replace what they name, and nothing else.
func Files(options Options) ([]File, error) {
	if options.Database == "" {
		options.Database = "default"
	}
	if len(options.Accounts) == 0 {
		return nil, errors.New("write the configuration of ClickHouse: no accounts are given")
	}
	options.Accounts = slices.Clone(options.Accounts)
	seen := map[string]bool{}
	for i, account := range options.Accounts {
		if err := account.check(); err != nil {
			return nil, err
		}
		// Two would share an environment variable, too, where only the case differs.
		name := strings.ToUpper(account.Name)
		if seen[name] {
			return nil, fmt.Errorf("account %s is given twice", account.Name)
		}
		seen[name] = true
		if account.Quota == (Quota{}) {
			options.Accounts[i].Quota = DefaultQuota
		}
	}
	limits := maps.Clone(ReadLimits)
	maps.Copy(limits, sharedLimits)
	values := struct {
		Options
		Server, DefaultProfile map[string]string
		Logs                   []log
		Profile                string
		Limits                 map[string]Limit
		Grants                 []string
	}{options, Server, DefaultProfile, logs, Profile, limits, grants(options.Database)}
	var files []File
	for _, name := range []string{"config.d/netmeta.xml", "users.d/netmeta.xml"} {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, name, values); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		files = append(files, File{Path: name, Text: out.Bytes()})
	}
	return files, nil
}

// Write writes files below dir, making directories as needed, and returns the paths.
// Each takes the place of an earlier one at once, since a server that runs reads
// users.d again whenever it changes.
func Write(dir string, files []File) (paths []string, err error) {
	for _, file := range files {
		path := filepath.Join(dir, file.Path)
		if err := replace(path, file.Text); err != nil {
			return paths, fmt.Errorf("write %s: %w", path, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func replace(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// The name does not end in .xml: the server reads nothing half-written.
	fresh := path + ".new"
	if err := os.WriteFile(fresh, text, 0o640); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return os.Rename(fresh, path)
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"escape":      escape,
	"constraints": Constraints,
	"variable":    PasswordVariable,
}).Parse(configTemplate + usersTemplate))

func escape(text string) string {
	var out bytes.Buffer
	// A bytes.Buffer cannot fail, and nothing else can.
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}

// The logs are replaced as a whole: a server that has partition_by or ttl of its own
// beside an engine does not start. What is named here and does not exist is ignored.
const configTemplate = `{{define "config.d/netmeta.xml"}}<?xml version="1.0"?>
<!-- What NetMeta needs of ClickHouse. Written by netmeta clickhouse-config. -->
<clickhouse>
{{- range $name, $value := .Server}}
  <{{$name}}>{{$value}}</{{$name}}>
{{- end}}

  <!-- Who may read a table of system has it among the grants. -->
  <access_control_improvements>
    <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
    <settings_constraints_replace_previous>true</settings_constraints_replace_previous>
  </access_control_improvements>
{{- with .KeepFree}}

  <!-- Refuses inserts and merges before the disk is full. -->
  <storage_configuration>
    <disks>
      <default><keep_free_space_bytes>{{.}}</keep_free_space_bytes></default>
    </disks>
  </storage_configuration>
{{- end}}

  <!-- ClickHouse's own logs: a week of those that help, none of the others. -->
{{- range .Logs}}
{{- if .Engine}}
  <{{.Name}} replace="1">
    <database>system</database>
    <table>{{.Name}}</table>
{{- with .Level}}
    <level>{{.}}</level>
{{- end}}
    <engine>{{.Engine}}</engine>
    <flush_interval_milliseconds>7500</flush_interval_milliseconds>
    <max_size_rows>65536</max_size_rows>
    <reserved_size_rows>1024</reserved_size_rows>
    <buffer_size_rows_flush_threshold>8192</buffer_size_rows_flush_threshold>
  </{{.Name}}>
{{- else}}
  <{{.Name}} remove="1"/>
{{- end}}
{{- end}}
</clickhouse>
{{end}}`

const usersTemplate = `{{define "users.d/netmeta.xml"}}<?xml version="1.0"?>
<!-- People's access to NetMeta. Written by netmeta clickhouse-config. -->
<clickhouse>
  <profiles>
    <default>
{{- range $name, $value := .DefaultProfile}}
      <{{$name}}>{{$value}}</{{$name}}>
{{- end}}
    </default>
    <{{.Profile}} replace="1">
      <readonly>2</readonly>
{{- range $name, $limit := .Limits}}
{{- with $limit.Default}}
      <{{$name}}>{{.}}</{{$name}}>
{{- end}}
{{- end}}
{{constraints .Limits}}
    </{{.Profile}}>
  </profiles>
  <quotas>
{{- range .Accounts}}
    <{{.Name}} replace="1">
      <interval>
        <duration>3600</duration>
        <queries>{{.Quota.Queries}}</queries>
        <read_rows>{{.Quota.ReadRows}}</read_rows>
        <execution_time>{{.Quota.Seconds}}</execution_time>
      </interval>
    </{{.Name}}>
{{- end}}
  </quotas>
  <users>
{{- range .Accounts}}
    <{{.Name}} replace="1">
{{- if .PasswordHash}}
      <password_sha256_hex>{{.PasswordHash}}</password_sha256_hex>
{{- else}}
      <password_sha256_hex from_env="{{variable .Name}}"/>
{{- end}}
      <networks><ip>::/0</ip></networks>
      <profile>{{$.Profile}}</profile>
      <quota>{{.Name}}</quota>
      <grants>
{{- range $.Grants}}
        <query>{{escape .}}</query>
{{- end}}
      </grants>
    </{{.Name}}>
{{- end}}
  </users>
</clickhouse>
{{end}}`
