package replay

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// listen opens a UDP socket and returns it with its port.
func listen(t *testing.T) (net.PacketConn, uint16) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket, uint16(socket.LocalAddr().(*net.UDPAddr).Port)
}

// receive returns the length of the next datagram.
func receive(t *testing.T, socket net.PacketConn) int {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := socket.ReadFrom(make([]byte, 2000))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDatagramsGoToThePortOfTheirProtocol(t *testing.T) {
	sflow, sflowPort := listen(t)
	netflow, netflowPort := listen(t)
	legacy, legacyPort := listen(t)
	path := writePcap(t, layers.LinkTypeEthernet,
		packetV4(t, sflowPayload(100)), packetV4(t, netflow5(1)), packetV4(t, ipfix(40)), packetV4(t, []byte("else")))
	ports := Ports{SFlow: sflowPort, NetFlow: netflowPort, NetFlowLegacy: legacyPort}
	report, err := Run(context.Background(), Options{To: "127.0.0.1:auto", Ports: ports, Rate: 1e6}, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if got := []int{receive(t, sflow), receive(t, legacy), receive(t, netflow)}; !slices.Equal(got, []int{100, 72, 40}) {
		t.Errorf("datagrams of %v bytes arrived, want 100 of sFlow, 72 of NetFlow v5 and 40 of IPFIX", got)
	}
	got, err := json.Marshal(report.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"path":"` + path + `","datagrams":3,"bytes":212,"protocols":{"ipfix":1,"netflow5":1,"sflow":1},"skipped":1}`
	if string(got) != want {
		t.Errorf("report %s\nwant   %s", got, want)
	}
}

func TestEverythingGoesToAGivenPort(t *testing.T) {
	socket, _ := listen(t)
	path := writePcap(t, layers.LinkTypeEthernet, packetV4(t, sflowPayload(100)), packetV4(t, []byte("else")))
	report, err := Run(context.Background(), Options{To: socket.LocalAddr().String(), Rate: 1e6}, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if first, second := receive(t, socket), receive(t, socket); first != 100 || second != 4 {
		t.Errorf("datagrams of %d and %d bytes arrived, want 100 and 4", first, second)
	}
	if file := report.Files[0]; file.Datagrams != 2 || file.Protocols[Other] != 1 {
		t.Errorf("report %+v, want two datagrams, one of no known protocol", file)
	}
}

func TestAFileThatBreaksOffIsNoFailure(t *testing.T) {
	socket, _ := listen(t)
	whole := writePcap(t, layers.LinkTypeEthernet, packetV4(t, sflowPayload(100)), packetV4(t, sflowPayload(100)))
	info, err := os.Stat(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(whole, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	options := Options{To: socket.LocalAddr().String(), Rate: 1e6}
	report, err := Run(context.Background(), options, []string{whole})
	if err != nil {
		t.Fatal(err)
	}
	if file := report.Files[0]; file.Datagrams != 1 || !strings.Contains(file.Error, "packet 2") {
		t.Errorf("report %+v, want one datagram and why there are no more", file)
	}

	empty := writeFile(t, "empty.dat", nil)
	report, err = Run(context.Background(), options, []string{empty, whole})
	if err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("error %v, want one about %s", err, empty)
	}
	if len(report.Files) != 2 || report.Files[1].Datagrams != 1 {
		t.Errorf("report %+v, want the second file to be sent all the same", report)
	}
}

func TestReplayEndsWithItsContext(t *testing.T) {
	socket, _ := listen(t)
	path := writePcap(t, layers.LinkTypeEthernet, packetV4(t, sflowPayload(100)), packetV4(t, sflowPayload(100)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		// The second datagram is due a day after the first.
		defer cancel()
		_, _, _ = socket.ReadFrom(make([]byte, 2000))
	}()
	report, err := Run(ctx, Options{To: socket.LocalAddr().String(), Rate: 1, Speed: 1.0 / 86400}, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if report.Files[0].Datagrams != 1 {
		t.Errorf("%d datagrams sent, want 1", report.Files[0].Datagrams)
	}
}

func TestFileClockKeepsTheDistancesOfTheCapture(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		speed float64
		want  time.Duration // from the first to one that was captured 10 s later
	}{
		{"as captured", 1, 10 * time.Second},
		{"ten times as fast", 10, time.Second},
		{"half as fast", 0.5, 20 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c fileClock
			if due := c.due(captureStart, now, test.speed); !due.Equal(now) {
				t.Errorf("the first is due at %s, want at once", due)
			}
			due := c.due(captureStart.Add(10*time.Second), now.Add(time.Millisecond), test.speed)
			if got := due.Sub(now); got != test.want {
				t.Errorf("due after %s, want %s", got, test.want)
			}
		})
	}
}

func TestRateClockSpreadsAndDoesNotCatchUp(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var c rateClock
	const rate = 100
	asked := []time.Duration{0, 0, 0, time.Second, time.Second}
	want := []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond, time.Second, 1010 * time.Millisecond}
	for i := range asked {
		if got := c.due(start.Add(asked[i]), rate).Sub(start); got != want[i] {
			t.Errorf("datagram %d, asked for at %s, is due at %s, want %s", i, asked[i], got, want[i])
		}
	}
}

func TestTemplatesGoInFrontOfTheirData(t *testing.T) {
	tests := []struct {
		name        string
		files, want string
	}{
		{"in front of the data of the same device", "a_data256 a_tpl b_data1 b_tpl", "a_tpl a_data256 b_tpl b_data1"},
		{"all of a device's", "a_data a_tpl1 a_opttpl2", "a_tpl1 a_opttpl2 a_data"},
		{"nobody's in front of everything", "a.pcap x_data y_tpl", "y_tpl a.pcap x_data"},
		{"the rest in the given order", "b.pcap a.pcap", "b.pcap a.pcap"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(templatesFirst(strings.Fields(test.files)), " "); got != test.want {
				t.Errorf("order %s, want %s", got, test.want)
			}
		})
	}
}

func TestDirectoriesStandForTheirCaptures(t *testing.T) {
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.pcap", "notes.txt", "sub/v9_data.dat", "sub/v9_tpl.dat"} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte{1}, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files([]string{directory})
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range files {
		files[i], err = filepath.Rel(directory, path)
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(files, " "); got != "a.pcap sub/v9_tpl.dat sub/v9_data.dat" {
		t.Errorf("files %s", got)
	}
	if _, err := Files([]string{t.TempDir()}); err == nil {
		t.Error("no error for a directory without captures")
	}
	if _, err := Files([]string{filepath.Join(directory, "missing")}); err == nil {
		t.Error("no error for a path that does not exist")
	}
}

func TestTargets(t *testing.T) {
	tests := []struct {
		to   string
		host string
		port uint16
		ok   bool
	}{
		{"192.0.2.1:2055", "192.0.2.1", 2055, true},
		{"192.0.2.1", "192.0.2.1", 0, true},
		{"192.0.2.1:auto", "192.0.2.1", 0, true},
		{"collector.example", "collector.example", 0, true},
		{"auto", "127.0.0.1", 0, true},
		{":auto", "127.0.0.1", 0, true},
		{"2001:db8::1", "2001:db8::1", 0, true},
		{"[2001:db8::1]", "2001:db8::1", 0, true},
		{"[2001:db8::1]:2055", "2001:db8::1", 2055, true},
		{"192.0.2.1:0", "", 0, false},
		{"192.0.2.1:netflow", "", 0, false},
		{"192.0.2.1:99999", "", 0, false},
	}
	for _, test := range tests {
		t.Run(test.to, func(t *testing.T) {
			host, port, err := splitTarget(test.to)
			if (err == nil) != test.ok || host != test.host || port != test.port {
				t.Errorf("host %q, port %d, error %v; want %q, %d", host, port, err, test.host, test.port)
			}
		})
	}
}
