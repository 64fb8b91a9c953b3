package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes the files of a module, by their paths, and returns its root.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for _, top := range []string{"cmd", "internal"} {
		if err := os.MkdirAll(filepath.Join(root, top), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// page returns what is written about a module with these files.
func page(t *testing.T, intro string, files map[string]string) (string, error) {
	t.Helper()
	packages, err := readModule(module(t, files))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := findMetrics(packages)
	if err != nil {
		return "", err
	}
	return write(intro, metrics)
}

func TestTheMetricsOfThisModuleCanBeDocumented(t *testing.T) {
	target := filepath.Join(t.TempDir(), "metrics.md")
	if err := generate(filepath.Join("..", ".."), target); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `netmeta_listen_kernel_drops_total` | counter | `listener` |", // not made by promauto
		"| `netmeta_exporters` | gauge |  |",                             // without labels
		"- `unknown_template`: ",                                         // a constant and its comment, through a parameter
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in the page", want)
		}
	}
}

const declarations = `package queue

import "github.com/prometheus/client_golang/prometheus"

// Reasons.
const (
	full   = "full"   // no room
	broken = "broken" // a|b
)

var dropped = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_queue_dropped_total",
	Help: "Dropped, " + "by reason.",
}, []string{"topic", "reason"})

var size = prometheus.NewDesc("netmeta_queue_size", "Now.", nil, nil)

func collect() { prometheus.MustNewConstMetric(size, prometheus.GaugeValue, 1) }

type meters struct{ dropped *prometheus.CounterVec }

func newMeters(topic string) meters {
	return meters{lost: dropped.MustCurryWith(prometheus.Labels{"topic": topic})}
}

func (m meters) drop(n int, reason string) { m.lost.WithLabelValues(reason).Inc() }

func use(m meters) {
	m.drop(1, full)
	m.drop(1, broken)
}
`

func TestTablesFollowTheDataPath(t *testing.T) {
	got, err := page(t, "# Introduction of `netmeta_queue_size`", map[string]string{
		"internal/queue/q.go": declarations,
		"internal/aaa/a.go": `package aaa
var a = promauto.NewGauge(prometheus.GaugeOpts{Name: "netmeta_aaa", Help: "A."})
func init() { queue.dropped.WithLabelValues("t", "elsewhere") }`,
		"internal/aaa/a_test.go": `package aaa
var b = promauto.NewGauge(prometheus.GaugeOpts{Name: "not_documented"})`,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "# Introduction of `netmeta_queue_size`\n" + `
### Queue to Kafka (` + "`queue`" + `)

| Metric | Type | Labels | Meaning |
|---|---|---|---|
| ` + "`netmeta_queue_dropped_total` | counter | `topic`; `reason`: `broken`, `elsewhere`, `full`" + ` | Dropped, by reason. |
| ` + "`netmeta_queue_size`" + ` | gauge |  | Now. |

` + "`reason` of `netmeta_queue_dropped_total`" + `:

` + "- `broken`: a|b\n- `full`: no room\n" + `
### ` + "`aaa`" + `

| Metric | Type | Labels | Meaning |
|---|---|---|---|
| ` + "`netmeta_aaa`" + ` | gauge |  | A. |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatCannotBeDocumentedIsNamed(t *testing.T) {
	for _, test := range []struct{ promise, source, intro, want string }{
		{"a name from a variable", `promauto.NewGauge(prometheus.GaugeOpts{Name: name, Help: "H."})`, "", "a.go:2:9: the name of a metric is not a literal string"},
		{"a foreign name", `promauto.NewGauge(prometheus.GaugeOpts{Name: "go_x", Help: "H."})`, "", `"go_x" is not a name`},
		{"no help", `promauto.NewGauge(prometheus.GaugeOpts{Name: "netmeta_x"})`, "", "netmeta_x: no help"},
		{"a counter that does not say so", `promauto.NewCounter(prometheus.CounterOpts{Name: "netmeta_x", Help: "H."})`, "", "netmeta_x: the name of a counter ends in _total"},
		{"labels from a variable", `promauto.NewGaugeVec(prometheus.GaugeOpts{Name: "netmeta_x", Help: "H."}, labels)`, "", "netmeta_x: the names of its labels are not literal"},
		{"options from a variable", `prometheus.GaugeOpts{Name: "netmeta_x", Help: "H."}`, "", "options of a metric outside of the call"},
		{"a description that nothing uses", `prometheus.NewDesc("netmeta_x", "H.", nil, nil)`, "", "netmeta_x: no use as a prometheus.CounterValue or GaugeValue"},
		{"the same name twice", `[]any{promauto.NewGauge(prometheus.GaugeOpts{Name: "netmeta_x", Help: "H."}), promauto.NewGauge(prometheus.GaugeOpts{Name: "netmeta_x", Help: "H."})}`, "", "netmeta_x is also declared at"},
		{"an introduction that is out of date", `1`, "See netmeta_gone_total.", "the introduction mentions netmeta_gone_total"},
	} {
		t.Run(test.promise, func(t *testing.T) {
			_, err := page(t, test.intro, map[string]string{"internal/a/a.go": "package a\nvar a = " + test.source})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
