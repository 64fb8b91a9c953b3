package dashboards_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing/fstest"
)

// sourceDir is where the package is. The engine, once it runs, has changed the working
// directory.
var sourceDir = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir
}()

// with is the schema, without the dashboards, and one more file.
type with struct {
	fs.FS
	text string
}

const extra = "zz_extra.cue"

// Open implements fs.FS.
func (w with) Open(name string) (fs.File, error) {
	if name == extra {
		return fstest.MapFS{extra: {Data: []byte(w.text)}}.Open(name)
	}
	return w.FS.Open(name)
}

// Glob implements fs.GlobFS.
func (w with) Glob(pattern string) ([]string, error) {
	names, err := fs.Glob(w.FS, pattern)
	names = slices.DeleteFunc(names, func(name string) bool {
		return name != "config.cue" && name != "variables.cue" && !strings.HasPrefix(name, "schema_")
	})
	return append(names, extra), err
}
