package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	cueerrors "cuelang.org/go/cue/errors"
	"go.yaml.in/yaml/v3"
)

// MaxFile bounds a file, in bytes: 100,000 networks are some 10 MiB.
const MaxFile = 64 << 20

// ReadFile reads a file, which is YAML if its name ends in .yaml or .yml, and otherwise
// CUE, of which JSON is a part. The error names every key that is wrong.
func ReadFile(path string) (*Settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := Read(path, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads what a file of that name holds.
func Read(name string, text []byte) (*Settings, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("has %d bytes, more than %d", len(text), MaxFile)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("line %d is not UTF-8", invalidLine(text))
	}
	value, err := decode(name, text)
	if err != nil {
		return nil, err
	}
	p := new(problems)
	r := reader{settings: new(Settings)}
	r.top(node{"", value, p})
	if err := p.err(); err != nil {
		return nil, err
	}
	return r.settings, nil
}

func invalidLine(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1
		}
	}
	return 0
}

// decode returns the file as encoding/json would.
func decode(name string, text []byte) (any, error) {
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		return decodeYAML(text)
	case ".json":
		if value, err := decodeJSON(text); err == nil {
			return value, nil
		}
		// CUE says where it is wrong.
	}
	return decodeCUE(name, text)
}

func decodeCUE(name string, text []byte) (any, error) {
	value := cuecontext.New().CompileBytes(text, cue.Filename(filepath.Base(name)))
	err := value.Validate(cue.Concrete(true))
	if err == nil {
		if text, err = value.MarshalJSON(); err == nil {
			return decodeJSON(text)
		}
	}
	return nil, errors.New(strings.TrimSpace(cueerrors.Details(err, &cueerrors.Config{Cwd: filepath.Dir(name)})))
}

func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows behind the end of the object")
	}
	return value, nil
}

// decodeYAML refuses keys that are there twice.
func decodeYAML(text []byte) (any, error) {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	if value == nil {
		return map[string]any{}, nil
	}
	text, err := json.Marshal(withTextKeys(value))
	if err != nil {
		return nil, err
	}
	return decodeJSON(text)
}

// withTextKeys makes texts of keys that are numbers to YAML, such as those of interfaces.
func withTextKeys(value any) any {
	switch value := value.(type) {
	case map[any]any:
		object := make(map[string]any, len(value))
		for key, v := range value {
			object[fmt.Sprint(key)] = withTextKeys(v)
		}
		return object
	case map[string]any:
		for key, v := range value {
			value[key] = withTextKeys(v)
		}
	case []any:
		for i, v := range value {
			value[i] = withTextKeys(v)
		}
	}
	return value
}

// OfInstallation are the keys of netmeta: config: that say how a cluster is installed.
// In a file with these around, they are left alone.
var OfInstallation = []string{
	"advertisedKafkaHost", "alerts", "allowUnpinnedImages", "allowedExporters",
	"clickhouseOperatorPassword", "clickhouseReaderPassword", "clickhouseReadonlyPassword",
	"consoleHostname", "consolePasswordHash", "dashboardDisplay", "deployConsole", "deployGoflow",
	"deployGrafana", "deployOperators", "deployToolbox", "diskLimit", "enableClickhouseIngress",
	"enableExternalKafkaListener", "exposure", "flowRetention", "goflowTopicRetention",
	"grafanaBasicAuth", "grafanaDefaultRole", "grafanaGoogleAuth", "grafanaInitialAdminPassword",
	"ingress", "letsencryptAccountMail", "letsencryptMode", "mailServer", "memory", "monitoringBy",
	"monitoringLabels", "monitoringNamespace", "namespace", "ports", "publicHostname", "risinfo",
	"sessionSecret", "storage", "tlsCertificate",
}

// top reads the keys where they are.
func (r *reader) top(n node) {
	object, ok := n.value.(map[string]any)
	if !ok {
		n.key = "the file"
		n.fail("%s where there have to be keys, such as interfaceMap", kind(n.value))
		return
	}
	if around, ok := object["netmeta"].(map[string]any); ok {
		n = n.child("netmeta", around)
		n = n.child("config", around["config"])
		inner, _ := n.value.(map[string]any)
		for _, key := range OfInstallation {
			delete(inner, key)
		}
		if inner == nil {
			n.value = map[string]any{}
		}
	}
	// Interfaces of single exporters are compared with those of interfaceMap.
	n.object(r.keys())
}

// Keys are those that a file may have.
func Keys() (names []string) {
	for name := range new(reader).keys() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
