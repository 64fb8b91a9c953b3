package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

func TestTheSameSeedSendsTheSameBytes(t *testing.T) {
	for _, protocol := range Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			var runs [2]wire
			for i := range runs {
				o := testOptions(protocol, &runs[i])
				o.Flows, o.Rate = 2000, MaxRate
				if _, err := Run(context.Background(), o); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(runs[0].bytes(), runs[1].bytes()) {
				t.Error("two runs of one seed differ")
			}
			other := &wire{}
			o := testOptions(protocol, other)
			o.Flows, o.Seed = 2000, 8
			play(t, o)
			if bytes.Equal(runs[0].bytes(), other.bytes()) {
				t.Error("runs of two seeds are the same")
			}
		})
	}
}

func TestRecordsDoNotDependOnTheClock(t *testing.T) {
	var runs [2][]flow.Record
	for i, start := range []time.Time{testStart, testStart.Add(1234567 * time.Second)} {
		o := testOptions(IPFIX, &wire{})
		o.Start = start
		records, _ := play(t, o)
		for _, r := range records {
			r.TimeReceived, r.TimeFlowStart, r.TimeFlowEnd = 0, 0, 0
			runs[i] = append(runs[i], r.Record)
		}
	}
	if !reflect.DeepEqual(runs[0], runs[1]) {
		t.Error("the records of one seed differ between two starts")
	}
}

func TestExportersHaveAddressesOfTheirOwn(t *testing.T) {
	tests := []struct {
		name     string
		protocol Protocol
		listen   string
		want     string
	}{
		{"sFlow agents", SFlow, "127.0.0.1:0", "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::4"},
		{"NetFlow sources on loopback", NetFlow9, "127.0.0.1:0", "127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4"},
		{"one NetFlow source elsewhere", IPFIX, "[::1]:0", "::1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			socket := listen(t, test.listen)
			o := testOptions(test.protocol, nil)
			o.To, o.Flows, o.Start, o.dial = socket.LocalAddr().String(), 8, time.Time{}, nil
			report, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			var addresses []string
			records := uint64(0)
			for _, e := range report.Exporters {
				addresses = append(addresses, e.Address.String())
				records += e.Records
			}
			if got := strings.Join(addresses, " "); got != test.want {
				t.Errorf("exporters %s, want %s", got, test.want)
			}
			if records != o.Flows {
				t.Errorf("%d records, want %d", records, o.Flows)
			}
		})
	}
}

func TestAgentAddressesAreUnique(t *testing.T) {
	seen := make(map[netip.Addr]int)
	for i := range MaxExporters {
		a := agentAddress(i)
		if other, twice := seen[a]; twice {
			t.Fatalf("exporters %d and %d both have %s", other, i, a)
		}
		if !reservedAddress(a) {
			t.Fatalf("exporter %d has %s", i, a)
		}
		seen[a] = i
	}
}

func TestRunEndsWithItsContextOrDurationAndReports(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(*Options, context.CancelFunc)
	}{
		{"context", func(o *Options, cancel context.CancelFunc) { o.Progress = func(uint64) { cancel() } }},
		{"duration", func(o *Options, _ context.CancelFunc) { o.Duration = 50 * time.Millisecond }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			w := &wire{}
			o := testOptions(NetFlow9, w)
			o.Flows = 0
			test.setUp(&o, cancel)
			report, err := Run(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			read := newOracle(t)
			for _, p := range w.sent {
				read.read(p)
			}
			reported := uint64(0)
			for _, e := range report.Exporters {
				reported += e.Records
			}
			if reported == 0 || reported != uint64(len(read.records)) {
				t.Errorf("reported %d records, on the wire are %d", reported, len(read.records))
			}
		})
	}
}

func TestNobodyListening(t *testing.T) {
	socket := listen(t, "127.0.0.1:0")
	o := testOptions(SFlow, nil)
	o.To, o.Flows, o.Rate, o.dial = socket.LocalAddr().String(), 1000, MaxRate, nil
	socket.Close()
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Unheard() {
		t.Errorf("%d of %d datagrams came back, which was not taken for nobody listening", report.Refused, report.Datagrams)
	}
}

func TestReportAsJSON(t *testing.T) {
	o := testOptions(SFlow, &wire{})
	o.Flows, o.Exporters = 10, 1
	_, report := play(t, o)
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	e := report.Exporters[0]
	want := fmt.Sprintf(`{"exporters":[{"address":"192.0.2.1","records":10,"bytes":%d,"packets":10,"scaled_bytes":%d}]}`, e.Bytes, e.ScaledBytes)
	if string(got) != want {
		t.Errorf("report %s, want %s", got, want)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"unknown protocol", func(o *Options) { o.Protocol = "jflow" }, `"jflow"`},
		{"no rate", func(o *Options) { o.Rate = 0 }, "rate 0"},
		{"too many exporters", func(o *Options) { o.Exporters = MaxExporters + 1 }, "10001 exporters"},
		{"no exporters", func(o *Options) { o.Exporters = 0 }, "0 exporters"},
		{"no sampling rate", func(o *Options) { o.SamplingRates = nil }, "no sampling rate"},
		{"sampling rate 0", func(o *Options) { o.SamplingRates = []uint32{1, 0} }, "sampling rate 0"},
		{"a rate that NetFlow v5 has no room for", func(o *Options) {
			o.Protocol, o.SamplingRates = NetFlow5, []uint32{16384}
		}, "14 bits"},
		{"a share above one", func(o *Options) { o.IPv6Share = 1.5 }, "IPv6 share 1.5"},
		{"a collector without port", func(o *Options) { o.To = "192.0.2.1" }, `"192.0.2.1"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := testOptions(SFlow, &wire{})
			test.change(&o)
			_, err := Run(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %s", err, test.want)
			}
		})
	}
}
