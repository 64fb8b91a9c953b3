package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPasswordOfClickHouseComesFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", "a/b@c:d\n")
	for _, c := range []struct{ promise, address, file, want, wantErr string }{
		{"any characters", "http://admin@ch:8123/default", good, "http://admin:a%2Fb%40c%3Ad@ch:8123/default", ""},
		{"the short form", "admin@ch:8123", good, "http://admin:a%2Fb%40c%3Ad@ch:8123", ""},
		{"whose it is, has to be said", "http://ch:8123", good, "", "names no user"},
		{"one password is enough", "http://admin:secret@ch:8123", good, "", "has a password already"},
		{"an empty file", "http://admin@ch:8123", write("empty", "\n"), "", "is empty"},
		{"no file", "http://admin@ch:8123", filepath.Join(dir, "none"), "", "no such file"},
		{"no address", "http://admin:secret@[", good, "", "not of the form"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got, err := withPassword(c.address, c.file)
			switch {
			case c.wantErr == "" && err != nil:
				t.Fatal(err)
			case c.wantErr != "" && (err == nil || !strings.Contains(err.Error(), c.wantErr)):
				t.Fatalf("error %v, want one with %q", err, c.wantErr)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("error %v shows the password", err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
