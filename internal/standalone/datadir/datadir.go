// Package datadir says where a running netmeta-standalone can be found, by its data
// directory.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Addresses is where an instance listens, each HOST:PORT. Scripts that start one with
// port 0 read it from addresses.json in its data directory, which is complete when it is
// there.
type Addresses struct {
	Console        string `json:"console"`
	ClickHouseHTTP string `json:"clickhouse_http"`
	Kafka          string `json:"kafka"`
	Metrics        string `json:"metrics"`
	SFlow          string `json:"sflow,omitempty"`
	NetFlow        string `json:"netflow,omitempty"`
	NetFlowLegacy  string `json:"netflow_legacy,omitempty"`
}

// File is where the addresses of the instance with this data directory are.
func File(dataDir string) string { return filepath.Join(dataDir, "addresses.json") }

// ErrNotRunning says that no instance runs in a directory, or that it is still starting.
var ErrNotRunning = errors.New("no netmeta-standalone runs there, or it is still starting")

// Read returns where the instance with this data directory listens. The error is
// ErrNotRunning if there is none. An instance that was killed leaves its addresses
// behind.
func Read(dataDir string) (Addresses, error) {
	text, err := os.ReadFile(File(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return Addresses{}, fmt.Errorf("%s: %w", dataDir, ErrNotRunning)
	}
	if err != nil {
		return Addresses{}, fmt.Errorf("read where netmeta-standalone listens: %w", err)
	}
	var a Addresses
	if err := json.Unmarshal(text, &a); err != nil {
		return Addresses{}, fmt.Errorf("read where netmeta-standalone listens: %s: %w", File(dataDir), err)
	}
	return a, nil
}

// Default is netmeta in the user's data directory (XDG Base Directory
// Specification).
func Default() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "netmeta")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "netmeta-data"
	}
	return filepath.Join(home, ".local", "share", "netmeta")
}
