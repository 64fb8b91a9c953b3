package dashboard

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// testDashboard has every kind of variable.
func testDashboard(tb testing.TB) *Dashboard {
	tb.Helper()
	dashboards, err := Load(os.DirFS("testdata"))
	if err != nil {
		tb.Fatal(err)
	}
	return dashboards[0]
}

func testScope(tb testing.TB, values Values) Scope {
	return Scope{
		Dashboard: testDashboard(tb), Values: values, Interval: 10 * time.Second,
		From: time.UnixMilli(1_700_000_000_250), To: time.Unix(1_700_010_800, 0),
	}
}

func TestMacrosAreReplaced(t *testing.T) {
	scope := testScope(t, Values{"host": {"192.0.2.1, !2001:db8::/32"}, "exporter": {"192.0.2.1", "192.0.2.2"}, "sql": {"SrcPort IN (1, 2)"}, "direction": {"in"}})
	for _, c := range []struct{ name, in, want string }{
		{"time filter", `$__timeFilter(t)`, `t >= toDateTime(1700000000) AND t <= toDateTime(1700010800)`},
		{"in milliseconds", `$__timeFilter_ms(t)`, `t >= fromUnixTimestamp64Milli(1700000000250) AND t <= fromUnixTimestamp64Milli(1700010800000)`},
		{"by date", `$__dateFilter(d)`, `d >= toDate('2023-11-14') AND d <= toDate('2023-11-15')`},
		{"by date and time", `$__dt(d, t)`, `(d >= toDate('2023-11-14') AND d <= toDate('2023-11-15') AND t >= toDateTime(1700000000) AND t <= toDateTime(1700010800))`},
		{"by date and time, long", `$__dateTimeFilter(d,t)`, `(d >= toDate('2023-11-14') AND d <= toDate('2023-11-15') AND t >= toDateTime(1700000000) AND t <= toDateTime(1700010800))`},
		{"from a time on", `$__timeFrom(t)`, `t >= toDateTime(1700000000)`},
		{"up to a time", `$__timeTo(t)`, `t <= toDateTime(1700010800)`},
		{"the ends", `$__fromTime $__toTime $__fromTime_ms $__toTime_ms`, `toDateTime(1700000000) toDateTime(1700010800) fromUnixTimestamp64Milli(1700000000250) fromUnixTimestamp64Milli(1700010800000)`},
		{"the ends, with brackets of another's", `f($__fromTime)`, `f(toDateTime(1700000000))`},
		{"buckets", `$__timeInterval(t)`, `toStartOfInterval(toDateTime(t), INTERVAL 10 second)`},
		{"buckets in milliseconds", `$__timeInterval_ms(t)`, `toStartOfInterval(toDateTime64(t, 3), INTERVAL 10000 millisecond)`},
		{"buckets of a length", `$__timeGroup(t, 5m)`, `toStartOfInterval(toDateTime(t), INTERVAL 300 second)`},
		{"a macro of an expression with brackets and commas", `$__timeInterval(if(a, '),(', b))`, `toStartOfInterval(toDateTime(if(a, '),(', b)), INTERVAL 10 second)`},
		{"a macro within a macro", `$__timeGroup($__fromTime, 1h)`, `toStartOfInterval(toDateTime(toDateTime(1700000000)), INTERVAL 3600 second)`},
		{"seconds of a bucket", `/ $__interval_s`, `/ 10`},
		{"Grafana's own", `$__interval ${__interval_ms} $__from ${__to} $__range $__range_s`, `10s 10000 1700000000250 1700010800000 10799s 10799`},
		{"a chosen value", `$__conditionalAll(f('${host:percentencode}', 1), $host)`, `f('192.0.2.1%2C%20%212001%3Adb8%3A%3A%2F32', 1)`},
		{"nothing chosen", `$__conditionalAll(f('${port:percentencode}', 1), $port)`, `1=1`},
		{"everything chosen", `$__conditionalAll(x IN (${interface:sqlstring}), $interface)`, `1=1`},
		{"several values, encoded", `'${exporter:percentencode}'`, `'%7B192.0.2.1%2C192.0.2.2%7D'`},
		{"several values, quoted", `(${exporter:singlequote})`, `('192.0.2.1','192.0.2.2')`},
		{"several values with commas", `${exporter:csv}`, `192.0.2.1,192.0.2.2`},
		{"several values for a link", `${exporter:queryparam}`, `var-exporter=192.0.2.1&var-exporter=192.0.2.2`},
		{"a condition", `AND (${sql:raw})`, `AND (SrcPort IN (1, 2))`},
		{"a default", `LIMIT $top`, `LIMIT 5`},
		{"a constant", `$size`, `1500`},
		{"a name that begins like another", `'$direction'`, `'in'`},
		{"a dollar", `match(x, '^a$') '$1' $`, `match(x, '^a$') '$1' $`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scope.Expand(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
			}
		})
	}
}

