package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRisinfoServesLocalFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// A port that was free a moment ago.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	cmd := newCommand()
	cmd.SetArgs([]string{"risinfo", "--listen", address, "--dir", filepath.Join(dir, "tables"),
		"--rib", write("rib", "192.0.2.0/24 64500\n"), "--asnames", write("names", "64500 EXAMPLE Example, DE\n")})
	go func() { done <- cmd.ExecuteContext(ctx) }()
	get := func(path string) string {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return string(body)
	}
	for path, want := range map[string]string{"/-/ready": "ready\n", "/rib.tsv": "::ffff:192.0.2.0/120\t64500\n", "/autnums.tsv": "64500\tEXAMPLE Example\tDE\n"} {
		got := get(path)
		for deadline := time.Now().Add(20 * time.Second); got != want && time.Now().Before(deadline); got = get(path) {
			time.Sleep(20 * time.Millisecond)
		}
		if got != want {
			t.Errorf("%s answers %q, want %q", path, got, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRisinfoRefusesFlagsThatMakeNoSense(t *testing.T) {
	for want, args := range map[string][]string{
		"--refresh 1s":     {"--refresh", "1s"},
		"--min-share 1.5":  {"--min-share", "1.5"},
		"--min-peers 0":    {"--min-peers", "0"},
		"--rib: a URL":     {"--rib", ""},
		"--asnames: a URL": {"--asnames", ""},
		"--listen":         {"--rib", "x", "--dir", t.TempDir(), "--listen", "nowhere:port"},
	} {
		cmd := newCommand()
		cmd.SetArgs(append([]string{"risinfo"}, args...))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", args, err, want)
		}
	}
}
