// Package golden reads the golden bytes of decoder tests: files of hexadecimal
// digits in which a # begins a comment, so that every byte can be explained beside
// it.
package golden

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// Bytes returns the bytes of testdata/name.hex. It fails the test if there is no
// such file or if it is not made of pairs of hexadecimal digits.
func Bytes(t testing.TB, name string) []byte {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		for _, field := range strings.FieldsFunc(line, unicode.IsSpace) {
			digits.WriteString(field)
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// All returns the bytes of every file testdata/*.hex by its name without ending, as
// seeds for fuzzing.
func All(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.hex"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files in testdata: %v", err)
	}
	all := make(map[string][]byte, len(paths))
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".hex")
		all[name] = Bytes(t, name)
	}
	return all
}
