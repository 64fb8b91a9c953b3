package alert

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testRules(t *testing.T) []Rule {
	t.Helper()
	content, err := os.ReadFile("testdata/alerts.json")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRulesOfGrafanaAreRead(t *testing.T) {
	rules := testRules(t)
	if len(rules) != 2 {
		t.Fatalf("%d rules, want the two that are not paused", len(rules))
	}
	rules[0].SQL = ""
	want := Rule{
		UID: "host-pps", Title: "Traffic to one host", Group: "Traffic", Every: 10 * time.Second, From: 90 * time.Second, To: 30 * time.Second,
		Condition: Condition{"gt", []float64{100000}}, For: 20 * time.Second, KeepFiring: time.Minute, OnNoData: OK, OnError: Error,
		Labels: map[string]string{"severity": "critical"},
		Annotations: map[string]string{
			"summary": "{{ $labels.host }} gets {{ humanize $values.A.Value }} packets/s", "description": "Look at what it is.",
			"link": "/d/netmeta-attack?var-destination={{ urlquery $labels.host }}",
		},
	}
	if diff := cmp.Diff(want, rules[0]); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if r := rules[1]; r.OnNoData != NoData || r.OnError != "" || r.For != 0 || r.Condition.Type != "outside_range" {
		t.Errorf("the second rule is %+v", r)
	}
}

func TestARuleThatCannotBeEvaluatedSaysWhy(t *testing.T) {
	content, err := os.ReadFile("testdata/alerts.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no JSON", `"apiVersion"`, `apiVersion`, "read alert rules: invalid character"},
		{"an interval that is none", `"interval": "10s"`, `"interval": "soon"`, `group "Traffic": interval "soon"`},
		{"two of a uid", `"uid": "lag"`, `"uid": "host-pps"`, `rule "host-pps": another rule has its uid`},
		{"no title", `"title": "Kafka lag"`, `"title": ""`, `rule "lag": it has no uid or no title`},
		{"no condition", `"condition": "C"`, `"condition": "D"`, `there is no query or expression "D"`},
		{"another expression", `"type": "threshold"`, `"type": "math"`, `of type "math": only threshold is evaluated`},
		{"another comparison", `"type": "gt"`, `"type": "about"`, `condition "about" is not known`},
		{"no limit", `"params": [100000]`, `"params": []`, `takes 1 limits, not 0`},
		{"a circle", `"expression": "A"`, `"expression": "B"`, `does not come to a query`},
		{"a time that is none", `"for": "20s"`, `"for": "-20s"`, `for: -20s is in the past`},
		{"a state that is none", `"noDataState": "OK"`, `"noDataState": "Fine"`, `noDataState: "Fine" is not one of`},
		{"a range that is none", `{"from": 90, "to": 30}`, `{"from": 30, "to": 90}`, `relativeTimeRange ends before it begins`},
		{"a template that is none", `{{ $labels.host }}`, `{{ $label.host }}`, `annotation summary: template`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(string(content), c.old, c.new, 1)
			if text == string(content) {
				t.Fatalf("the file has no %s", c.old)
			}
			if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestConditionsCompare(t *testing.T) {
	for _, c := range []struct {
		kind   string
		params []float64
		met    []float64
		not    []float64
	}{
		{"gt", []float64{5}, []float64{5.1}, []float64{5, 4}},
		{"gte", []float64{5}, []float64{5}, []float64{4.9}},
		{"lt", []float64{5}, []float64{4.9}, []float64{5}},
		{"lte", []float64{5}, []float64{5}, []float64{5.1}},
		{"eq", []float64{5}, []float64{5}, []float64{4}},
		{"ne", []float64{5}, []float64{4}, []float64{5}},
		{"within_range", []float64{1, 5}, []float64{3}, []float64{1, 5, 6}},
		{"outside_range", []float64{1, 5}, []float64{0, 6}, []float64{1, 3, 5}},
	} {
		condition := Condition{c.kind, c.params}
		for _, v := range c.met {
			if !condition.Met(v) {
				t.Errorf("%v %s %v is not met", v, c.kind, c.params)
			}
		}
		for _, v := range c.not {
			if condition.Met(v) {
				t.Errorf("%v %s %v is met", v, c.kind, c.params)
			}
		}
	}
}

func TestAnnotationsAreFilledIn(t *testing.T) {
	i := Instance{Labels: map[string]string{"host": "2001:db8::1"}, Value: 1234567}
	for text, want := range map[string]string{
		`{{ $labels.host }} {{ $values.A }} {{ $value }}`:                          "2001:db8::1 1234567 1234567",
		`{{ humanize $values.B.Value }} {{ humanize1024 $values.A }}`:              "1.235M 1.177M",
		`{{ humanizePercentage 0.123456 }} {{ humanizeDuration 90 }}`:              "12.35% 1m30s",
		`{{ urlquery $labels.host }} {{ $labels.nothing }}`:                        "2001%3Adb8%3A%3A1 ",
		`{{ title "abc" }} {{ toUpper "abc" }} {{ reReplaceAll "b+" "x" "abbc" }}`: "Abc ABC axc",
		`{{ printf "%.2f" $values.A.Value }}`:                                      "1234567.00",
	} {
		r := Rule{Annotations: map[string]string{"summary": text}}
		got, err := r.annotation("summary", i)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestValuesAreShort(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 1.23456: "1.23", 99.999: "100", 12.5: "12.5", 1e9: "1000000000", -3.14159: "-3.14", 1234.5678: "1235"} {
		if got := (templateValue{Value: value}).String(); got != want {
			t.Errorf("%v is written %s, want %s", value, got, want)
		}
	}
}

func TestLinksLeadToTheInstance(t *testing.T) {
	i := Instance{Labels: map[string]string{"host": "192.0.2.1"}}
	for _, c := range []struct {
		name        string
		annotations map[string]string
		want        string
	}{
		{"a link", map[string]string{"link": "/d/x?var-a={{ $labels.host }}", "__dashboardUid__": "y"}, "/d/x?var-a=192.0.2.1"},
		{"a dashboard", map[string]string{"__dashboardUid__": "netmeta-host"}, "/d/netmeta-host?var-host=192.0.2.1"},
		{"another site", map[string]string{"link": "//attacker.example/"}, ""},
		{"a script", map[string]string{"link": "javascript:alert(1)"}, ""},
		{"nothing", nil, ""},
	} {
		r := Rule{Annotations: c.annotations}
		if got := r.Link(i); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
