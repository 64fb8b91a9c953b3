// Package importer reads flows and traces from files and objects that others write - logs,
// captures, measurements - and has each of their records in Kafka exactly once, however
// often it is stopped, killed or started again.
//
// A record goes through the files in this order: open.go finds and opens files and knows
// them again after they were renamed (position.go); read.go cuts them into records, which
// a Decoder of a package below this one turns into flows; chunk.go collects these for one
// entry of a [queue.Ledger], which send.go hands over together with how far files were
// read. follow.go waits for more. objects.go goes through the listings of object stores,
// and settled.go remembers what was read of them. counts.go counts what was sent and what
// was not, and why.
//
// What others push instead takes the same way from chunk.go on: receive.go decodes it, and
// recent.go knows it again when it is sent twice. Package push has the HTTP in front.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/objects"
)

// Reason is why a record is not sent as a flow; empty for one that is. It becomes the
// label of a metric: a constant, never anything from a file.
type Reason string

// Reasons that any Format may have. Formats add their own.
const (
	Sent     Reason = ""
	TooLong  Reason = "too_long"    // longer than MaxRecord
	Empty    Reason = "empty"       // a line without anything
	Fields   Reason = "field_count" // more or fewer fields than there are names
	BadValue Reason = "bad_value"   // a field that is not what its name says
	BadTime  Reason = "bad_time"    // none, or one that cannot be
	NoFlow   Reason = "no_flow"     // heads and the like, which say something of other records
)

// Topic is where flows go.
const Topic = flow.Topic

// Aside is the Reason of what is no record by itself, and is not counted.
const Aside Reason = "aside"

