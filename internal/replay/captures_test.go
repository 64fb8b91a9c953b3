package replay

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sharedCaptures returns the directory of real captures, whose INDEX.md says what is
// in them, or skips the test.
func sharedCaptures(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("NETMETA_SHARED")
	if shared == "" && os.Getenv("NETMETA_REQUIRE") == "all" {
		t.Fatal("NETMETA_SHARED is not set")
	}
	if shared == "" {
		t.Skip("NETMETA_SHARED is not set: no real captures")
	}
	return filepath.Join(shared, "captures")
}

// indexed is one line of INDEX.md.
type indexed struct {
	path      string
	protocols string // of its datagrams, as INDEX.md names them
	datagrams int
	bytes     int
}

// readIndex returns the captures that INDEX.md lists: a heading for each directory,
// then a table whose first columns are file, protocol, vendor, datagrams, bytes.
func readIndex(t *testing.T, directory string) []indexed {
	t.Helper()
	file, err := os.Open(filepath.Join(directory, "INDEX.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var captures []indexed
	section := ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if heading, ok := strings.CutPrefix(lines.Text(), "## "); ok {
			section = heading
			continue
		}
		columns := strings.Split(lines.Text(), "|")
		if len(columns) < 10 {
			continue
		}
		for i := range columns {
			columns[i] = strings.TrimSpace(columns[i])
		}
		datagrams, err := strconv.Atoi(columns[4])
		if err != nil {
			continue // the heading of the table
		}
		bytes, err := strconv.Atoi(columns[5])
		if err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		path := filepath.Join(directory, section, columns[1])
		captures = append(captures, indexed{path, columns[2], datagrams, bytes})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return captures
}

var indexNames = map[Protocol]string{SFlow: "sflow5", NetFlow5: "nf5", NetFlow9: "nf9", IPFIX: "ipfix"}

func TestRealCapturesHaveTheirDatagrams(t *testing.T) {
	directory := sharedCaptures(t)
	captures := readIndex(t, directory)
	if len(captures) < 100 {
		t.Fatalf("INDEX.md lists %d captures, want more than 100", len(captures))
	}
	for _, capture := range captures {
		name, err := filepath.Rel(directory, capture.path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			datagrams, bytes := 0, 0
			for d, err := range Datagrams(capture.path) {
				if err != nil {
					t.Fatal(err)
				}
				datagrams++
				bytes += len(d.Payload)
				if !strings.Contains(capture.protocols, indexNames[d.Protocol]) {
					t.Errorf("a datagram was taken for %s in a capture of %s: % x", d.Protocol, capture.protocols, d.Payload[:8])
				}
			}
			if datagrams != capture.datagrams || bytes != capture.bytes {
				t.Errorf("%d datagrams of %d bytes, want %d of %d", datagrams, bytes, capture.datagrams, capture.bytes)
			}
		})
	}
}
