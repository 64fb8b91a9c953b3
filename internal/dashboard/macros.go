package dashboard

import (
	"fmt"
	"time"
)

// A macro is $__name(arguments) of Grafana's ClickHouse data source.
type macro struct {
	args        int
	write       func(s Scope, args []string) (string, error)
	conditional bool // $__conditionalAll, whose arguments are not expanded first
}

// fixed is a macro without arguments.
func fixed(write func(s Scope) string) macro {
	return macro{write: func(s Scope, _ []string) (string, error) { return write(s), nil }}
}

// on is a macro of one column.
func on(write func(s Scope, column string) string) macro {
	return macro{args: 1, write: func(s Scope, args []string) (string, error) {
		if args[0] == "" {
			return "", fmt.Errorf("it takes the name of a column")
		}
		return write(s, args[0]), nil
	}}
}

// onTwo is a macro of a column of dates and one of times.
var onTwo = macro{args: 2, write: func(s Scope, args []string) (string, error) {
	return fmt.Sprintf("(%s AND %s)", s.dateFilter(args[0]), s.timeFilter(args[1])), nil
}}

// macros are those of the data source by name. Times are whole seconds, or
// milliseconds where the name ends with _ms.
var macros = map[string]macro{
	"__timeFilter":     on(Scope.timeFilter),
	"__timeFilter_ms":  on(Scope.timeFilterMilli),
	"__dateFilter":     on(Scope.dateFilter),
	"__dateTimeFilter": onTwo,
	"__dt":             onTwo,
	"__timeFrom":       on(func(s Scope, column string) string { return column + " >= " + seconds(s.From) }),
	"__timeTo":         on(func(s Scope, column string) string { return column + " <= " + seconds(s.To) }),
	"__fromTime":       fixed(func(s Scope) string { return seconds(s.From) }),
	"__toTime":         fixed(func(s Scope) string { return seconds(s.To) }),
	"__fromTime_ms":    fixed(func(s Scope) string { return milliseconds(s.From) }),
	"__toTime_ms":      fixed(func(s Scope) string { return milliseconds(s.To) }),
	"__interval_s":     fixed(func(s Scope) string { return fmt.Sprint(s.seconds()) }),
	"__timeInterval": on(func(s Scope, column string) string {
		return bucket("toDateTime("+column+")", s.seconds(), "second")
	}),
	"__timeInterval_ms": on(func(s Scope, column string) string {
		return bucket("toDateTime64("+column+", 3)", max(1, s.Interval.Milliseconds()), "millisecond")
	}),
	"__timeGroup": {args: 2, write: func(_ Scope, args []string) (string, error) {
		period, err := parsePeriod(args[1])
		if err != nil {
			return "", err
		}
		return bucket("toDateTime("+args[0]+")", max(1, int64(period/time.Second)), "second"), nil
	}},
	"__conditionalAll": {args: 2, conditional: true},
}

// builtins are Grafana's own variables.
var builtins = map[string]func(Scope) string{
	"__from":        func(s Scope) string { return fmt.Sprint(s.From.UnixMilli()) },
	"__to":          func(s Scope) string { return fmt.Sprint(s.To.UnixMilli()) },
	"__interval":    func(s Scope) string { return formatPeriod(max(s.Interval, time.Millisecond)) },
	"__interval_ms": func(s Scope) string { return fmt.Sprint(max(1, s.Interval.Milliseconds())) },
	"__range":       func(s Scope) string { return fmt.Sprint(int64(s.To.Sub(s.From)/time.Second), "s") },
	"__range_s":     func(s Scope) string { return fmt.Sprint(int64(s.To.Sub(s.From) / time.Second)) },
	"__range_ms":    func(s Scope) string { return fmt.Sprint(s.To.Sub(s.From).Milliseconds()) },
}

func (s Scope) timeFilter(column string) string {
	return fmt.Sprintf("%s >= %s AND %s <= %s", column, seconds(s.From), column, seconds(s.To))
}

func (s Scope) timeFilterMilli(column string) string {
	return fmt.Sprintf("%s >= %s AND %s <= %s", column, milliseconds(s.From), column, milliseconds(s.To))
}

func (s Scope) dateFilter(column string) string {
	return fmt.Sprintf("%s >= toDate('%s') AND %s <= toDate('%s')",
		column, s.From.UTC().Format(time.DateOnly), column, s.To.UTC().Format(time.DateOnly))
}

// seconds of a bucket, at least one.
func (s Scope) seconds() int64 { return max(1, int64(s.Interval/time.Second)) }

func seconds(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
func milliseconds(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli())
}

func bucket(column string, length int64, unit string) string {
	return fmt.Sprintf("toStartOfInterval(%s, INTERVAL %d %s)", column, length, unit)
}
