// Command generate writes the dashboards as JSON into json/ of the directory that it is
// run in. Files that no dashboard makes any more are removed.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/leoluk/NetMeta/deploy/dashboards/evaluate"
)

func main() {
	if err := generate("json"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	files, err := evaluate.Files(os.DirFS("."), evaluate.Config{})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range there {
		if _, ok := files[filepath.Base(path)]; !ok {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
