package snmp_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/leoluk/NetMeta/internal/settings"
	"github.com/leoluk/NetMeta/internal/snmp"
	"github.com/leoluk/NetMeta/internal/snmp/snmptest"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func TestGenuineAgentNamesTheInterfacesOfThisMachine(t *testing.T) {
	port := snmptest.Agent(t)
	file := filepath.Join(t.TempDir(), "community")
	if err := os.WriteFile(file, []byte(snmptest.Community+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := settings.SNMP{Port: port, Timeout: 5 * time.Second}
	for name, change := range map[string]func(*settings.SNMP){
		"version 2c":                 func(s *settings.SNMP) { s.Version, s.Community = "2c", snmptest.Community },
		"version 2c, out of a file":  func(s *settings.SNMP) { s.Version, s.CommunityFile = "2c", file },
		"version 3, SHA-256 and AES": func(s *settings.SNMP) { *s = snmptest.Version3(port) },
	} {
		t.Run(name, func(t *testing.T) {
			how := base
			change(&how)
			found, err := snmp.Interfaces(t.Context(), loopback, how)
			if err != nil {
				t.Fatal(err)
			}
			all, err := net.Interfaces()
			if err != nil || len(all) == 0 {
				t.Fatalf("interfaces of this machine: %v, %v", all, err)
			}
			for _, i := range all {
				if got := found[uint32(i.Index)].Name; got != i.Name {
					t.Errorf("interface %d is called %q, want %q", i.Index, got, i.Name)
				}
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		how := snmptest.Version3(port)
		how.AuthPassword = "something else"
		if _, err := snmp.Interfaces(t.Context(), loopback, how); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
			t.Error(err)
		}
	})
}

// liar answers GetBulk requests with what says tells.
func liar(t *testing.T, says func(oid string) []gosnmp.SnmpPDU) settings.SNMP {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		decoder := &gosnmp.GoSNMP{Version: gosnmp.Version2c}
		buffer := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDP(buffer)
			if err != nil {
				return
			}
			request, err := decoder.SnmpDecodePacket(buffer[:n])
			if err != nil {
				continue
			}
			request.PDUType, request.NonRepeaters, request.MaxRepetitions = gosnmp.GetResponse, 0, 0
			request.Variables = says(request.Variables[0].Name)
			if request.Variables == nil {
				conn.WriteToUDP([]byte("\x30\x84\xff\xff\xff\xff\x02\x01"), from)
				continue
			}
			if answer, err := request.MarshalMsg(); err == nil {
				conn.WriteToUDP(answer, from)
			}
		}
	}()
	return settings.SNMP{Version: "2c", Community: "public", Port: uint16(conn.LocalAddr().(*net.UDPAddr).Port), Timeout: 100 * time.Millisecond}
}

const ifName = ".1.3.6.1.2.1.31.1.1.1.1"

func named(index any, name string) gosnmp.SnmpPDU {
	return gosnmp.SnmpPDU{Name: fmt.Sprintf("%s.%v", ifName, index), Type: gosnmp.OctetString, Value: []byte(name)}
}

func TestAgentThatLiesIsRefused(t *testing.T) {
	calls := 0
	for name, c := range map[string]struct {
		says func(string) []gosnmp.SnmpPDU
		want string
	}{
		"goes round in circles": {func(string) []gosnmp.SnmpPDU { return []gosnmp.SnmpPDU{named(2, "b"), named(1, "a")} }, "after"},
		"has no end": {func(string) []gosnmp.SnmpPDU {
			var all []gosnmp.SnmpPDU
			for range 100 {
				calls++
				all = append(all, named(calls, "x"))
			}
			return all
		}, "more than 50000 interfaces"},
		"has an index of two parts": {func(string) []gosnmp.SnmpPDU { return []gosnmp.SnmpPDU{named("1.2", "a")} }, `"1.2" is no ifIndex`},
		"has nothing": {func(oid string) []gosnmp.SnmpPDU {
			return []gosnmp.SnmpPDU{{Name: ".1.3.6.1.9.1", Type: gosnmp.EndOfMibView}}
		}, "tells of no interface"},
		"sends garbage": {func(string) []gosnmp.SnmpPDU { return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := snmp.Interfaces(t.Context(), loopback, liar(t, c.says))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%d interfaces, %v, want an error that contains %q", len(found), err, c.want)
			}
		})
	}
}

func TestWhatIsNoNameIsNone(t *testing.T) {
	found, err := snmp.Interfaces(t.Context(), loopback, liar(t, func(oid string) []gosnmp.SnmpPDU {
		last := ".1.3.6.1.9.1"
		if oid == ifName {
			return []gosnmp.SnmpPDU{named(1, "a\x00\xff"), {Name: ifName + ".2", Type: gosnmp.Integer, Value: 7}, {Name: last, Type: gosnmp.EndOfMibView}}
		}
		if strings.HasSuffix(oid, ".1.15") {
			return []gosnmp.SnmpPDU{{Name: oid + ".1", Type: gosnmp.Integer, Value: -5}, {Name: oid + ".2", Type: gosnmp.Gauge32, Value: uint32(10_000)}, {Name: last, Type: gosnmp.EndOfMibView}}
		}
		return []gosnmp.SnmpPDU{{Name: last, Type: gosnmp.EndOfMibView}}
	}))
	if err != nil || len(found) != 2 || found[1] != (snmp.Interface{Name: "a\x00\xff"}) || found[2] != (snmp.Interface{Speed: 10_000_000_000}) {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestAgentThatDoesNotAnswerIsGivenUp(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port, _ := strconv.ParseUint(strings.TrimPrefix(conn.LocalAddr().String(), "127.0.0.1:"), 10, 16)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	how := settings.SNMP{Version: "2c", Community: "public", Port: uint16(port), Timeout: time.Hour}
	if _, err := snmp.Interfaces(ctx, loopback, how); err == nil {
		t.Error("no error")
	}
}

func TestFileOfTheCommunityThatIsMissingIsNamed(t *testing.T) {
	_, err := snmp.Interfaces(t.Context(), loopback, settings.SNMP{Version: "2c", CommunityFile: "/does/not/exist"})
	if err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Error(err)
	}
}
