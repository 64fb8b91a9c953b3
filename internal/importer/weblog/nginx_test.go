package weblog_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/capturetest"
	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/importertest"
	"github.com/leoluk/NetMeta/internal/importer/weblog"
	"github.com/leoluk/NetMeta/internal/proctest"
)

// ofDocs is the log_format that doc/import.md recommends.
const ofDocs = `$remote_addr $remote_port $server_addr $server_port [$time_local] $scheme $host ` +
	`"$request" $status $bytes_sent $request_length $request_time $ssl_protocol`

// startNginx runs nginx, which logs to dir, and returns its address.
func startNginx(t *testing.T, dir string) string {
	t.Helper()
	program := capturetest.Program(t, "nginx")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
	log_format netmeta '%[2]s';
	access_log %[1]s/access.log netmeta;
	access_log %[1]s/combined.log combined;
	server {
		listen %[3]s;
		location /ok { return 200 "0123456789"; }
		location /gone { return 410; }
	}
}`, dir, ofDocs, address)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-p", dir)
	proctest.EndWithParent(cmd)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatalf("nginx does not listen: %s", said.String())
		}
	}
}

// counted is a connection that counts what came from the server.
type counted struct {
	net.Conn
	n  *uint64
	mu *sync.Mutex
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.n += uint64(n)
	return n, err
}

// What is imported agrees with what clients got: each request once, every byte.
func TestLogsOfARealNginxAgreeWithItsClients(t *testing.T) {
	dir := t.TempDir()
	address := startNginx(t, dir)
	var received uint64
	var mu sync.Mutex
	client := &http.Client{Transport: &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return counted{c, &received, &mu}, err
		},
	}}
	const workers, each = 8, 250
	var load sync.WaitGroup
	for w := range workers {
		load.Go(func() {
			for i := range each {
				path := []string{"/ok/%d?q=%d", "/gone/%d", "/missing/%d/\"x\""}[i%3]
				if strings.Count(path, "%d") == 2 {
					path = fmt.Sprintf(path, w*each+i, i)
				} else {
					path = fmt.Sprintf(path, w*each+i)
				}
				res, err := client.Get("http://" + address + path)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
	}
	load.Wait()
	client.CloseIdleConnections()

	byStatus, bytes := map[string]int{}, uint64(0)
	for _, f := range imported(t, filepath.Join(dir, "access.log"), ofDocs, workers*each) {
		if f["HTTPMethod"] == nil {
			continue // the flow of the request
		}
		size, err := strconv.ParseUint(fmt.Sprint(f["Bytes"]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		bytes += size
		byStatus[fmt.Sprint(f["HTTPStatus"], " ", f["HTTPPath"])]++
		f.Want(t, "SrcAddr=127.0.0.1 DstAddr=127.0.0.1 SamplerAddress=127.0.0.1")
	}
	want := map[string]int{"200 /ok/*": workers * 84, "410 /gone/*": workers * 83, "404 /missing/*/%22x%22": workers * 83}
	if fmt.Sprint(byStatus) != fmt.Sprint(want) {
		t.Errorf("requests are %v, want %v", byStatus, want)
	}
	mu.Lock()
	defer mu.Unlock()
	if bytes != received {
		t.Errorf("the flows have %d bytes, clients got %d", bytes, received)
	}
	if flows := imported(t, filepath.Join(dir, "combined.log"), "", workers*each); len(flows) != workers*each {
		t.Errorf("the combined log has %d requests, want %d", len(flows), workers*each)
	}
}

// imported waits until the log has so many lines, as nginx logs after its answer, and
// imports it.
func imported(t *testing.T, path, format string, lines int) []importertest.Flow {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		content, _ := os.ReadFile(path)
		if n := bytes.Count(content, []byte{'\n'}); n >= lines {
			f, err := weblog.Format(weblog.Options{Format: format})
			if err != nil {
				t.Fatal(err)
			}
			flows, report := importertest.Decode(t, f, string(content))
			if report.Sent != uint64(lines) || len(report.Skipped) > 1 || report.Skipped[importer.Empty] != nil {
				t.Errorf("%d of %d lines are sent, %v", report.Sent, lines, importertest.Reasons(report))
			}
			return flows
		}
		if time.Now().After(end) {
			t.Fatalf("%s has too few lines", path)
		}
	}
}
