package singlenode_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// namedTest is a test, or several with an ellipsis, and perhaps the way to a part of it.
	namedTest = regexp.MustCompile("`(Test[A-Za-z0-9]+)(…?)(?:/([a-z_A-Z/]+))?`")
	namedFile = regexp.MustCompile("`(?:testdata/)?([-a-z]+\\.yaml)`")
	testFunc  = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
)

// A proof that was renamed, or that went, leaves a promise without one.
func TestProofsOfPromisesExist(t *testing.T) {
	page, err := os.ReadFile("../../doc/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == ".build"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		sources.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, match := range testFunc.FindAllStringSubmatch(sources.String(), -1) {
		names[match[1]] = true
	}

	tests := namedTest.FindAllStringSubmatch(string(page), -1)
	if len(tests) < 30 {
		t.Errorf("%d tests are named, want more", len(tests))
	}
	for _, test := range tests {
		name, several, part := test[1], test[2] != "", test[3]
		found := names[name]
		for other := range names {
			found = found || several && strings.HasPrefix(other, name)
		}
		if !found {
			t.Errorf("there is no test %s", name)
		}
		for _, part := range strings.Split(part, "/") {
			if part != "" && !strings.Contains(sources.String(), `"`+strings.ReplaceAll(part, "_", " ")+`"`) {
				t.Errorf("%s has no part %q", name, part)
			}
		}
	}
	files := namedFile.FindAllStringSubmatch(string(page), -1)
	if len(files) < 15 {
		t.Errorf("%d files are named, want more", len(files))
	}
	for _, file := range files {
		if _, err := os.Stat(filepath.Join("testdata", file[1])); err != nil {
			t.Error(err)
		}
	}
}
