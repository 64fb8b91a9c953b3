package chdb

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// elfHeader is the start of a shared library for machine whose one segment ends at size.
func elfHeader(machine uint16, size uint64) []byte {
	header := make([]byte, 64+56)
	copy(header, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(header[16:], 3) // shared object
	le.PutUint16(header[18:], machine)
	le.PutUint32(header[20:], 1)
	le.PutUint64(header[32:], 64) // the program headers follow
	le.PutUint16(header[52:], 64)
	le.PutUint16(header[54:], 56)
	le.PutUint16(header[56:], 1)
	le.PutUint32(header[64:], 1) // loadable
	le.PutUint64(header[64+32:], size)
	return header
}

func TestFindRefusesWhatCannotBeLoaded(t *testing.T) {
	machine := uint16(elfMachine[runtime.GOARCH])
	for _, c := range []struct {
		promise string
		content []byte
		want    string
	}{
		{"empty file", nil, "truncated"},
		{"half a header", elfHeader(machine, 120)[:40], "truncated"},
		{"download that broke off", elfHeader(machine, 500_000_000), "truncated: it has 120 bytes and needs 500000000"},
		{"other processor", elfHeader(22, 120), "made for EM_S390"},
		{"web page", []byte(strings.Repeat("<html>not found</html>", 10)), "no shared library"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "libchdb.so")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, by := range []string{"flag", "environment"} {
				explicit := path
				if by == "environment" {
					t.Setenv(EnvLibrary, path)
					explicit = ""
				}
				if _, err := Find(explicit); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("by %s: got %v, want the path and %q", by, err, c.want)
				}
			}
		})
	}
}

func TestFindSaysWhereItLooked(t *testing.T) {
	t.Setenv(EnvLibrary, "")
	t.Chdir(t.TempDir())
	_, err := Find("")
	if !errors.Is(err, ErrNoLibrary) {
		t.Fatalf("got %v, want ErrNoLibrary", err)
	}
	for _, want := range []string{"scripts/libchdb/node_modules/@chdb", "scripts/standalone.sh", EnvLibrary} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %s", err, want)
		}
	}
	if _, err := Find("/no/such/libchdb.so"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/no/such/libchdb.so") {
		t.Errorf("a given path that does not exist: got %v", err)
	}
}
