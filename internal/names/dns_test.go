package names_test

import (
	"context"
	"database/sql"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leoluk/NetMeta/internal/names"
)

// dns answers questions for the names of addresses, in the form of in-addr.arpa; others
// have none. It counts the questions.
func dns(t *testing.T, hosts map[string]string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var asked atomic.Int64
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			asked.Add(1)
			m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeNameError, nil
			if name, ok := hosts[m.Questions[0].Name.String()]; ok {
				m.RCode = dnsmessage.RCodeSuccess
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
					Body:   &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, &asked
}

func dnsNames(t *testing.T, db, reader *sql.DB) {
	if _, err := db.ExecContext(t.Context(), "INSERT INTO flows_raw (TimeReceived, SrcAddr, DstAddr, Bytes) VALUES (now(), '::ffff:198.51.100.7', '::ffff:203.0.113.1', 1), (now(), '::ffff:198.51.100.8', '::ffff:198.51.100.9', 1)"); err != nil {
		t.Fatal(err)
	}
	resolver, asked := dns(t, map[string]string{"7.100.51.198.in-addr.arpa.": "www.example.com.", "9.100.51.198.in-addr.arpa.": "of.the.dns.", "1.113.0.203.in-addr.arpa.": "of.others."})
	file := filepath.Join(t.TempDir(), "names.cue")
	write(t, file, `hosts: "198.51.100.9": "of the settings"`)
	s := start(t, names.Config{DB: db, File: file, Resolver: resolver})
	now := time.Now()
	s.Step(t.Context(), now)
	if asked.Load() != 0 {
		t.Fatal("the DNS was asked although nobody wants it")
	}
	write(t, file, `hosts: "198.51.100.9": "of the settings", reverseDNS: {networks: ["198.51.100.0/24"], queriesPerSecond: 100}`)
	const all = "SELECT arrayStringConcat(groupArray(concat(addressToString(Address), ' ', Name, ' ', Source)), ', ') FROM (SELECT * FROM host_names ORDER BY Address)"
	const want = "198.51.100.7 www.example.com dns, 198.51.100.9 of the settings settings"
	for deadline := time.Now().Add(time.Minute); ask(t, reader, all) != want; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s, want %s", ask(t, reader, all), want)
		}
		now = now.Add(time.Minute)
		s.Step(t.Context(), now)
	}
	// What is known, or known to have no name, is not asked for again.
	before := asked.Load()
	for range 3 {
		now = now.Add(time.Minute)
		s.Step(t.Context(), now)
	}
	if asked.Load() != before || before > 8 {
		t.Errorf("the DNS was asked %d times, and then %d times more", before, asked.Load()-before)
	}
	// Nor after a restart.
	s = start(t, names.Config{DB: db, File: file, Resolver: resolver})
	s.Step(t.Context(), time.Now())
	if got := ask(t, reader, all); !strings.Contains(got, "www.example.com") {
		t.Error(got)
	}
}
