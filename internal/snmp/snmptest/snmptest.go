// Package snmptest gives tests a genuine SNMP agent, snmpd of Net-SNMP, which tells of the
// interfaces of this machine.
package snmptest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/internal/snmp"
)

// Community is what the agent wants to know by version 2c.
const Community = "test community"

// Version3 is how the agent at a port of 127.0.0.1 is asked by version 3.
func Version3(port uint16) settings.SNMP {
	return settings.SNMP{
		Version: "3", Port: port, Timeout: 5 * time.Second,
		User: "netmeta", AuthProtocol: "SHA256", AuthPassword: "authentication", PrivacyProtocol: "AES", PrivacyPassword: "privacy secret",
	}
}

const config = `agentAddress udp:127.0.0.1:%d
rocommunity "` + Community + `" 127.0.0.1
createUser netmeta SHA-256 "authentication" AES "privacy secret"
rouser netmeta priv
`

// Agent runs snmpd until the test ends, and returns its port on 127.0.0.1.
func Agent(t testing.TB) uint16 {
	t.Helper()
	program, err := exec.LookPath("snmpd")
	if err != nil {
		program = "/usr/sbin/snmpd" // which is not in everybody's PATH
	}
	dir, port := t.TempDir(), freePort(t)
	file := filepath.Join(dir, "snmpd.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-f", "-C", "-c", file, "-Lf", filepath.Join(dir, "log"))
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (scripts/test.sh installs snmpd)", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	how := settings.SNMP{Version: "2c", Community: Community, Port: port, Timeout: time.Second}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err = snmp.Interfaces(t.Context(), netip.MustParseAddr("127.0.0.1"), how); err == nil {
			return port
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("snmpd does not answer: %v\n%s", err, log)
		}
	}
}

func freePort(t testing.TB) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return uint16(conn.LocalAddr().(*net.UDPAddr).Port)
}
