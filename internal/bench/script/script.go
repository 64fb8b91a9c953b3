// Package script is what the commands of scripts/bench.sh have in common.
package script

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/dustin/go-humanize"
)

// Main runs the command scripts/bench.sh name, until it ends or is interrupted: the
// results go to standard output, progress to standard error. An error ends the process
// with status 1; flag.ErrHelp is none.
func Main(name string, run func(ctx context.Context, args []string, out, progress io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "bench.sh %s: %v\n", name, err)
		os.Exit(1)
	}
}

// Check refuses what no command takes: arguments that are no flags, and an --output that
// is neither table nor json.
func Check(flags *flag.FlagSet, output string) error {
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	case output != "table" && output != "json":
		return fmt.Errorf("--output %q: must be table or json", output)
	}
	return nil
}

// Comma writes a number with a comma between thousands.
func Comma(n int) string { return humanize.Comma(int64(n)) }
