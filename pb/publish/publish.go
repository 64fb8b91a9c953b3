// Package publish is for programs that send flows to NetMeta: it puts FlowMessages into
// Kafka, many in a message, so that each is stored once, also while Kafka is away for a
// while.
//
//	p, err := publish.Open(publish.Config{Brokers: []string{"127.0.0.1:9092"}})
//	if err != nil {
//		return err
//	}
//	for flow := range flows {
//		if err := p.Send(ctx, flow); err != nil {
//			log.Print(err) // this flow is refused; go on with the next
//		}
//	}
//	return p.Close(ctx)
//
// Who has another way to Kafka needs package pb alone, and what doc/developer.md says of
// the framing.
package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/validate"
)

// Security is how to connect to brokers that do not let everybody in: TLS, and a name
// with a password. The zero value is plain text without a password.
type Security = queue.Security

// Config says where flows go and how they wait. Only Brokers is needed.
type Config struct {
	Brokers  []string // host:port of at least one broker; the others are found through it
	Topic    string   // default flow-messages
	Security Security

	// Spool is a directory for flows that wait for Kafka. They outlive the process there.
	// It belongs to one process at a time. Without it, flows wait in memory.
	Spool string

	// Memory is how many bytes of flows may wait; default 64 MiB. Without a spool, Send
	// waits where more would; a spool that is full drops its oldest flows, and counts them.
	Memory int

	// Linger is the longest that a flow waits for others to fill a message with; default
	// 200 ms.
	Linger time.Duration

	// Doubtful makes Send refuse also what validate.Flow calls doubtful: for tests.
	Doubtful bool

	Logger *slog.Logger // default slog.Default()
}

// Publisher sends flows. Its methods may be called from any goroutine.
type Publisher struct {
	producer *queue.Producer
	doubtful bool
	memory   int

	mu      sync.Mutex
	writer  *queue.Writer
	encoded encoded // the present flow
	waiting int     // bytes appended since the last Flush, while there is no spool
	spooled bool
}

// Open checks the configuration and begins to connect. That Kafka cannot be reached is no
// error here: it is logged and tried again, and flows wait.
func Open(cfg Config) (*Publisher, error) {
	if cfg.Topic == "" {
		cfg.Topic = flow.Topic
	}
	producer, err := queue.Open(queue.Config{
		Brokers: cfg.Brokers, Topic: cfg.Topic, Security: cfg.Security,
		Spool: cfg.Spool, Buffer: cfg.Memory, Linger: cfg.Linger, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	p := &Publisher{producer: producer, doubtful: cfg.Doubtful, memory: cfg.Memory, spooled: cfg.Spool != ""}
	if p.memory == 0 {
		p.memory = defaultMemory
	}
	p.writer = producer.NewWriter()
	return p, nil
}

const defaultMemory = 64 << 20

// MaxBytes is the longest FlowMessage that Send takes, in its encoded form.
const MaxBytes = flow.MaxEncodedSize - 3 // its length takes at most three bytes

// RefusedError is what Send returns for a flow that ClickHouse would not store, or not as
// it is.
type RefusedError struct {
	Problems []validate.Problem
}

func (e *RefusedError) Error() string {
	text := "flow refused"
	for _, p := range e.Problems {
		text += "; " + p.String()
	}
	return text
}

// Send takes a flow, which may be reused at once. It refuses with a *RefusedError what is
// lost or wrong by [validate.Flow]: that flow is not sent, all others are. It waits where
// Kafka takes less than comes, until ctx ends: then the flow is not sent either.
func (p *Publisher) Send(ctx context.Context, m *pb.FlowMessage) error {
	if err := p.check(m); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if p.encoded, err = (proto.MarshalOptions{}).MarshalAppend(p.encoded[:0], m); err != nil {
		return fmt.Errorf("flow refused: %w", err)
	}
	size := len(p.encoded)
	if size > MaxBytes {
		return fmt.Errorf("flow refused: it takes %d bytes, and %d are the most; shorten ASPath, Communities or ApplicationName", size, MaxBytes)
	}
	// Half of the memory is for what Kafka has not acknowledged of earlier flows.
	if p.waiting+size > p.memory/2 && !p.spooled {
		if err := p.producer.Flush(ctx); err != nil {
			return fmt.Errorf("flow not sent: %w", errors.Join(err, p.producer.Err()))
		}
		p.waiting = 0
	}
	p.waiting += size
	p.writer.Append(&p.encoded)
	return nil
}

func (p *Publisher) check(m *pb.FlowMessage) error {
	var refused []validate.Problem
	for _, problem := range validate.Flow(m, time.Now()) {
		if p.doubtful || problem.Severity != validate.Doubtful {
			refused = append(refused, problem)
		}
	}
	if refused == nil {
		return nil
	}
	return &RefusedError{refused}
}

// Flush waits until Kafka has acknowledged all that was sent, or until ctx ends.
func (p *Publisher) Flush(ctx context.Context) error { return p.producer.Flush(ctx) }

// Err returns why flows cannot be delivered at present, or nil.
func (p *Publisher) Err() error { return p.producer.Err() }

// Close delivers what was sent and waits for Kafka's acknowledgement until ctx ends. The
// error says how many flows were not delivered. Those in the spool are not lost: the next
// process with the same spool delivers them.
func (p *Publisher) Close(ctx context.Context) error { return p.producer.Close(ctx) }

// encoded is a FlowMessage in its encoded form.
type encoded []byte

// AppendDelimited implements flow.Message.
func (e *encoded) AppendDelimited(b []byte) []byte { return protowire.AppendBytes(b, *e) }
