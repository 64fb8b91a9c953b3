// Package validation sums up what package validate finds in many flows.
package validation

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leoluk/NetMeta/pb/validate"
)

// Finding is a kind of problem, with how often it was found.
type Finding struct {
	Severity validate.Severity `json:"severity"`
	Field    string            `json:"field,omitempty"`
	Rule     string            `json:"rule"`
	Count    uint64            `json:"count"`           // flows; of what is lost: Kafka messages, or files
	First    string            `json:"first"`           // where it was found first
	Value    string            `json:"value,omitempty"` // there
	Effect   string            `json:"effect"`
}

// Report is what was read, and what is wrong with it.
type Report struct {
	Flows    uint64     `json:"flows"`
	Messages uint64     `json:"messages"` // of Kafka, or files
	Bytes    uint64     `json:"bytes"`
	Findings []*Finding `json:"findings"`

	Progress func(flows uint64) `json:"-"` // called every thousand flows, if there is one
	limit    uint64
	seen     map[[3]string]*Finding
}

// New returns a report that ends after limit flows; 0 is no limit.
func New(limit uint64) *Report {
	return &Report{limit: limit, seen: map[[3]string]*Finding{}, Findings: []*Finding{}}
}

// Message reads the value of a Kafka message that ClickHouse gets at the time now. It
// returns false once the limit of flows is reached.
func (r *Report) Message(place string, value []byte, now time.Time) bool {
	if err := r.read(context.Background(), place, bytes.NewReader(value), now); err != nil && !errors.Is(err, io.EOF) {
		panic(err) // memory can be read
	}
	return !r.full()
}

// File does so with a file, until ctx ends. The error is that of the file.
func (r *Report) File(ctx context.Context, place string, in io.Reader, now time.Time) error {
	if r.full() {
		return nil
	}
	if err := r.read(ctx, place, in, now); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (r *Report) full() bool { return r.limit > 0 && r.Flows >= r.limit }

func (r *Report) read(ctx context.Context, place string, in io.Reader, now time.Time) error {
	counted := &counter{in: in}
	flows := validate.NewReader(counted)
	r.Messages++
	defer func() { r.Bytes += counted.n }()
	for n := 1; ctx.Err() == nil && !r.full(); n++ {
		m, err := flows.Next()
		if broken, ok := errors.AsType[*validate.BrokenError](err); ok {
			r.add(validate.Problem{Severity: validate.Lost, Rule: "cannot be read", Value: broken.Error(),
				Effect: "ClickHouse stores nothing of the Kafka message but a row in flows_errors; write FlowMessages, each preceded by its length as a varint"}, place, n)
			return nil
		}
		if err != nil {
			return err
		}
		r.Flows++
		if r.Progress != nil && r.Flows%1000 == 0 {
			r.Progress(r.Flows)
		}
		for _, problem := range validate.Flow(m, now) {
			r.add(problem, place, n)
		}
	}
	return nil
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  uint64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += uint64(n)
	return n, err
}

func (r *Report) add(p validate.Problem, place string, flow int) {
	key := [3]string{string(p.Severity), p.Field, p.Rule}
	finding := r.seen[key]
	if finding == nil {
		finding = &Finding{Severity: p.Severity, Field: p.Field, Rule: p.Rule, First: fmt.Sprintf("%s, flow %d", place, flow), Value: p.Value, Effect: p.Effect}
		r.seen[key] = finding
		r.Findings = append(r.Findings, finding)
	}
	finding.Count++
}

// Failed tells whether anything is lost, or stored as something else.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Findings, func(f *Finding) bool { return f.Severity != validate.Doubtful })
}

var order = []validate.Severity{validate.Lost, validate.Wrong, validate.Doubtful}

// WriteTable writes the report for people, the worst and the most frequent first.
func (r *Report) WriteTable(w io.Writer) error {
	slices.SortStableFunc(r.Findings, func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity)), cmp.Compare(b.Count, a.Count))
	})
	fmt.Fprintf(w, "%s flows in %s messages or files, %s\n", humanize.Comma(int64(r.Flows)), humanize.Comma(int64(r.Messages)), humanize.IBytes(r.Bytes))
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is wrong with them.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\n\tCOUNT\tFIELD\tWHAT\tFOR EXAMPLE\tWHERE FIRST\tSO")
	for _, f := range r.Findings {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Severity, humanize.Comma(int64(f.Count)), cmp.Or(f.Field, "-"), f.Rule, cmp.Or(f.Value, "-"), f.First, f.Effect)
	}
	return t.Flush()
}
