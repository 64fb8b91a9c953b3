//go:build linux

package process

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStateOfSocketsIsSummedByPort(t *testing.T) {
	const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 6094: 0100007F:2F18 00000000:0000 07 00000000:00000900 00:00000000 00000000     0        0 918001 2 00000000af510062 12
 6095: 0100007F:2F18 00000000:0000 07 00000000:00000001 00:00000000 00000000     0        0 918002 2 00000000af510063 30
10382: 0100007F:3FD8 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 917425 2 00000000e04751ba 7
`
	for _, test := range []struct {
		name string
		port int
		want Sockets
	}{
		{"several sockets at one port", 0x2f18, Sockets{Open: 2, Waiting: 0x901, Drops: 42}},
		{"one socket", 0x3fd8, Sockets{Open: 1, Drops: 7}},
		{"no socket", 1, Sockets{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseSockets(strings.NewReader(table), test.port)
			if err != nil || got != test.want {
				t.Errorf("%+v, error %v; want %+v", got, err, test.want)
			}
		})
	}
	if _, err := parseSockets(strings.NewReader("heading\n1: 0100007F:2F18\n"), 0x2f18); err == nil {
		t.Error("no error for a line that is cut off")
	}
}

func TestChildrenOfAProgramCountAsPartOfIt(t *testing.T) {
	var all []stat
	for _, line := range []string{
		"10 (nfacctd: Core) S 1 10 10 0 -1 4194560 100 200 0 0 50 30 2 1 20 0 1 0 100 0 0",
		"11 (a) odd (name)) S 10 10 10 0 -1 4194560 100 200 0 0 5 6 0 4 20 0 1 0 100 0 0",
		"12 (grandchild) R 11 10 10 0 -1 4194560 100 200 0 0 100 0 0 0 20 0 1 0 100 0 0",
		"13 (somebody else) S 1 10 10 0 -1 4194560 100 200 0 0 1000 1000 9 9 20 0 1 0 100 0 0",
	} {
		s, err := parseStat(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	want := []stat{{10, 1, 3}, {11, 10, 4}, {12, 11, 0}}
	if got := family(all, 10); !slices.Equal(got, want) {
		t.Errorf("family %v, want %v", got, want)
	}
	for _, line := range []string{"", "10 (cut", "10 (cut) S 1 2", "x (name) S 10 10 10 0 -1 4194560 100 200 0 0 5 6 0 0 20"} {
		if _, err := parseStat(line); err == nil {
			t.Errorf("no error for %q", line)
		}
	}
}

func TestProcessorTimeOfAProcessIsThatOfAllItsThreads(t *testing.T) {
	before, err := processClock(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const spent = 30 * time.Millisecond
	for range 2 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocks, so that the thread ends
			for began := threadTime(t); threadTime(t)-began < spent; {
			}
		}()
		<-done
	}
	after, err := processClock(os.Getpid())
	if err != nil || after-before < 2*spent {
		t.Errorf("%s counted, error %v, at least %s were spent", after-before, err, 2*spent)
	}
	if _, err := processClock(1 << 22); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

// threadTime is the processor time that this thread has used.
func threadTime(t *testing.T) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Error(err)
	}
	return time.Duration(now.Nano())
}

func TestMetricsAreSummedOverTheirSeries(t *testing.T) {
	const page = `# HELP flows_total Flows.
# TYPE flows_total counter
flows_total{type="data",version="9"} 2100
flows_total{type="data",version="10"} 1e+06
flows_total{type="template",version="9"} 7
flows_total_other 1
plain 5
`
	for _, test := range []struct {
		name, metric, label string
		want                int
	}{
		{"all series", "flows_total", "", 1_002_107},
		{"those with a label", "flows_total", `type="data"`, 1_002_100},
		{"one without labels", "plain", "", 5},
		{"one that is not there", "missing", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := sumMetric(strings.NewReader(page), test.metric, test.label); err != nil || got != test.want {
				t.Errorf("%d, error %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestMemoryOfAProcessIsThatOfTheKernel(t *testing.T) {
	m, err := parseMemory("Name:\tnetmeta\nVmPeak:\t  900000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t     512 kB\n")
	if want := (Memory{Resident: 1 << 20, Peak: 2 << 20}); err != nil || m != want {
		t.Errorf("%+v, error %v; want %+v", m, err, want)
	}
	for name, status := range map[string]string{
		"one that has ended": "Name:\tnetmeta\nState:\tZ (zombie)\n",
		"another unit":       "VmHWM:\t2 MB\nVmRSS:\t1 MB\n",
		"no number":          "VmHWM:\tmuch kB\nVmRSS:\t1 kB\n",
	} {
		if _, err := parseMemory(status); err == nil {
			t.Errorf("no error for %s", name)
		}
	}
}

func TestMetricsAreSummedByALabel(t *testing.T) {
	const page = `lost_total{listener="a",reason="full"} 3
lost_total{listener="b",reason="full"} 4
lost_total{listener="a",reason="closed"} 1
lost_total_other{reason="full"} 9
plain 5
`
	for _, test := range []struct {
		name, metric, label string
		want                []Count
	}{
		{"a label behind another", "lost_total", "reason", []Count{{"closed", 1}, {"full", 7}}},
		{"the first label", "lost_total", "listener", []Count{{"a", 4}, {"b", 4}}},
		{"no label asked for", "lost_total", "", []Count{{"", 8}}},
		{"one without labels", "plain", "reason", []Count{{"", 5}}},
		{"one that is not there", "missing", "reason", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := sumBy(strings.NewReader(page), test.metric, test.label); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%v, error %v; want %v", got, err, test.want)
			}
		})
	}
	if _, err := sumBy(strings.NewReader("plain many\n"), "plain", ""); err == nil {
		t.Error("no error for what is no number")
	}
}