func TestAStatementThatCannotBeExpandedSaysWhy(t *testing.T) {
	scope := testScope(t, Values{"host": {"192.0.2.1"}, "exporter": {All}})
	for _, c := range []struct{ name, in, want string }{
		{"an unknown variable", `SELECT $hots`, `expand $hots: there is no such macro or variable`},
		{"an unknown macro", `$__timeFliter(t)`, `expand $__timeFliter: there is no such macro or variable`},
		{"an unknown format", `${host:glob}`, `expand ${host:glob}: the format is not known`},
		{"a missing brace", `${host`, `expand ${: a closing } is missing`},
		{"a missing bracket", `$__timeFilter(f(t)`, `expand macro $__timeFilter: a closing bracket is missing`},
		{"no argument", `$__timeFilter()`, `expand macro $__timeFilter: it takes 1 arguments, not 0`},
		{"too many arguments", `$__timeFilter(a, b)`, `expand macro $__timeFilter: it takes 1 arguments, not 2`},
		{"no period", `$__timeGroup(t, soon)`, `expand macro $__timeGroup: "soon" is not a period such as 10s, 5m or 1h`},
		{"a condition without variable", `$__conditionalAll(a = 1)`, `expand macro $__conditionalAll: it takes a condition and a variable, not 1 arguments`},
		{"a condition with a formatted variable", `$__conditionalAll(a = 1, ${host:raw})`, `expand macro $__conditionalAll: its second argument is $ and the name of a variable, not "${host:raw}"`},
		{"a condition with an unknown variable", `$__conditionalAll(a = 1, $hots)`, `expand macro $__conditionalAll: there is no variable $hots`},
		{"everything where a value is needed", `${exporter:csv}`, `expand $exporter: everything is chosen, which only $__conditionalAll can express`},
		{"macros without end", strings.Repeat("$__timeFrom(", 50) + strings.Repeat(")", 50), `macros are nested deeper than 20`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scope.Expand(c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, error %v; want %s", c.in, got, err, c.want)
			}
		})
	}
	scope.Dashboard = nil
	for _, text := range []string{"$host", "$__conditionalAll(1, $host)"} {
		if _, err := scope.Expand(text); err == nil || !strings.Contains(err.Error(), "there is no") {
			t.Errorf("%s without a dashboard: %v", text, err)
		}
	}
	scope.To = scope.From
	if _, err := scope.Expand("SELECT 1"); err == nil || !strings.Contains(err.Error(), "the time range ends at 2023-11-14 22:13:20, before it starts") {
		t.Errorf("a time range without length: %v", err)
	}
}

func TestValuesAreNeverTakenForMacros(t *testing.T) {
	scope := testScope(t, Values{"note": {"$__timeFilter(x) ${host}"}, "host": {"192.0.2.1"}})
	got, err := scope.Expand(`'${note:percentencode}' ${note:singlequote}`)
	if want := `'%24__timeFilter%28x%29%20%24%7Bhost%7D' '$__timeFilter(x) ${host}'`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestABadValueIsToldWithItsVariable(t *testing.T) {
	for _, c := range []struct {
		name, in string
		values   Values
		variable string
	}{
		{"in a condition", `$__conditionalAll(f('${host:percentencode}'), $host)`, Values{"host": {"';--"}}, "host"},
		{"in a condition of SQL", `$__conditionalAll((${sql:raw}), $sql)`, Values{"sql": {"1) OR (1"}}, "sql"},
		{"quotes in a raw value", `'${note:raw}'`, Values{"note": {"it's"}}, "note"},
		{"a backslash in a plain value", `'$note'`, Values{"note": {`\`}}, "note"},
		{"brackets in a plain value", `$exporter`, Values{"exporter": {"sleep(3)"}}, "exporter"},
		{"a value that is no option", `'$direction'`, Values{"direction": {"up"}}, "direction"},
		{"everything where that is no option", `$top`, Values{"top": {All}}, "top"},
		{"everything in a condition where that is no option", `$__conditionalAll(1, $host)`, Values{"host": {All}}, "host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := testScope(t, c.values).Expand(c.in)
			var wrong *ValueError
			if !errors.As(err, &wrong) || wrong.Variable != c.variable || wrong.Reason == "" {
				t.Errorf("%s: %q, error %v; want one of variable %s", c.in, got, err, c.variable)
			}
		})
	}
}

func BenchmarkExpand(b *testing.B) {
	scope := testScope(b, Values{"host": {"192.0.2.1"}, "sql": {"SrcPort = 53"}})
	panel, _ := scope.Dashboard.Panel(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scope.Expand(panel.Targets[0].RawSQL); err != nil {
			b.Fatal(err)
		}
	}
}
