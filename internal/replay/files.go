package replay

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Files returns the captures that paths name, in the order in which to send them.
// Directories stand for every .pcap, .pcapng, .cap, .dat and .bin file below them.
//
// A file with "tpl" or "template" in its name holds templates and goes in front of the
// files that need it: those whose name is the same up to there, or up to "data", so
// that the templates of one device do not replace those of another before its data
// is sent. One that nothing belongs to goes in front of everything.
func Files(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read a capture: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found, err := capturesBelow(path)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return templatesFirst(files), nil
}

func capturesBelow(directory string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".pcap", ".pcapng", ".cap", ".dat", ".bin":
			if entry.Type().IsRegular() {
				files = append(files, path)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for captures in %s: %w", directory, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("look for captures in %s: there are none", directory)
	}
	return files, nil
}

var familyEnd = regexp.MustCompile(`(opt)?tpl|template|data`)

// family is what the names of a device's template and data files have in common.
func family(path string) string {
	directory, name := filepath.Split(path)
	if at := familyEnd.FindStringIndex(name); at != nil {
		name = name[:at[0]]
	}
	return directory + name
}

func isTemplate(path string) bool {
	name := filepath.Base(path)
	return strings.Contains(name, "tpl") || strings.Contains(name, "template")
}

func templatesFirst(files []string) []string {
	type rank struct{ family, kind int }
	const alone = -1
	position := make(map[string]int) // of the first file of a family that is not a template
	for i, path := range files {
		if _, seen := position[family(path)]; !seen && !isTemplate(path) {
			position[family(path)] = i
		}
	}
	rankOf := func(path string) rank {
		at, known := position[family(path)]
		switch {
		case !isTemplate(path):
			return rank{at, 1}
		case known:
			return rank{at, 0}
		}
		return rank{alone, 0}
	}
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b string) int {
		x, y := rankOf(a), rankOf(b)
		if x.family != y.family {
			return x.family - y.family
		}
		return x.kind - y.kind
	})
	return sorted
}
