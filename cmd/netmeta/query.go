package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/query"
)

// queryFormats are the values of --output, with the format in which ClickHouse is asked
// for the result.
var queryFormats = map[string]string{
	"table":     query.RowsFormat,
	"sparkline": query.RowsFormat,
	"csv":       "CSVWithNames",
	"json":      "JSONEachRow",
}

// queryOptions are the flags of netmeta query.
type queryOptions struct {
	file       string
	output     string
	outputSet  bool
	params     []string
	limit      int
	wide       bool
	maxTime    time.Duration
	noProgress bool
}

func newQueryCommand() *cobra.Command {
	var (
		options queryOptions
		address func() (string, error)
	)
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Ask ClickHouse in SQL, and show the answer on the terminal",
		Long: `query runs one SQL statement and shows its result as a table, as CSV or JSON, or
drawn: with a column of times as sparklines, one for each series; names with one number
each as bars. The statement is the argument, in a file (--file), or comes from standard
input. With a FORMAT clause of its own, its output is passed on as it is.

While it runs on a terminal, it shows how far it has come. Ctrl-C cancels the query in
ClickHouse, too (exit status 130).`,
		Example: `  netmeta query 'SELECT SourceASN, sum(Bytes) AS bytes FROM flows GROUP BY SourceASN ORDER BY bytes DESC LIMIT 10'
  netmeta query --output sparkline 'SELECT toStartOfMinute(Time) AS t, Direction, sum(Bits) / 60 AS bps
    FROM flows WHERE Time > now() - INTERVAL 1 HOUR GROUP BY t, Direction ORDER BY t'
  netmeta query --param host=192.0.2.7 'SELECT * FROM flows WHERE Source = {host:String} ORDER BY Time DESC LIMIT 5'
  netmeta query --output csv --max-time 10m < month.sql > month.csv
  export NETMETA_CLICKHOUSE=http://reader:PASSWORD@clickhouse:8123/default`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.outputSet = cmd.Flags().Changed("output")
			to, err := address()
			if err != nil {
				return err
			}
			return runQuery(cmd, to, args, options)
		},
	}
	address = addClickHouseFlag(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&options.file, "file", "f", "", "read the SQL from this file")
	flags.StringVarP(&options.output, "output", "o", "table", "table, csv (with a header), json (an array of objects) or sparkline")
	flags.StringArrayVarP(&options.params, "param", "p", nil, "NAME=VALUE: the value of {NAME:Type} in the SQL; may be given more than once")
	flags.IntVar(&options.limit, "limit", 1000, "rows that a table shows, 0 for all")
	flags.BoolVar(&options.wide, "wide", false, "do not cut a table to the width of the terminal")
	flags.DurationVar(&options.maxTime, "max-time", 0, "how long the query may run, for example 5m; left out, as ClickHouse has it")
	flags.BoolVar(&options.noProgress, "no-progress", false, "do not show how far the query has come")
	completeEnum(cmd, "output", "table", "csv", "json", "sparkline")
	return cmd
}

func runQuery(cmd *cobra.Command, address string, args []string, options queryOptions) error {
	q, err := options.query(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	endpoint, err := clickhouse.ParseEndpoint(address)
	if err != nil {
		return err
	}
	run := queryRun{
		client: query.NewClient(endpoint), id: query.NewID(), options: options,
		out: cmd.OutOrStdout(), started: time.Now(), progress: &queryProgress{w: io.Discard},
	}
	if !options.noProgress && isTerminal(cmd.ErrOrStderr()) {
		run.progress.w = cmd.ErrOrStderr()
		run.progress.start(cmd.Context(), run.client, run.id)
	}
	err = run.show(cmd.Context(), q)
	run.progress.stop()
	if cmd.Context().Err() != nil {
		return run.cancel(cmd.ErrOrStderr())
	}
	if unreachable := asUnreachable(err); unreachable != nil {
		return unreachable
	}
	return err
}

var paramName = regexp.MustCompile(`^\w+$`)

// query reads the statement and checks the flags.
func (o queryOptions) query(in io.Reader, args []string) (q query.Query, err error) {
	format, known := queryFormats[o.output]
	switch {
	case !known:
		return q, fmt.Errorf("--output %q: must be table, csv, json or sparkline", o.output)
	case o.limit < 0:
		return q, fmt.Errorf("--limit %d: must not be negative", o.limit)
	case o.maxTime < 0:
		return q, fmt.Errorf("--max-time %s: must not be negative", o.maxTime)
	}
	q = query.Query{Format: format, Params: map[string]string{}, MaxTime: o.maxTime}
	for _, param := range o.params {
		name, value, found := strings.Cut(param, "=")
		if !found || !paramName.MatchString(name) {
			return q, fmt.Errorf("--param %q: must be NAME=VALUE", param)
		}
		q.Params[name] = value
	}
	if q.SQL, err = o.statement(in, args); err != nil {
		return q, err
	}
	if strings.TrimSpace(q.SQL) == "" {
		return q, errors.New("there is no SQL to run: it is empty")
	}
	return q, nil
}

// statement returns the SQL from the argument, the file or standard input.
func (o queryOptions) statement(in io.Reader, args []string) (string, error) {
	switch {
	case len(args) > 0 && o.file != "":
		return "", errors.New("--file: SQL is given as an argument, too; give one of the two")
	case len(args) > 0:
		return args[0], nil
	case o.file != "":
		text, err := os.ReadFile(o.file)
		if err != nil {
			return "", fmt.Errorf("--file: %w", err)
		}
		return string(text), nil
	case isTerminal(in):
		return "", errors.New("give the SQL as an argument, in a file (--file), or on standard input")
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return "", fmt.Errorf("read the SQL from standard input: %w", err)
	}
	return string(text), nil
}

// isTerminal tells whether stream, an io.Reader or io.Writer, is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalWidth returns how many cells wide the terminal w is, 0 where it is none.
func terminalWidth(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return width
}

// cancelledError ends the program with the exit status that shells give to what Ctrl-C
// has ended.
type cancelledError struct{ message string }

func (e cancelledError) Error() string { return e.message }

// cancel ends in ClickHouse a query whose connection is broken off already.
func (r *queryRun) cancel(stderr io.Writer) error {
	if isTerminal(stderr) {
		fmt.Fprintln(stderr, "cancelling (Ctrl-C again ends at once)")
	}
	if err := r.client.Stop(r.id); err != nil {
		return cancelledError{fmt.Sprintf("the query was cancelled here, but may still run: %v", err)}
	}
	return cancelledError{"the query was cancelled"}
}

// exitStatus returns the status with which the program ends because of err.
func exitStatus(err error) int {
	var cancelled cancelledError
	var unwell unwellError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &unwell):
		return unwell.code
	case errors.As(err, &cancelled):
		return 130
	}
	return 1
}

// show runs the query and writes its result.
func (r *queryRun) show(ctx context.Context, q query.Query) error {
	result, err := r.client.Run(ctx, r.id, q)
	if err != nil {
		return err
	}
	defer result.Close()
	if result.Format != "" && result.Format != q.Format {
		if r.options.outputSet {
			return fmt.Errorf("--output %s: the SQL has FORMAT %s; leave out one of the two", r.options.output, result.Format)
		}
		return r.copy(result)
	}
	switch r.options.output {
	case "csv":
		return r.copy(result)
	case "json":
		return query.CopyArray(r.passing(), result)
	}
	return r.draw(result)
}
