// Package queue carries flows to Kafka, as batches of length-delimited messages, so
// that what was accepted is stored once: not lost when a broker fails or, with a spool,
// when this process is killed, and not stored twice when only an acknowledgement was
// lost.
//
// A flow passes through the files in this order: writer.go encodes it into a message
// of its goroutine; buffer.go holds full messages until pack.go makes a record batch
// (batch.go) of them and appends it to the spool (spooling.go and package spool), which
// is on disk or in memory; partition.go takes the oldest batch, gives it an identity
// (identity.go), sends it, and does what verdict.go makes of the answer, which may be
// to split it (split.go). watch.go keeps track of the brokers (cluster.go) and the
// partitions of the topic, and hands batches that an earlier process had begun to send
// to their partitions (claims.go). health.go and explain.go say what does not work.
//
// kafka-go's Writer is not used because it gives every attempt no identity: a
// batch whose acknowledgement is lost is stored again. Here every batch carries a
// producer id and a sequence number (KIP-98), and is sent under them until it is
// acknowledged; the broker recognises those it has. The spool notes them before a batch
// is first sent, so a later process sends it under the same. What remains:
//
//   - A broker that loses its memory of a producer between storing a batch and being
//     asked again (its disk, or after a day without contact: producer.id.expiration.ms)
//     stores that one batch twice.
//   - A kill costs the flows that are not yet in the spool: those of about the last
//     second, or all that Config.Buffer holds where there is no spool.
//   - Nothing is forced to the disk, so a power cut costs what the kernel had not
//     written, about half a minute, and may have batches stored twice that were done.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/spool"
)

// Config says where flows go and how much memory they may take on the way. Zero
// values stand for the defaults.
type Config struct {
	Brokers []string // host:port of at least one broker; the others are found through it
	Topic   string   // need not exist yet

	Buffer       int           // bytes of encoded flows that may wait in memory; default 64 MiB
	MessageBytes int           // size of a full Kafka message; default 64 KiB
	BatchBytes   int           // most bytes of messages in one record batch, before compression; default 900 KiB, below the 1 MiB of a broker's message.max.bytes
	Linger       time.Duration // longest wait for a message to fill; default 200 ms
	Timeout      time.Duration // longest wait for a broker's answer; default 10 s, of which brokers get half to collect the replicas' acknowledgements
	Compression  string        // "lz4" (default), "zstd", "snappy", "gzip" or "none"

	// Spool is a directory for flows that wait for Kafka, made if missing. They outlive
	// the process there. No two processes may use the same; queues of one process to
	// different topics may. Without it, flows wait in memory.
	Spool      string
	SpoolBytes int64  // most bytes of flows on disk, compressed; default 8 GiB
	SpoolDrop  string // what to drop when the spool is full: "oldest" (default), a file full at a time, or "newest"

	Security Security     // of the way to the brokers
	Logger   *slog.Logger // default slog.Default()
}

