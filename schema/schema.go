// Package schema holds NetMeta's SQL schema as numbered migrations, one statement
// a file, in the form that golang-migrate reads.
//
// A migration leaves alone what is there already (IF NOT EXISTS): one that was cut
// off half-way, or that two instances begin at once, is simply run again.
//
// A migration may contain ${FLOW_MESSAGE_DEFINITION}, ${INTERFACE_COUNTERS_DEFINITION},
// ${PIPELINE_COUNTER_DEFINITION} and ${TRACE_DEFINITION}, inside single quotes: they are
// replaced by the texts of the files in pb/ when the migration runs, so that ClickHouse
// parses exactly what the collectors write and no second copy of the definitions exists.
//
// ${RETENTION} is replaced by the expression after which rows of flows_raw are dropped,
// so that a migration that makes the table anew keeps it.
//
// Between Kafka and the tables, in all shapes of data (flows, counters, pipeline, traces):
//
//	flows_queue (Kafka) → flows_gate → flows_received (Null) → flows_raw_view    → flows_raw
//	                                                         → flows_errors_view → flows_errors
//
// What gets into flows_raw goes on in the same insert, as sums:
//
//	flows_raw → flows_1m_view → flows_1m → flows_1h_view → flows_1h
//
// The gate is the only view of the Kafka table. To change what stands behind it, a
// migration drops the gate, changes the views, and makes the gate anew last: at every
// moment either nothing is consumed or everything is there, and offsets stay in Kafka.
// The Kafka table itself is only made anew where it needs other columns, since its
// consumer does not tell Kafka that it is gone: the next one waits for the end of its
// session, up to 45 s.
package schema

import (
	"cmp"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/leoluk/NetMeta/pb"
)

//go:embed *.sql
var files embed.FS

// DefaultRetention is the TTL expression of flows_raw until somebody sets another one.
const DefaultRetention = "TimeReceived + toIntervalDay(7)"

// Options say for which database the migrations are.
type Options struct {
	// Retention is the TTL expression of flows_raw, DefaultRetention if empty.
	Retention string
	// New says that the database is empty and is brought up to the newest version at
	// once: nothing is consumed before its gates are made. A consumer that starts before,
	// and whose table a later migration drops, would hold up the one that stays, and a
	// gate that is dropped while its consumer joins the group holds up the migration.
	New bool
	// Ordered says that flows_raw has the order of migration 14 already, and perhaps columns
	// of later ones: done again, it has nothing to do.
	Ordered bool
}

// Migrations that Options.New concerns: the one that makes the first flows_queue, and
// the one that, taken back, leaves a table that consumes nothing; the
// one that makes the first flows_gate, and the one that drops it before the rollups; and
// the one that makes the gate anew, before a later one makes flows_queue anew.
const (
	firstQueue = 3
	idleQueue  = 13
	firstGate  = 15
	closedGate = 48
	rollupGate = 56
)

// ordering is the migration that Options.Ordered concerns.
const ordering = 14

// Source returns the migrations, ready to run: placeholders are filled in.
func Source(options Options) (source.Driver, error) {
	driver, err := iofs.New(files, ".")
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	return expanding{driver, options.New, options.Ordered, strings.NewReplacer(
		"${FLOW_MESSAGE_DEFINITION}", quotable(pb.Definition),
		"${INTERFACE_COUNTERS_DEFINITION}", quotable(pb.CountersDefinition),
		"${PIPELINE_COUNTER_DEFINITION}", quotable(pb.PipelineDefinition),
		"${TRACE_DEFINITION}", quotable(pb.TraceDefinition),
		"${RETENTION}", cmp.Or(options.Retention, DefaultRetention),
	)}, nil
}

// expanding is a source whose migrations have their placeholders filled in.
type expanding struct {
	source.Driver
	idle         bool // until the last gate is made
	ordered      bool
	placeholders *strings.Replacer
}

func (s expanding) ReadUp(version uint) (io.ReadCloser, string, error) {
	switch {
	case s.ordered && version == ordering:
		return io.NopCloser(strings.NewReader("SELECT 1")), "flows_raw_order", nil
	case s.idle && (version == firstQueue || version == idleQueue): // the last one makes it anew
		return s.expand(s.Driver.ReadDown(idleQueue))
	case s.idle && version == firstGate:
		return s.expand(s.Driver.ReadUp(closedGate))
	case s.idle && version == rollupGate:
		return s.expand(s.Driver.ReadDown(rollupGate)) // which closes it
	}
	return s.expand(s.Driver.ReadUp(version))
}

func (s expanding) ReadDown(version uint) (io.ReadCloser, string, error) {
	return s.expand(s.Driver.ReadDown(version))
}

func (s expanding) expand(migration io.ReadCloser, name string, err error) (io.ReadCloser, string, error) {
	if err != nil {
		return nil, "", err
	}
	defer migration.Close()
	text, err := io.ReadAll(migration)
	if err != nil {
		return nil, "", fmt.Errorf("read migration %s: %w", name, err)
	}
	return io.NopCloser(strings.NewReader(s.placeholders.Replace(string(text)))), name, nil
}

var (
	protoComment = regexp.MustCompile(`(?m)[ \t]*//.*$`)
	blankLines   = regexp.MustCompile(`\n{2,}`)
)

// quotable returns a protobuf definition as the inside of a ClickHouse string
// literal, without the comments: they are for people, and SHOW CREATE TABLE would be
// buried under them.
func quotable(definition string) string {
	text := protoComment.ReplaceAllString(definition, "")
	text = strings.TrimSpace(blankLines.ReplaceAllString(text, "\n"))
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text)
}

// Dictionaries are the statements that make the dictionaries of the schema, which change
// nothing where they are.
func Dictionaries() (statements []string, err error) {
	names, err := fs.Glob(files, "*_dictionary.up.sql")
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		statements = append(statements, string(text))
	}
	return statements, err
}
