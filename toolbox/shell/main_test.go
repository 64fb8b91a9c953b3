package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The image has no other program that a script could call.
func TestScriptsNeedNoSystem(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sh")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range []struct {
		promise, want string
		args          []string
		stdin         string
		status        int
	}{
		{"a command with arguments", "b a\n", []string{"-c", `echo "$2 $1"`, "sh", "a", "b"}, "", 0},
		{"files", "text\n", []string{"-c", "echo text >f; cp f g; cat g; rm f g; ls"}, "", 0},
		{"a pipe and a loop", "3\n", []string{"-c", `printf 'a\nb\nc\n' | { n=0; while read x; do n=$((n+1)); done; echo $n; }`}, "", 0},
		{"from standard input", "hello\n", nil, "echo hello", 0},
		{"waiting", "", []string{"-c", "sleep 0.01 && sleep 1ms"}, "", 0},
		{"the exit status", "", []string{"-c", "exit 7"}, "", 7},
		{"what is not there", "", []string{"-c", "tcpdump"}, "", 127},
	} {
		t.Run(c.promise, func(t *testing.T) {
			cmd := exec.Command(program, c.args...)
			cmd.Env, cmd.Dir, cmd.Stdin = []string{"PATH=/nonexistent"}, t.TempDir(), strings.NewReader(c.stdin)
			out, err := cmd.Output()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if string(out) != c.want || cmd.ProcessState.ExitCode() != c.status {
				t.Errorf("wrote %q with status %d, want %q and %d", out, cmd.ProcessState.ExitCode(), c.want, c.status)
			}
		})
	}
}
