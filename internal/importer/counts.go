package importer

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	recordsSent = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_import_records_sent_total",
		Help: "Records of files, objects and requests that became flows or traces which Kafka has, by kind of file.",
	}, []string{"source"})
	recordsSkipped = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_import_records_skipped_total",
		Help: "Records of files, objects and requests that did not become flows or traces, by kind of file and reason. doc/import.md says what the reasons mean.",
	}, []string{"source", "reason"})
	filesFailed = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_import_files_failed_total",
		Help: "Files and objects that could not be read to their end: damaged, cut off, or refused. The log says why.",
	}, []string{"source"})
	objectsVanished = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_import_objects_vanished_total",
		Help: "Objects that were deleted or replaced between their listing and the end of reading them.",
	}, []string{"source"})
	filesTruncated = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_import_files_truncated_total",
		Help: "Files that have become shorter while they were followed. What was cut off before it was read is lost: rotate logs by renaming them.",
	}, []string{"source"})
)

// counts are those of the records in a chunk.
type counts struct {
	sent, ahead uint64
	skipped     map[Reason]*skips
}

// skips are the records that were not sent for one reason.
type skips struct {
	Records uint64 `json:"records"`
	First   string `json:"first,omitempty"` // where, and what it begins with
}

// add counts a record by what became of it.
func (c *counts) add(reason Reason, in *input, record []byte, problem string) {
	switch reason {
	case Sent:
		c.sent++
	case Aside:
	default:
		c.skip(reason, in, record, problem)
	}
}

// skip counts a record that is not sent. Of the first of its reason it notes the place.
func (c *counts) skip(reason Reason, in *input, record []byte, problem string) {
	if c.skipped == nil {
		c.skipped = map[Reason]*skips{}
	}
	s := c.skipped[reason]
	if s == nil {
		s = &skips{}
		c.skipped[reason] = s
	}
	if s.Records++; s.First == "" {
		s.First = describe(in, record, problem)
	}
}

// describe shows a record in a way that cannot do anything to a terminal or a log.
func describe(in *input, record []byte, problem string) string {
	const most = 120
	text := strings.TrimRight(string(record[:min(len(record), most)]), "\r\n")
	if problem != "" {
		problem = " (" + problem + ")"
	}
	more := ""
	if len(record) > most {
		more = "…"
	}
	if in.rows != nil {
		return fmt.Sprintf("%s, row %d%s", in.path, in.at+1, problem)
	}
	return fmt.Sprintf("%s, byte %d%s: %+q%s", in.path, in.at, problem, text, more)
}

func (c *counts) reset() {
	c.sent, c.ahead = 0, 0
	for _, s := range c.skipped {
		*s = skips{}
	}
}

// Report says what became of the records of a run. Its numbers are those that Kafka has
// acknowledged, in skipped records and sent ones alike.
type Report struct {
	Source     string            `json:"source"`
	Files      int               `json:"files"`               // that had something new
	Unchanged  int               `json:"unchanged,omitempty"` // that were read before
	Sent       uint64            `json:"sent"`
	Ahead      uint64            `json:"ahead,omitempty"` // of Sent: their time lies in the future
	Skipped    map[Reason]*skips `json:"skipped,omitempty"`
	Failed     int               `json:"failed,omitempty"`   // that could not be read to their end
	Vanished   int               `json:"vanished,omitempty"` // objects that were deleted while they were read, or before
	Truncated  int               `json:"truncated,omitempty"`
	Unfinished int               `json:"unfinished,omitempty"` // files whose last line has no end yet
	Deliveries int               `json:"deliveries,omitempty"` // that a Receiver took
	Repeated   int               `json:"repeated,omitempty"`   // that had been taken before, and are in no other number

	records  string
	become   string
	receives bool
	mu       sync.Mutex
}

func newReport(f Format) *Report {
	recordsSent.WithLabelValues(f.Source).Add(0)
	return &Report{Source: f.Source, Skipped: map[Reason]*skips{}, records: f.Records, become: cmp.Or(f.Become, "flows")}
}

// add adds what was sent.
func (r *Report) add(ch *chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &ch.counts
	r.Deliveries += len(ch.deliveries)
	r.Sent += c.sent
	r.Ahead += c.ahead
	recordsSent.WithLabelValues(r.Source).Add(float64(c.sent))
	for reason, s := range c.skipped {
		if s.Records == 0 {
			continue
		}
		recordsSkipped.WithLabelValues(r.Source, string(reason)).Add(float64(s.Records))
		sum := r.Skipped[reason]
		if sum == nil {
			sum = &skips{First: s.First}
			r.Skipped[reason] = sum
		}
		sum.Records += s.Records
	}
}

// repeat counts a delivery that had come before.
func (r *Report) repeat() {
	r.mu.Lock()
	r.Repeated++
	r.mu.Unlock()
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	from := plural(r.Files, "file")
	if r.receives {
		from = plural(r.Deliveries, "request") + "; " + humanize.Comma(int64(r.Repeated)) + " came again"
	}
	fmt.Fprintf(w, "%s %s sent as %s, from %s", humanize.Comma(int64(r.Sent)), r.records, r.become, from)
	if r.Unchanged > 0 {
		fmt.Fprintf(w, "; %s unchanged since the last run", plural(r.Unchanged, "file"))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, reason := range slices.SortedFunc(maps.Keys(r.Skipped), func(a, b Reason) int { return strings.Compare(string(a), string(b)) }) {
		s := r.Skipped[reason]
		fmt.Fprintf(table, "  not sent\t%s\t%s %s\tfirst: %s\n", reason, humanize.Comma(int64(s.Records)), r.records, s.First)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range []struct {
		n    uint64
		text string
	}{
		{r.Ahead, r.become + " have a time in the future and are stored as of now: the clock of their source is, or was, wrong"},
		{uint64(r.Failed), "files cannot be read to their end: the log says why"},
		{uint64(r.Vanished), "objects were deleted or replaced before they were read to their end"},
		{uint64(r.Truncated), "files were truncated: what was cut off before it was read is lost"},
		{uint64(r.Unfinished), "files end within a line, which is left for the next run"},
	} {
		if line.n > 0 {
			if _, err := fmt.Fprintf(w, "  %s %s\n", humanize.Comma(int64(line.n)), line.text); err != nil {
				return err
			}
		}
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}