func (c *Config) setDefaults() {
	setDefault(&c.Buffer, 64<<20)
	setDefault(&c.MessageBytes, 64<<10)
	setDefault(&c.BatchBytes, 900<<10)
	setDefault(&c.Linger, 200*time.Millisecond)
	setDefault(&c.Timeout, 10*time.Second)
	setDefault(&c.Compression, "lz4")
	setDefault(&c.SpoolBytes, 8<<30)
	setDefault(&c.SpoolDrop, dropOldest)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

func setDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

func (c *Config) check() error {
	switch {
	case len(c.Brokers) == 0:
		return errors.New("no brokers given")
	case c.Topic == "":
		return errors.New("no topic given")
	case c.MessageBytes < 2*flow.MaxEncodedSize:
		return fmt.Errorf("message size %d is below %d, two flows", c.MessageBytes, 2*flow.MaxEncodedSize)
	case c.BatchBytes < c.MessageBytes:
		return fmt.Errorf("batch size %d is below the message size %d", c.BatchBytes, c.MessageBytes)
	case c.Buffer < c.MessageBytes:
		return fmt.Errorf("buffer of %d bytes is below the message size %d", c.Buffer, c.MessageBytes)
	case c.SpoolDrop != dropOldest && c.SpoolDrop != dropNewest:
		return fmt.Errorf("a full spool can drop %q or %q, not %q", dropOldest, dropNewest, c.SpoolDrop)
	case c.Linger < 0:
		return fmt.Errorf("linger %v is negative", c.Linger)
	case c.Timeout < 0:
		return fmt.Errorf("timeout %v is negative", c.Timeout)
	}
	return nil
}

// Producer sends flows to one topic. Its methods may be called from any goroutine.
type Producer struct {
	cfg         Config
	compression kafka.Compression
	meters      *meters
	cluster     *cluster
	health      *health
	buffer      *buffer
	spool       *spool.Spool
	claims      claims
	batchBytes  atomic.Int64 // cfg.BatchBytes, or less once the broker found that too large

	stop     context.CancelFunc // ends every goroutine, delivered or not
	running  sync.WaitGroup
	packing  sync.WaitGroup
	closing  sync.Once
	closeErr error

	mu      sync.Mutex
	writers []*Writer
	closed  bool
}

// Open checks cfg and starts to connect in the background. That Kafka cannot be
// reached, or that the topic does not exist, is no error here: both are logged,
// tried again, and flows wait until then. See [Producer.Err].
func Open(cfg Config) (*Producer, error) {
	cfg.setDefaults()
	p := &Producer{cfg: cfg}
	err := p.compression.UnmarshalText([]byte(cfg.Compression))
	if err = errors.Join(cfg.check(), err); err == nil {
		p.cluster, err = newCluster(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("open queue to topic %q at %s: %w", cfg.Topic, strings.Join(cfg.Brokers, ","), err)
	}
	p.meters = newMeters(cfg.Topic)
	p.health = newHealth(cfg, p.meters)
	p.buffer = newBuffer(cfg.Buffer, cfg.MessageBytes, p.meters, func() bool { return p.spool.Idle() })
	p.batchBytes.Store(int64(cfg.BatchBytes))
	if err = p.openSpool(); err != nil {
		return nil, fmt.Errorf("open queue to topic %q: %w", cfg.Topic, err)
	}

	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.packing.Go(func() { p.pack(ctx) })
	p.running.Go(func() { p.watch(ctx) })
	p.running.Go(func() { p.linger(ctx) })
	if cfg.Spool != "" {
		p.running.Go(func() { p.rescue(ctx) })
	}
	return p, nil
}

// NewWriter returns a writer for one goroutine that decodes. It lives as long as p.
func (p *Producer) NewWriter() *Writer {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &Writer{buffer: p.buffer, message: p.buffer.empty(), closed: p.closed}
	p.writers = append(p.writers, w)
	return w
}

// linger closes messages that have waited long enough to be filled. A message is
// closed at the second tick that finds it begun, so it waits for half of
// Config.Linger at least and for all of it at most.
func (p *Producer) linger(ctx context.Context) {
	ticker := time.NewTicker(max(p.cfg.Linger/2, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		writers := p.writers
		p.mu.Unlock()
		for _, w := range writers {
			w.tick()
		}
		p.buffer.tick()
		p.measureSpool()
	}
}

// Ready tells whether Kafka answers, has the topic, and takes flows for some partition
// of it.
func (p *Producer) Ready() bool { return p.health.ready() }

// fullMargin is how much room a full spool may have for a moment, since it drops files
// and not batches.
const fullMargin = 32 << 20

// Safe returns nil while flows that are accepted now get to Kafka, or else to a spool
// that has room for them and outlives the process. Otherwise it says what is wrong.
func (p *Producer) Safe() error {
	if p.health.ready() {
		return nil
	}
	err := p.health.err()
	if err == nil {
		err = fmt.Errorf("not connected to Kafka at %s yet", strings.Join(p.cfg.Brokers, ","))
	}
	if p.cfg.Spool == "" {
		return err
	}
	switch stats := p.spool.Stats(); {
	case stats.MemoryFlows > 0:
		return fmt.Errorf("the spool in %s cannot be written, flows wait in memory: %w", p.cfg.Spool, err)
	case stats.Bytes > p.cfg.SpoolBytes-min(fullMargin, p.cfg.SpoolBytes/4):
		return fmt.Errorf("the spool in %s is full, the %s flows are dropped: %w", p.cfg.Spool, p.cfg.SpoolDrop, err)
	}
	return nil
}

// Err returns why flows cannot be delivered at present, to some partition or at
// all, or nil.
func (p *Producer) Err() error { return p.health.err() }
