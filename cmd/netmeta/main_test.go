package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commands returns the words that call each command.
func commands(root *cobra.Command) (paths [][]string) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		paths = append(paths, strings.Fields(c.CommandPath())[1:])
		for _, sub := range c.Commands() {
			paths = append(paths, strings.Fields(sub.CommandPath())[1:])
		}
	}
	return append(paths, nil)
}

func TestEveryCommandHasHelp(t *testing.T) {
	paths := commands(newCommand())
	if len(paths) < 7 {
		t.Fatalf("only %d commands were found", len(paths))
	}
	for _, path := range paths {
		stdout, _, err := execute(t, append(path, "--help")...)
		usage := strings.TrimSpace("netmeta " + strings.Join(path, " "))
		if err != nil || !strings.Contains(stdout, "Usage:\n  "+usage) || strings.HasPrefix(stdout, "Usage:") {
			t.Errorf("%s --help: %v, want a description and the usage:\n%s", usage, err, stdout)
		}
	}
}

func TestCompletionScriptsAreGenerated(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		stdout, _, err := execute(t, "completion", shell)
		if err != nil || !strings.Contains(stdout, "__complete") {
			t.Errorf("completion %s: %v, %d bytes without a call of netmeta __complete", shell, err, len(stdout))
		}
	}
}

func TestMistakesEndWithExitCode1AndAreNamed(t *testing.T) {
	for _, test := range []struct{ name, args, want string }{
		{"unknown command", "colect", `netmeta: unknown command "colect"`},
		{"unknown flag", "collect --brokers 127.0.0.1:9092", "netmeta: unknown flag: --brokers"},
		{"flag without value", "migrate --clickhouse", "netmeta: flag needs an argument: --clickhouse"},
		{"value of another type", "collect --kafka-buffer 64MiB", `invalid argument "64MiB" for "--kafka-buffer"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, written := run(t, strings.Fields(test.args)...)
			if code != 1 || !strings.Contains(written, test.want) {
				t.Errorf("exit code %d, want 1 and %q:\n%s", code, test.want, written)
			}
		})
	}
}
