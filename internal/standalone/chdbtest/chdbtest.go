// Package chdbtest gives the tests of a package the embedded ClickHouse, which
// exists once in a process: tests share it, and each has a database of its own.
//
//	func TestMain(m *testing.M) { os.Exit(chdbtest.Main(m)) }
package chdbtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// started is what Main has to clean up.
var started struct {
	dir    string
	engine *chdb.Engine
}

// Main runs the tests of a package and stops the engine if one of them has started
// it. It returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if started.engine != nil {
		started.engine.Close()
	}
	if started.dir != "" {
		if err := os.RemoveAll(started.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Engine returns the engine, which runs as in standalone, but on a directory of its
// own that disappears with the tests. The first call starts it, which changes the
// working directory; testdata is found there too. Without libchdb the test fails.
func Engine(t testing.TB) *chdb.Engine {
	t.Helper()
	engine, err := start()
	if err != nil {
		t.Fatalf("%v (scripts/test.sh installs libchdb)", err)
	}
	return engine
}

var start = sync.OnceValues(func() (*chdb.Engine, error) {
	lib, err := chdb.Find("")
	if err != nil {
		return nil, err
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		return nil, err
	}
	if started.dir, err = os.MkdirTemp("", "netmeta-test-"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(testdata); err == nil {
		// Golden files and what fuzzing has found are looked for in the working directory.
		if err := os.Symlink(testdata, filepath.Join(started.dir, "testdata")); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	started.engine, err = chdb.Open(lib, started.dir, chdb.Options{})
	return started.engine, err
})

// Database creates an empty database for the test, which is dropped when the test
// ends, and returns its name.
func Database(t testing.TB) string {
	t.Helper()
	name := strings.NewReplacer("/", "_", "-", "_").Replace(strings.ToLower(t.Name()))
	Exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { Exec(t, "DROP DATABASE "+name+" SYNC") })
	return name
}

// Exec runs a statement that changes something, and fails the test if it cannot.
func Exec(t testing.TB, sql string) {
	t.Helper()
	if err := Engine(t).Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
