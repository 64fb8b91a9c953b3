package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClickHouseConfigIsWritten(t *testing.T) {
	passwords := t.TempDir()
	if err := os.WriteFile(filepath.Join(passwords, "alice"), []byte("password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const hash = "<password_sha256_hex>5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8<"
	for _, c := range []struct {
		promise  string
		args     []string
		has, not []string
	}{
		{"hashes from the environment", nil, []string{`from_env="NETMETA_PASSWORD_SHA256_READER"`, `from_env="NETMETA_PASSWORD_SHA256_GRAFANA"`, "ON `default`.*", "<keep_free_space_bytes>1073741824<"}, nil},
		{"hashes of passwords in files", []string{"--account", "alice", "--passwords", passwords}, []string{hash}, []string{"from_env", "<grafana", ">password<"}},
		{"another database", []string{"--database", "flows"}, []string{"ON `flows`.*"}, []string{"`default`"}},
		{"a disk that may be filled", []string{"--keep-free", "0"}, nil, []string{"keep_free"}},
	} {
		t.Run(c.promise, func(t *testing.T) {
			dir := t.TempDir()
			var text string
			for range 2 { // A second time replaces the files.
				stdout, _, err := execute(t, append([]string{"clickhouse-config", "--dir", dir}, c.args...)...)
				if err != nil {
					t.Fatal(err)
				}
				text = ""
				for path := range strings.Lines(stdout) {
					file, err := os.ReadFile(strings.TrimSpace(path))
					if err != nil {
						t.Fatal(err)
					}
					text += string(file)
				}
			}
			for _, want := range c.has {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("%q is in\n%s", not, text)
				}
			}
		})
	}
}

func TestClickHouseConfigSaysWhatIsMissing(t *testing.T) {
	_, _, err := execute(t, "clickhouse-config", "--dir", t.TempDir(), "--passwords", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "read the password of account reader") {
		t.Errorf("got %v, want which password is missing", err)
	}
}
