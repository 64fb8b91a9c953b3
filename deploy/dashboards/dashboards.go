// Package dashboards holds NetMeta's dashboards: their source in CUE, and the JSON
// made of it, which Grafana imports and the console draws.
//
//	go generate ./deploy/...
//
// writes json/ anew after a change of the source. Package evaluate makes dashboards of
// another configuration.
package dashboards

import (
	"embed"
	"io/fs"
)

//go:generate go run ./evaluate/generate

//go:embed *.cue
var sources embed.FS

//go:embed json/*.json
var generated embed.FS

// Sources returns the CUE files, one package in one directory.
func Sources() fs.FS { return sources }

// Files returns the dashboards as JSON, netmeta-NAME.json each, and alerts.json with
// the alert rules, as they are without any configuration.
func Files() fs.FS {
	files, err := fs.Sub(generated, "json")
	if err != nil {
		panic(err) // not a path
	}
	return files
}
