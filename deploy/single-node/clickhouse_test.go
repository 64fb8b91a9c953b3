package singlenode_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/leoluk/NetMeta/internal/serverconfig"
)

func TestClickHouseHasTheFilesOfTheCommand(t *testing.T) {
	options := serverconfig.Options{KeepFree: 1 << 30}
	for _, name := range serverconfig.Accounts {
		options.Accounts = append(options.Accounts, serverconfig.Account{Name: name})
	}
	files, err := serverconfig.Files(options)
	if err != nil {
		t.Fatal(err)
	}
	value, err := evaluate(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := cue.MakePath(cue.Str("k8s"), cue.Str("ClickHouseInstallation"), cue.Str("netmeta"), cue.Str("spec"), cue.Str("configuration"), cue.Str("files"), cue.Str(file.Path))
		got, err := value.LookupPath(path).String()
		if err != nil || got != string(file.Text) {
			t.Errorf("%s is out of date, %v: run netmeta clickhouse-config --dir deploy/components/clickhouse", file.Path, err)
		}
	}
}

// What starts ClickHouse makes hashes of passwords, as the server wants them.
func TestClickHouseIsStartedWithHashesOfPasswords(t *testing.T) {
	value, err := evaluate(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	var command []string
	path := cue.ParsePath("k8s.ClickHouseInstallation.netmeta.spec.templates.podTemplates[0].spec.containers[0].command")
	if err := value.LookupPath(path).Decode(&command); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for account, password := range map[string]string{"admin": `a'b"c $d\e`, "grafana": "with a line break\n", "reader": "ä"} {
		if err := os.WriteFile(filepath.Join(dir, account), []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// In place of the server, a program that shows what it gets.
	if err := os.WriteFile(filepath.Join(dir, "clickhouse-server"), []byte("#!/bin/sh\nenv | grep ^NETMETA_ | sort; echo \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(command[2], "/run/secrets/netmeta", dir)
	cmd := exec.Command(command[0], command[1], script)
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// printf %s PASSWORD | sha256sum
	const want = `NETMETA_PASSWORD_SHA256_ADMIN=1f1c81264e0fb545decdf8eacd033c84659e6984e94a1dc66f32843227f8a3f0
NETMETA_PASSWORD_SHA256_GRAFANA=a8b580e4be43323c2034c296bd55bc6843e0f8ca669611752ce959ed393cab68
NETMETA_PASSWORD_SHA256_READER=33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc
--config-file=/etc/clickhouse-server/config.xml
`
	if string(out) != want {
		t.Errorf("the server is started with\n%s\nwant\n%s", out, want)
	}
}
