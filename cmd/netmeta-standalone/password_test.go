package main

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheConsoleAsksForThePassword(t *testing.T) {
	var hash bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs([]string{"hash-password"})
	cmd.SetIn(strings.NewReader("correct horse\n"))
	cmd.SetOut(&hash)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hash")
	if err := os.WriteFile(file, hash.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// Beyond loopback, which needs it.
	i := start(t, t.TempDir(), "--console", "0.0.0.0:0", "--console-password-file", file)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	ask := func(method, path, body string) int {
		request, err := http.NewRequest(method, "http://"+strings.Replace(i.Console, "[::]", "127.0.0.1", 1)+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	for _, step := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/-/ready", "", 200},
		{"GET", "/api/setup", "", 401},
		{"POST", "/api/login", `{"password": "wrong horse"}`, 401},
		{"POST", "/api/login", `{"password": "correct horse"}`, 200},
		{"POST", "/api/sql", `{"sql": "SELECT count() FROM flows"}`, 200},
		{"GET", "/api/dashboards", "", 200},
		{"POST", "/api/logout", "", 200},
		{"GET", "/api/setup", "", 401},
	} {
		if got := ask(step.method, step.path, step.body); got != step.status {
			t.Errorf("%s %s %s: status %d, want %d", step.method, step.path, step.body, got, step.status)
		}
	}
}
