// Package evaluate makes dashboards of their CUE source.
package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
)

// Config is what dashboards take from the configuration of an installation, #Config in
// the source. Zero values mean the defaults there.
type Config struct {
	MinInterval   string `json:"minInterval,omitempty"`   // shortest length of a bucket of time, as in "15s"
	MaxPacketSize int    `json:"maxPacketSize,omitempty"` // largest packet in the heat map, in bytes
	Alerts        Alerts `json:"alerts,omitzero"`
}

// Alerts are the thresholds of the alert rules.
type Alerts struct {
	ExporterSilentSeconds   int     `json:"exporterSilentSeconds,omitempty"`
	LossPercent             float64 `json:"lossPercent,omitempty"`        // of what exporters sent, or a stage of the collector got
	UnknownRatePercent      float64 `json:"unknownRatePercent,omitempty"` // of an exporter's flows
	KafkaLagSeconds         int     `json:"kafkaLagSeconds,omitempty"`
	DiskUsedPercent         int     `json:"diskUsedPercent,omitempty"`
	HostPacketsPerSecond    float64 `json:"hostPacketsPerSecond,omitempty"`
	HostBitsPerSecond       float64 `json:"hostBitsPerSecond,omitempty"`
	HostNewSourcesPerSecond float64 `json:"hostNewSourcesPerSecond,omitempty"`
	ASTableDays             float64 `json:"asTableDays,omitempty"`
	GeoIPDays               float64 `json:"geoipDays,omitempty"`
	InterfacePercent        float64 `json:"interfacePercent,omitempty"` // of the interface's speed
}

// Files evaluates the CUE files in the top directory of sources, and returns what is to
// be written: JSON by the name of its file. The error says where in the source what is
// wrong, or which value of config cannot be.
func Files(sources fs.FS, config Config) (map[string][]byte, error) {
	if err := check(sources, config); err != nil {
		return nil, err
	}
	names, err := fs.Glob(sources, "*.cue")
	if err != nil {
		return nil, err
	}
	value, err := load(sources, names, config)
	if err != nil {
		return nil, err
	}
	if err := value.Validate(cue.Concrete(true)); err != nil {
		return nil, fmt.Errorf("evaluate dashboards: %w", explained(err))
	}
	files := map[string][]byte{}
	dashboards, err := value.LookupPath(cue.ParsePath("dashboards")).Fields()
	if err != nil {
		return nil, fmt.Errorf("evaluate dashboards: %w", explained(err))
	}
	for dashboards.Next() {
		if err := add(files, dashboards.Selector().Unquoted(), dashboards.Value()); err != nil {
			return nil, err
		}
	}
	if alerts := value.LookupPath(cue.ParsePath("alerts")); alerts.Exists() {
		if err := add(files, "alerts", alerts); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// configSource is the file of #Config, which needs no other.
const configSource = "config.cue"

// check says which value of config cannot be. Where it is used, it would be a fault of
// every panel, each with a page of places in the source.
func check(sources fs.FS, config Config) error {
	value, err := load(sources, []string{configSource}, config)
	if err == nil {
		err = value.LookupPath(cue.ParsePath("config")).Validate(cue.Concrete(true))
	}
	if err != nil {
		return fmt.Errorf("configure dashboards: %w", explained(err))
	}
	return nil
}

// load compiles the one package that the files are, with the configuration as one more
// file: filled in later, everything would be evaluated twice.
func load(sources fs.FS, names []string, config Config) (cue.Value, error) {
	instance := build.NewContext().NewInstance("dashboards", nil)
	for _, name := range names {
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			return cue.Value{}, fmt.Errorf("read dashboards: %w", err)
		}
		file, err := parser.ParseFile(name, text)
		if err == nil {
			err = instance.AddSyntax(file)
		}
		if err != nil {
			return cue.Value{}, fmt.Errorf("parse dashboards: %w", explained(err))
		}
	}
	values, err := json.Marshal(config)
	if err != nil {
		return cue.Value{}, err
	}
	configuration, err := parser.ParseFile("configuration", "package dashboards\n\nconfig: "+string(values)+"\n")
	if err == nil {
		err = instance.AddSyntax(configuration)
	}
	if err != nil {
		return cue.Value{}, fmt.Errorf("configure dashboards: %w", explained(err))
	}
	if err := instance.Complete(); err != nil {
		return cue.Value{}, fmt.Errorf("load dashboards: %w", explained(err))
	}
	value := cuecontext.New().BuildInstance(instance)
	if err := value.Err(); err != nil {
		return cue.Value{}, fmt.Errorf("build dashboards: %w", explained(err))
	}
	return value, nil
}

func add(files map[string][]byte, name string, value cue.Value) error {
	compact, err := value.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write %s: %w", name, explained(err))
	}
	var text bytes.Buffer
	if err := json.Indent(&text, compact, "", "  "); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	text.WriteByte('\n')
	files[name+".json"] = text.Bytes()
	return nil
}

// explained is an error of CUE with all that it knows: its Error has the first part.
func explained(err error) error {
	return fmt.Errorf("%s", bytes.TrimSpace([]byte(errors.Details(err, nil))))
}