// OwnAddress returns the first address of this host that others see, else 127.0.0.1.
func OwnAddress() netip.Addr {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			return p.Addr()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// MaxRecord is the longest record, in bytes.
const MaxRecord = 1 << 20

// Decoder decodes the records of one file, in order.
type Decoder interface {
	// Split returns the length of the first record in data, with what ends it, and 0
	// where more is needed to tell. final tells that there is no more. An error gives
	// the file up.
	Split(data []byte, final bool) (int, error)

	// Decode sends what a record holds to out, and else returns why not. The record is
	// only valid during the call.
	Decode(record []byte, out *Output) Reason

	// State returns what has to be known to go on behind the last record in another
	// process, such as a head that names columns. It is called often.
	State() string
}

// Rereader is a Decoder whose records refer to earlier ones of the file, to more than State
// could hold. A file is read again from its start: each record in front of where it was read
// up to goes to Skip, and only those behind it to Decode. State is "" then.
type Rereader interface {
	Decoder
	Skip(record []byte)
}

// Format makes decoders for one kind of file.
type Format struct {
	Source  string // name of the kind, as the user and metrics have it
	Records string // what a record is called: lines, packets
	Become  string // what it is sent as; default flows
	// New returns a decoder for a file that was read up to where State returned state;
	// "" for its start.
	New func(state string) (Decoder, error)
	// Rows opens a file of Parquet; nil where this kind is not written so.
	Rows func(file io.ReaderAt, size int64) (Rows, error)
}

// Config says what is read and where it goes.
type Config struct {
	Format Format
	Files  []string // names, patterns (as filepath.Match has them) and directories
	Follow bool     // go on with what is appended, until the context ends

	// Sink takes what was read. See OpenKafka and DryRun.
	Sink Sink

	Progress func(Progress) // called several times a second; may be nil
	Logger   *slog.Logger   // default slog.Default()

	Objects *objects.Client // reads those of Files that are s3://BUCKET/PREFIX or gs://…

	ChunkBytes int           // most bytes of messages to one topic in an entry; default 800 KiB
	Poll       time.Duration // how often to look for more in files, with Follow; default 1 s
	List       time.Duration // how often to list objects, with Follow; default 1 min
	Remember   int           // how many deliveries a Receiver knows again at least; default 1,000,000
	now        func() time.Time
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.ChunkBytes == 0 {
		c.ChunkBytes = 800 << 10
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.List == 0 {
		c.List = time.Minute
	}
	if c.Remember == 0 {
		c.Remember = 1_000_000
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
}

// Progress is how far a run has come.
type Progress struct {
	Files, AllFiles int
	Bytes, AllBytes int64 // read and to read, as the files have them, compressed or not
	Records         uint64
}

// Run reads all files, sends what is new in them, and reports. With Follow it ends with
// ctx, which is no error then. Files that cannot be read are named in the error; the
// others are read nevertheless.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg.setDefaults()
	r := &run{cfg: cfg, report: newReport(cfg.Format), damaged: map[objectID]bool{}}
	notes, err := cfg.Sink.Resume(ctx)
	if err != nil {
		return r.report, err
	}
	r.known = newKnown(notes)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r.sending = startSending(ctx, fail, cfg, r.report, func(*chunk) error { return nil })
	if cfg.Follow {
		err = r.follow(ctx)
	} else {
		err = r.once(ctx)
	}
	if ended := r.finish(ctx); ended != nil {
		err = errors.Join(err, ended)
	}
	return r.report, err
}

// run is what Run works with.
type run struct {
	cfg      Config
	report   *Report
	known    *known
	sending  *sending
	progress Progress
	shown    time.Time
	spare    []byte            // buffer of the file that was closed last
	damaged  map[objectID]bool // objects that are not tried again
}

// once reads every file to its end.
func (r *run) once(ctx context.Context) error {
	names, locations, err := split(r.cfg.Files)
	if err != nil {
		return err
	}
	paths, err := expand(names)
	if err != nil {
		return err
	}
	r.progress.AllFiles, r.progress.AllBytes = len(paths), sizes(paths)
	var failed []error
	for _, path := range paths {
		if err := r.readWhole(ctx, path); err != nil {
			if ctx.Err() != nil {
				return nil // finish says why
			}
			r.failed(path, err)
			failed = append(failed, fmt.Errorf("%s: %w", path, err))
		}
		r.progress.Files++
	}
	for _, location := range locations {
		if err := r.pass(ctx, location, &failed); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			failed = append(failed, err)
		}
	}
	return joinFew(failed)
}

// split separates the names of files from those of objects.
func split(all []string) (files []string, locations []objects.Location, err error) {
	for _, name := range all {
		if !objects.IsURL(name) {
			files = append(files, name)
			continue
		}
		location, err := objects.Parse(name)
		if err != nil {
			return nil, nil, err
		}
		locations = append(locations, location)
	}
	return files, locations, nil
}

// failed notes a file that cannot be read to its end.
func (r *run) failed(path string, err error) {
	r.report.Failed++
	filesFailed.WithLabelValues(r.cfg.Format.Source).Inc()
	r.cfg.Logger.Error("import: a file cannot be read to its end; what was read of it is sent", "file", path, "error", err)
}

func (r *run) readWhole(ctx context.Context, path string) error {
	in, err := r.open(path)
	if err != nil {
		return err
	}
	defer in.close()
	before := in.reached()
	if err := r.read(ctx, in, in.isFinal(r.cfg.now())); err != nil {
		return err
	}
	switch {
	case in.reached() == before && before > 0:
		r.report.Unchanged++
	default:
		r.report.Files++
	}
	if in.rest() > 0 {
		r.report.Unfinished++
		r.cfg.Logger.Info("import: the last line has no end yet and is left for the next run", "file", path, "bytes", in.rest())
	}
	return nil
}

// finish sends what is left and waits for Kafka. It returns why the run ended early.
func (r *run) finish(ctx context.Context) error {
	r.sending.flush(ctx)
	r.sending.stop()
	r.cfg.Progress(r.progress)
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if ctx.Err() != nil && !r.cfg.Follow {
		return errors.New("interrupted: the same command goes on where it stopped")
	}
	return nil
}

// show tells the progress now and then.
func (r *run) show(in *input) {
	if now := r.cfg.now(); now.Sub(r.shown) > 200*time.Millisecond {
		r.shown = now
		p := r.progress
		p.Bytes += in.consumed()
		r.cfg.Progress(p)
	}
}

// joinFew joins errors of which the first say what all say.
func joinFew(errs []error) error {
	const few = 5
	if n := len(errs); n > few {
		errs = append(errs[:few:few], fmt.Errorf("and %d further files", n-few))
	}
	return errors.Join(errs...)
}

// Received returns the time by which dashboards and retention go for a flow that ended
// at end (seconds since 1970): end, and now where that lies in the future because a clock
// was wrong.
func Received(end uint64, now time.Time) uint64 { return min(end, uint64(now.Unix())) }

// leastTime is before all clouds and most logs: 1990.
const leastTime = 631152000

// Plausible tells whether a time, in seconds since 1970, can be that of a record.
func Plausible(t uint64) bool { return t >= leastTime && t < 1<<32 }

// Output takes flows from a decoder.
type Output struct {
	Now     time.Time // of this stretch of records
	chunk   *chunk
	Problem string // more about the Reason that Decode returns, for people
}

// Flow adds a flow, which may be reused at once.
func (o *Output) Flow(r *flow.Record) { o.chunk.append(flow.Topic, r) }

// Message adds a message for another topic than that of flows.
func (o *Output) Message(topic string, m flow.Message) { o.chunk.append(topic, m) }

// Ahead counts a record whose time lies in the future.
func (o *Output) Ahead() { o.chunk.counts.ahead++ }
