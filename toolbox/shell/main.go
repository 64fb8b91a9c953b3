// Command sh is the shell of the toolbox: a POSIX shell with most of Bash, and with cat,
// ls, cp, mv, rm, mkdir, find, xargs, tar, gzip, base64 and shasum built in, so that the
// image needs no system around it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
	"mvdan.cc/sh/moreinterp/coreutils"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func main() {
	command := flag.String("c", "", "run this, with the arguments that follow as $0, $1 ...")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: sh [-c COMMAND] [FILE] [ARGUMENT]...")
	}
	flag.Parse()
	err := run(*command, flag.Args())
	var status interp.ExitStatus
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case err != nil:
		fmt.Fprintln(os.Stderr, "sh:", err)
		os.Exit(1)
	}
}

func run(command string, args []string) error {
	var params []string
	if len(args) > 1 {
		params = args[1:]
	}
	runner, err := interp.New(
		interp.StdIO(os.Stdin, os.Stdout, os.Stderr),
		interp.Params(append([]string{"--"}, params...)...),
		interp.ExecHandlers(sleep, coreutils.ExecHandler),
	)
	if err != nil {
		return err
	}
	switch {
	case command != "":
		return runAll(runner, strings.NewReader(command), "")
	case len(args) > 0:
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		return runAll(runner, file, args[0])
	case term.IsTerminal(int(os.Stdin.Fd())):
		return interact(runner)
	}
	return runAll(runner, os.Stdin, "")
}

// sleep is the command of that name.
func sleep(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		if args[0] != "sleep" {
			return next(ctx, args)
		}
		if len(args) != 2 {
			return errors.New("sleep: how long? As in sleep 5, sleep 10m")
		}
		duration, err := time.ParseDuration(args[1])
		if seconds, numberErr := strconv.ParseFloat(args[1], 64); numberErr == nil {
			duration, err = time.Duration(seconds*float64(time.Second)), nil
		}
		if err != nil {
			return fmt.Errorf("sleep: %w", err)
		}
		select {
		case <-time.After(duration):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func runAll(runner *interp.Runner, source io.Reader, name string) error {
	file, err := syntax.NewParser().Parse(source, name)
	if err != nil {
		return err
	}
	return runner.Run(context.Background(), file)
}

// interact runs line after line. Ctrl-C ends what runs, and not the shell.
func interact(runner *interp.Runner) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	const prompt, more = "$ ", "> "
	fmt.Print(prompt)
	var ended error
	parser := syntax.NewParser()
	err := parser.Interactive(os.Stdin, func(statements []*syntax.Stmt) bool {
		if parser.Incomplete() {
			fmt.Print(more)
			return true
		}
		for _, statement := range statements {
			ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
			ended = runner.Run(ctx, statement)
			cancel()
			if runner.Exited() {
				return false
			}
		}
		fmt.Print(prompt)
		return true
	})
	if err != nil {
		return err
	}
	return ended
}
