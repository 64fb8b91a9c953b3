package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples of doc/developer.md, as the page calls them.
func TestExamplesOfProcessorsShowUpInTheConsole(t *testing.T) {
	i := start(t, t.TempDir())
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	csv, err := os.ReadFile(filepath.Join(root, "doc", "examples", "flows.csv"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(exporter string, command ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Dir = root
		cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(csv, []byte("192.0.2.100"), []byte(exporter)))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	run("192.0.2.101", "go", "run", "./doc/examples/go", i.Kafka)

	python := t.TempDir() // the generated code goes beside a copy
	script, err := os.ReadFile(filepath.Join(root, "doc", "examples", "python", "processor.py"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(script, []byte("\n")); n >= 60 {
		t.Errorf("the example in Python has %d lines; it is to show that few are needed", n)
	}
	if err := os.WriteFile(filepath.Join(python, "processor.py"), script, 0o755); err != nil {
		t.Fatal(err)
	}
	run("", find(t, "protoc"), "--proto_path=pb", "--python_out="+python, "pb/FlowMessage.proto")
	run("192.0.2.102", filepath.Join(python, "processor.py"), i.Kafka)

	const want = "198.51.100.7\t203.0.113.9\tTCP\t1432\t1\n" +
		"198.51.100.8\t203.0.113.10\tICMP\t84\t1\n" +
		"2001:db8::7\t2001:db8:1::9\tUDP\t512\t2\n" +
		"203.0.113.9\t198.51.100.7\tTCP\t52\t1"
	for _, exporter := range []string{"192.0.2.101", "192.0.2.102"} {
		i.waitFor(t, want, fmt.Sprintf("SELECT Source, Destination, Transport, Bytes, Packets FROM flows WHERE Exporter = '%s' AND abs(dateDiff('second', Time, now())) < 600 ORDER BY Source", exporter))
	}
	// What the filter of the console offers.
	i.waitFor(t, "192.0.2.101\n192.0.2.102", "SELECT DISTINCT Exporter FROM flows ORDER BY Exporter")
}
