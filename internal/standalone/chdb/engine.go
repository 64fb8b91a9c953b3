// Package chdb runs ClickHouse inside the process: it loads libchdb without cgo
// and offers queries that are isolated from each other, cancellable and streamed.
//
// There is one engine per process life. libchdb cannot be started again once
// it was stopped, so Open works once, and Close is final.
package chdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unsafe"
)

// Options change how the engine runs; the zero value is good for a small site.
type Options struct {
	// Settings are of the default profile ("max_partitions_per_insert_block"). They
	// hold for every query and for inserts that Kafka tables make in the background.
	// A name that ClickHouse does not know keeps the engine from starting. They
	// come on top of what NetMeta needs (config.go), and win over it.
	Settings map[string]string
	// Server are settings of the server ("max_server_memory_usage",
	// "background_pool_size"), likewise.
	Server map[string]string
	// MaxReaders is how many read-only queries run at once, default 16.
	MaxReaders int
	// MaxWriters is how many other queries run at once, default 8. They are
	// counted apart, so that people cannot starve ingestion and migrations.
	MaxWriters int
	// QueueTimeout is how long a query waits for its turn before it fails with
	// code 202, default 30 s.
	QueueTimeout time.Duration
}

// Engine is the running ClickHouse. Its methods may be called concurrently.
type Engine struct {
	lib     *library
	args    []string
	version string
	zone    string
	readers chan struct{}
	writers chan struct{}
	timeout time.Duration

	// keeper is never used by queries of others: it keeps the engine alive while
	// no query runs, since closing the last connection stops the engine, and it
	// kills queries.
	keeper   unsafe.Pointer
	keeperMu sync.Mutex

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	stop    context.Context
	stopAll context.CancelFunc
}

// process guards what exists once in a process.
var process struct {
	sync.Mutex
	opened bool
}

// ErrOpened is returned by a second Open in the same process.
var ErrOpened = errors.New("the engine was already opened in this process and cannot be opened again")

// errClosed is what queries get after Close.
var errClosed = &Error{Code: CodeAborted, Message: "The engine is stopped. (ABORTED)"}

// Open loads the library at lib and starts the engine on the directory dataDir,
// which is created if it does not exist. Tables found there continue where they
// stopped, Kafka consumers included, before Open returns.
//
// The process works in dataDir from then on: the engine writes a cache of message
// definitions into the working directory, whatever format_schema_path says, and
// Kafka tables read nothing where it cannot.
//
// It fails if the directory cannot be written, if another process has it open,
// and with ErrOpened the second time, even when the first engine was closed.
func Open(lib, dataDir string, options Options) (*Engine, error) {
	process.Lock()
	defer process.Unlock()
	if process.opened {
		return nil, ErrOpened
	}
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	args, err := prepare(dataDir, options)
	if err != nil {
		return nil, fmt.Errorf("open engine in %s: %w", dataDir, err)
	}
	if err := checkLibrary(lib); err != nil {
		return nil, fmt.Errorf("use libchdb %s: %w", lib, err)
	}
	library, err := bind(lib)
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(dataDir); err != nil {
		return nil, fmt.Errorf("work in %s: %w", dataDir, err)
	}
	process.opened = true
	e := &Engine{
		lib:     library,
		args:    args,
		readers: make(chan struct{}, orDefault(options.MaxReaders, 16)),
		writers: make(chan struct{}, orDefault(options.MaxWriters, 8)),
		timeout: orDefault(options.QueueTimeout, 30*time.Second),
	}
	e.stop, e.stopAll = context.WithCancel(context.Background())
	if e.keeper, err = library.open(args); err != nil {
		return nil, fmt.Errorf("start engine in %s: %w", dataDir, err)
	}
	if e.version, err = e.askKeeper("SELECT version()"); err != nil {
		return nil, fmt.Errorf("ask the engine for its version: %w", err)
	}
	if e.zone, err = e.askKeeper("SELECT timezone()"); err != nil {
		return nil, fmt.Errorf("ask the engine for its time zone: %w", err)
	}
	return e, nil
}

// Version is ClickHouse's version, for example "26.7.2.1".
func (e *Engine) Version() string { return e.version }

// Timezone is the time zone of DateTime columns without one of their own, for
// example "Europe/Berlin".
func (e *Engine) Timezone() string { return e.zone }

// Close cancels the queries that run, waits for them, and stops the engine with
// its Kafka consumers, which commit what they have stored. Further calls do nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	e.mu.Unlock()
	e.stopAll()
	e.running.Wait()
	e.keeperMu.Lock()
	defer e.keeperMu.Unlock()
	e.lib.closeConn(e.keeper)
	e.keeper = nil
}

// enter registers a query with Close and waits for its turn.
func (e *Engine) enter(ctx context.Context, readOnly bool) (leave func(), err error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, errClosed
	}
	e.running.Add(1)
	e.mu.Unlock()
	slots := e.writers
	if readOnly {
		slots = e.readers
	}
	timer := time.NewTimer(e.timeout)
	defer timer.Stop()
	select {
	case slots <- struct{}{}:
		return func() { <-slots; e.running.Done() }, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-e.stop.Done():
		err = errClosed
	case <-timer.C:
		err = &Error{Code: CodeTooManyQueries, Message: fmt.Sprintf(
			"Too many simultaneous queries: %d are running, waited %v for a turn. (TOO_MANY_SIMULTANEOUS_QUERIES)", cap(slots), e.timeout)}
	}
	e.running.Done()
	return nil, err
}

// askKeeper runs a query on the keeper connection and returns its first value.
func (e *Engine) askKeeper(query string) (string, error) {
	e.keeperMu.Lock()
	defer e.keeperMu.Unlock()
	result := e.lib.run(e.lib.query, e.keeper, []byte(query), "TabSeparatedRaw", nil)
	defer e.lib.resultFree(result)
	if err := e.lib.failure(result); err != nil {
		return "", err
	}
	value := e.lib.bytes(result)
	if n := len(value); n > 0 && value[n-1] == '\n' {
		value = value[:n-1]
	}
	return string(value), nil
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// prepare makes the data directory usable and returns the engine's arguments.
func prepare(dataDir string, options Options) ([]string, error) {
	if err := os.MkdirAll(dataDir, 0o750); err != nil {
		return nil, err
	}
	probe, err := os.CreateTemp(dataDir, ".writable-*")
	if err != nil {
		return nil, fmt.Errorf("the directory cannot be written: %w", err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return nil, err
	}
	config, err := writeConfig(dataDir, options)
	if err != nil {
		return nil, err
	}
	return []string{"--path=" + dataDir, "--config-file=" + config}, nil
}
