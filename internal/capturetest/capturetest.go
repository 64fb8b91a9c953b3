// Package capturetest finds captures of real exporters for tests. They are not part of
// the repository: the environment variable NETMETA_SHARED names the directory that
// has them below captures/, with an INDEX.md that says what is in them.
package capturetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/skiptest"
)

// Capture is a row of INDEX.md: a file with datagrams of one exporter, and what
// another decoder found in it.
type Capture struct {
	Path      string // of the file
	Protocols string // of its datagrams, of sflow5, nf5, nf9 and ipfix, separated by spaces
	Datagrams int
	Bytes     int // of the datagrams
	Records   int // of flows

	// Templates, of flows or options, are in the file; Missing data sets have no
	// template, neither in the file nor in those of the same Device.
	Templates int
	Missing   int
}

// Dir returns the directory of the captures. Where there is none the test is skipped,
// or fails if NETMETA_REQUIRE=all.
func Dir(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("NETMETA_SHARED")
	if shared == "" {
		skiptest.Missing(t, "NETMETA_SHARED does not name the directory above the captures")
	}
	return filepath.Join(shared, "captures")
}

// Program returns the path of a program that the test asks for its opinion, or skips
// the test as Dir does.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skiptest.Missing(t, name+" is not installed")
	}
	return path
}

// fewest is what INDEX.md must list for a test to mean anything.
const fewest = 150

// All returns the captures in the order of INDEX.md, or skips the test as Dir does.
func All(t testing.TB) []Capture {
	t.Helper()
	dir := Dir(t)
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.md"))
	if err != nil {
		t.Fatal(err)
	}
	var captures []Capture
	section := ""
	for line := range strings.Lines(string(index)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(name)
		}
		c, ok, err := parseRow(line)
		if err != nil {
			t.Fatalf("INDEX.md: %s: %v", line, err)
		}
		if ok {
			c.Path = filepath.Join(dir, section, c.Path)
			captures = append(captures, c)
		}
	}
	if len(captures) < fewest {
		t.Fatalf("INDEX.md lists %d captures, want at least %d: is it read right?", len(captures), fewest)
	}
	return captures
}

// Of returns the captures that hold datagrams of one of the protocols, or skips the
// test as Dir does.
func Of(t testing.TB, protocols ...string) []Capture {
	t.Helper()
	var found []Capture
	for _, c := range All(t) {
		for _, p := range protocols {
			if strings.Contains(c.Protocols, p) {
				found = append(found, c)
				break
			}
		}
	}
	return found
}

// row: file, protocols, device, datagrams, bytes, rec, ctr, tpl/opt/optdata, missTpl.
var row = regexp.MustCompile(`^\| (\S+) \| ([^|]*(?:nf\d|ipfix|sflow)[^|]*) \|[^|]*\| (\d+ \| \d+ \| \d+) \| \d+ \| (\d+/\d+)/\d+ \| (\d+) \|`)

func parseRow(line string) (c Capture, ok bool, err error) {
	columns := row.FindStringSubmatch(line)
	if columns == nil {
		return c, false, nil
	}
	c.Path, c.Protocols = columns[1], strings.TrimSpace(columns[2])
	var options int
	_, err = fmt.Sscanf(strings.Join(columns[3:], " "), "%d | %d | %d %d/%d %d",
		&c.Datagrams, &c.Bytes, &c.Records, &c.Templates, &options, &c.Missing)
	c.Templates += options
	return c, true, err
}

// deviceEnd is where the names of the files of one device stop being the same.
var deviceEnd = regexp.MustCompile(`(_|\.)(opttpl|tpls?|data|payload|template|init).*|[-_]?\d*\.(bin|dat|pcap)$`)

// Device is the same for all captures of one exporter. Their template ids do not
// collide, and some hold the templates of others.
func (c *Capture) Device() string { return deviceEnd.ReplaceAllString(c.Path, "") }

// contradictory captures are NetFlow v5 with a count of more records than there are.
// There are 30.
var contradictory = map[string]bool{"netflow5_test_invalid01.dat": true, "netflow5_test_invalid02.dat": true}

// Readable is how many records a decoder finds at the least, given the templates of
// the device: those of another decoder, unless that one invented some. Then they are
// exact.
func (c *Capture) Readable() (records int, exact bool) {
	if contradictory[filepath.Base(c.Path)] {
		return 30, true
	}
	return c.Records, false
}
