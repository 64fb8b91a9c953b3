// Package broker runs a Kafka-protocol broker inside the process, with its data
// on disk. It takes the place of Kafka for a single machine: one node, no
// replication, but the real protocol, so that producers and ClickHouse's Kafka
// engine are the same as in a cluster.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

// Options say where the broker listens and what it keeps.
type Options struct {
	// Address is "host:port". The port must be fixed for consumers to find the
	// broker again after a restart; 0 is for tests. The host is also what clients
	// are told to connect to, so it cannot be empty or 0.0.0.0.
	Address string
	// DataDir holds topics, records and group offsets; it is created if needed.
	DataDir string
	// Topics are created where they do not exist.
	Topics []Topic

	free func() (uint64, error) // space on the disk in bytes, for tests
}

// maxBatchBytes is how much one batch of records may have. Kafka refuses what is larger
// than 1 MiB unless told otherwise; here, a program that puts more into a message finds it
// stored, or in flows_errors, instead of in its own error messages.
const maxBatchBytes = 16 << 20

// Broker is a running broker.
type Broker struct {
	cluster  *kfake.Cluster
	client   *kgo.Client // of itself
	sessions *sessions
	space    *space
	address  string
	lock     *os.File
	once     sync.Once
}

// Start opens the data directory and accepts connections. A batch that was only
// half written when the process was killed is cut off and logged; everything
// before it is served.
//
// While less than 128 MiB of the disk are free, records are refused with
// KAFKA_STORAGE_ERROR; producers try again.
//
// Batches are not flushed to the disk one by one. The operating system has them
// when the producer is told so, which is enough for a crash of the process; a
// power failure can lose the last seconds, which the exporters' datagrams of
// that time are lost with anyway. Flushing each batch (kfake.SyncWrites) made an
// acknowledged message of 500 flows take 1.3 ms instead of 0.4 ms on an SSD, and
// would take tens of milliseconds on the disks of small machines.
func Start(ctx context.Context, options Options) (*Broker, error) {
	host, err := splitAddress(options.Address)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(options.DataDir)
	if err != nil {
		return nil, fmt.Errorf("open the broker's data directory %s: %w", options.DataDir, err)
	}
	if err := forgetSessions(options.DataDir); err != nil {
		lock.Close()
		return nil, fmt.Errorf("forget who was connected to the broker in %s: %w", options.DataDir, err)
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		lock.Close()
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("listen for Kafka clients on %s: the port is taken, choose another one or stop what listens there: %w", options.Address, err)
		}
		return nil, fmt.Errorf("listen for Kafka clients on %s: %w", options.Address, err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return listener, nil }),
		kfake.DataDir(options.DataDir),
		kfake.WithLogger(logger{}),
		kfake.BrokerConfigs(map[string]string{
			// Retention is applied each minute instead of each hour, so that the disk
			// usage stays close to what was asked for.
			"log.cleaner.backoff.ms": "60000",
			"message.max.bytes":      strconv.Itoa(maxBatchBytes),
		}),
	)
	if err != nil {
		listener.Close()
		lock.Close()
		return nil, fmt.Errorf("read the broker's data in %s: %w; restore the named file from a backup, or move the directory away to start with an empty one "+
			"(flows that ClickHouse has not stored yet are then lost)", options.DataDir, err)
	}
	space := newSpace(options.DataDir)
	if options.free != nil {
		space.free = options.free
	}
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return space.control(request)
	})
	b := &Broker{cluster: cluster, space: space, lock: lock, address: net.JoinHostPort(host, strconv.Itoa(port))}
	b.client, err = kgo.NewClient(kgo.SeedBrokers(b.address), kgo.RetryTimeout(10*time.Second))
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("connect to the embedded broker on %s: %w", b.address, err)
	}
	b.sessions = watchSessions(cluster, b.client)
	if err := ensureTopics(ctx, b.client, options.Topics); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Address is where clients connect, "host:port".
func (b *Broker) Address() string { return b.address }

// Full reports whether records are refused because the disk is almost full.
func (b *Broker) Full() bool { return b.space.isShort() }

// Close stops the broker and flushes its data. Further calls do nothing.
func (b *Broker) Close() {
	b.once.Do(func() {
		if b.sessions != nil {
			b.sessions.stop()
			b.client.Close()
		}
		b.cluster.Close()
		b.lock.Close()
	})
}

// splitAddress returns the host of address if it is one that clients can be told.
func splitAddress(address string) (host string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("kafka address %q: want host:port: %w", address, err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("kafka address %q: port %q is not a number from 0 to 65535", address, port)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "", fmt.Errorf("kafka address %q: name one address, clients are told to connect to it", address)
	}
	return host, nil
}

// lockDir creates dir and keeps other processes from using it at the same time,
// which would mix the records of both. The lock goes with the process.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("it cannot be written: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another process uses it: %w", err)
	}
	return lock, nil
}

// logger passes kfake's warnings on.
type logger struct{}

// Logf implements kfake.Logger.
func (logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		slog.Error("broker: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		slog.Warn("broker: " + fmt.Sprintf(format, args...))
	}
}
