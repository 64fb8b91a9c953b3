// Package kafkatest runs a genuine Apache Kafka broker for tests in which an
// imitation would prove too little. scripts/kafka.sh installs and starts it.
package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/skiptest"
)

// startTimeout is ample for a Java process on a machine that builds at the same time.
const startTimeout = 2 * time.Minute

// Broker is a running Kafka of one node with its data in the test's directory. It is
// stopped when the test ends.
type Broker struct {
	Version string // of Apache Kafka

	t      testing.TB
	script string
	port   int
	dir    string
	args   []string // of the script, besides port and directory

	process *exec.Cmd
	output  *proctest.Output
	ended   chan struct{}
}

// Start runs a broker and returns its address when it answers, and a handle to kill
// and restart it. Where Kafka is not installed, the test is skipped, or fails if
// NETMETA_REQUIRE=all.
func Start(t testing.TB) (bootstrap string, broker *Broker) {
	t.Helper()
	b := start(t)
	return b.address(), b
}

func start(t testing.TB, args ...string) *Broker {
	t.Helper()
	b := &Broker{t: t, script: findScript(t), dir: t.TempDir(), port: freePort(t), args: args}
	version, err := exec.Command(b.script, "version").CombinedOutput()
	if err != nil {
		skiptest.Missing(t, fmt.Sprintf("no genuine Kafka: %s; run: scripts/kafka.sh install", bytes.TrimSpace(version)))
	}
	b.Version = strings.TrimSpace(string(version))
	b.Restart()
	t.Cleanup(b.Kill)
	return b
}

// Kill ends the broker as a power failure would (SIGKILL). It does nothing if the
// broker is not running.
func (b *Broker) Kill() {
	if b.process == nil {
		return
	}
	_ = b.process.Process.Kill() // fails only if it has ended
	<-b.ended
	b.process = nil
}

// Freeze has the broker do nothing, as when its disk hangs: connections stay open and
// nothing answers. Thaw ends that.
func (b *Broker) Freeze() { b.signal(syscall.SIGSTOP) }

// Thaw has a frozen broker go on.
func (b *Broker) Thaw() { b.signal(syscall.SIGCONT) }

func (b *Broker) signal(s syscall.Signal) {
	b.t.Helper()
	if err := b.process.Process.Signal(s); err != nil {
		b.t.Fatalf("signal %v to Kafka: %v", s, err)
	}
}

// Restart kills the broker if it runs, starts it on the same port with the same
// data, and returns when it answers.
func (b *Broker) Restart() {
	b.t.Helper()
	b.Kill()
	b.output = &proctest.Output{}
	b.ended = make(chan struct{})
	args := append([]string{"run", "--port", strconv.Itoa(b.port), "--dir", b.dir}, b.args...)
	b.process = exec.Command(b.script, args...)
	b.process.Stdout, b.process.Stderr = b.output, b.output
	proctest.EndWithParent(b.process)
	if err := b.process.Start(); err != nil {
		b.t.Fatalf("start Kafka: %v", err)
	}
	go func(p *exec.Cmd, ended chan struct{}) {
		_ = p.Wait() // it was killed
		close(ended)
	}(b.process, b.ended)
	b.waitUntilItAnswers()
}

func (b *Broker) waitUntilItAnswers() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := b.ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-b.ended:
			b.t.Fatalf("Kafka %s ended before it answered:\n%s", b.Version, b.output)
		case <-ctx.Done():
			b.t.Fatalf("Kafka %s does not answer at %s after %v: %v\n%s", b.Version, b.address(), startTimeout, err, b.output)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ask succeeds when the broker accepts requests and is registered with its controller.
func (b *Broker) ask(ctx context.Context) error {
	conn, err := kafka.DialContext(ctx, "tcp", b.address())
	if err != nil {
		return err
	}
	defer conn.Close()
	brokers, err := conn.Brokers()
	if err == nil && len(brokers) == 0 {
		err = errors.New("no broker is registered yet")
	}
	return err
}

func (b *Broker) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }

// startDir is the directory of the package that is tested. The embedded ClickHouse works
// in another one from its start on.
var startDir, startDirErr = os.Getwd()

func findScript(t testing.TB) string {
	t.Helper()
	if startDirErr != nil {
		t.Fatal(startDirErr)
	}
	for start, dir := startDir, startDir; ; dir = filepath.Dir(dir) {
		script := filepath.Join(dir, "scripts", "kafka.sh")
		if _, err := os.Stat(script); err == nil {
			return script
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no scripts/kafka.sh in %s or above", start)
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
