package dashboard

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestADashboardIsRead(t *testing.T) {
	d := testDashboard(t)
	if d.UID != "netmeta-test" || d.Title != "Test" || len(d.Tags) != 1 || !strings.Contains(string(d.JSON), `"schemaVersion": 39`) {
		t.Errorf("read as %s %q %v", d.UID, d.Title, d.Tags)
	}
	panel, ok := d.Panel(3)
	if !ok || panel.Title != "Hosts" {
		t.Errorf("the panel in a row is %+v, %v", panel, ok)
	}
	if _, ok := d.Panel(4); ok {
		t.Error("there is a panel that the file does not have")
	}
	if target, ok := panel.Target(""); !ok || !strings.HasPrefix(target.RawSQL, "SELECT") {
		t.Errorf("its first target is %+v, %v", target, ok)
	}
	if _, ok := panel.Target("B"); ok {
		t.Error("there is a target that the file does not have")
	}
	defaults := map[string][]string{}
	for i := range d.Variables {
		defaults[d.Variables[i].Name] = Values{}.of(&d.Variables[i])
	}
	want := map[string][]string{
		"datasource": {"clickhouse"}, "exporter": {All}, "interface": {All}, "direction": {All}, "top": {"5"}, "size": {"1500"},
		"host": nil, "port": nil, "vlan": nil, "asn": nil, "protocol": nil, "note": nil, "sql": nil,
	}
	if diff := cmp.Diff(want, defaults); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if v, _ := d.Variable("interface"); !strings.HasPrefix(v.Query, "SELECT DISTINCT concat") {
		t.Errorf("the query of interface is %q", v.Query)
	}
}

func TestAFileThatIsNoDashboardSaysWhy(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"no JSON", `uid: x`, "netmeta-a.json: read dashboard: invalid character"},
		{"no uid", `{"title": "A"}`, `read dashboard "A": it has no uid`},
		{"a variable without name", `{"uid": "a", "templating": {"list": [{"type": "textbox"}]}}`, "a variable has no name"},
		{"a query that is none", `{"uid": "a", "templating": {"list": [{"name": "x", "type": "query", "query": 3}]}}`, "variable x: query"},
		{"an interval that is none", `{"uid": "a", "panels": [{"id": 7, "interval": "soon"}]}`, `panel 7: interval: "soon" is not a period`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(fstest.MapFS{"netmeta-a.json": {Data: []byte(c.content)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	_, err := Load(fstest.MapFS{"netmeta-a.json": {Data: []byte(`{"uid": "a"}`)}, "netmeta-b.json": {Data: []byte(`{"uid": "a"}`)}})
	if err == nil || !strings.Contains(err.Error(), "netmeta-b.json: another dashboard has uid a, too") {
		t.Errorf("two of a uid: %v", err)
	}
}

func TestHomeComesFirst(t *testing.T) {
	dashboards, err := Load(fstest.MapFS{
		"netmeta-attack.json": {Data: []byte(`{"uid": "netmeta-attack"}`)}, "netmeta-home.json": {Data: []byte(`{"uid": "netmeta-home"}`)},
		"netmeta-host.json": {Data: []byte(`{"uid": "netmeta-host"}`)}, "alerts.json": {Data: []byte(`{}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var uids []string
	for _, d := range dashboards {
		uids = append(uids, d.UID)
	}
	if diff := cmp.Diff([]string{"netmeta-home", "netmeta-attack", "netmeta-host"}, uids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestIntervalsAreRound(t *testing.T) {
	from := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		span     time.Duration
		points   int
		shortest time.Duration
		want     time.Duration
		text     string
	}{
		{3 * time.Hour, 1080, 0, 10 * time.Second, "10s"},
		{3 * time.Hour, 600, 0, 20 * time.Second, "20s"},
		{time.Minute, 1000, 0, time.Second, "1s"},
		{time.Minute, 1000, 10 * time.Second, 10 * time.Second, "10s"},
		{time.Hour, 600, 45 * time.Second, 45 * time.Second, "45s"},
		{24 * time.Hour, 1440, 0, time.Minute, "1m"},
		{24 * time.Hour, 961, 0, time.Minute, "1m"},
		{24 * time.Hour, 959, 0, 2 * time.Minute, "2m"},
		{7 * day, 300, 0, 30 * time.Minute, "30m"},
		{365 * day, 300, 0, day, "1d"},
		{365 * day, 18, 0, 30 * day, "30d"},
		{3650 * day, 2, 0, 365 * day, "365d"},
		{time.Hour, 0, 0, time.Hour, "1h"},
	} {
		got := Interval(from, from.Add(c.span), c.points, c.shortest)
		if got != c.want || formatPeriod(got) != c.text {
			t.Errorf("%s in %d points of %s and more: %s, %s; want %s", c.span, c.points, c.shortest, got, formatPeriod(got), c.text)
		}
	}
}

func TestAPanelHasNoMoreBucketsThanItSays(t *testing.T) {
	for _, c := range []struct{ most, room, want int }{{0, 600, 600}, {120, 600, 120}, {120, 90, 90}} {
		if got := (&Panel{MaxDataPoints: c.most}).Points(c.room); got != c.want {
			t.Errorf("of at most %d it has %d in a room of %d, want %d", c.most, got, c.room, c.want)
		}
	}
}
