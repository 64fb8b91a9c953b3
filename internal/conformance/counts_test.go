package conformance

import (
	"path/filepath"
	"testing"
)

// readable are the captures of which more or fewer flows are read than INDEX.md says,
// which has what goflow2 made of them.
var readable = map[string]struct {
	flows  int
	reason string
}{
	"netflow-v5-1.dat":                    {30, "12 datagrams in a file, of which goflow2 read the first"},
	"netflow5.dat":                        {30, "12 datagrams in a file, of which goflow2 read the first"},
	"ipfix.dat":                           {12, "3 messages in a file, of which goflow2 read the first"},
	"netflow-v9-1.dat":                    {6, "2 datagrams in a file, of which goflow2 read the first; data in front of its template"},
	"netflow9.pcap":                       {21, "data in front of its template, or that waited for it"},
	"nprobe-netflow9-4.pcap":              {15, "data that waited for its template"},
	"netflow9_test_invalid01.dat":         {2, "the header counts fewer records than there are"},
	"netflow5_test_invalid01.dat":         {30, "the header counts 55,582 records in 1,464 bytes"},
	"netflow5_test_invalid02.dat":         {30, "the header counts 163 records in 1,464 bytes"},
	"ipfix_test_yaf_data45841.dat":        {2, "a biflow: the other direction is a flow, too"},
	"ipfix_test_yaf_data45873.dat":        {2, "a biflow: the other direction is a flow, too"},
	"ipfix_4.bin":                         {39, "biflows, of which one had no answer"},
	"ipfix_5.bin":                         {16, "biflows"},
	"ipfix_test_netscaler_data.dat":       {3, "goflow2 drops the datagram for one unknown template"},
	"decoder_test.init.multiMessage.bin":  {2, "goflow2 stops at the padding of a set"},
	"sflow_multiple_counter_30_pdus.pcap": {7, "the NetFlow v5 in it, which INDEX.md does not count"},
}

func TestCapturesHaveAsManyFlowsAsTheirIndexSays(t *testing.T) {
	flows := 0
	for _, c := range decodeAll(t) {
		want := c.Records
		if r, ok := readable[filepath.Base(c.Path)]; ok {
			want = r.flows
		}
		got := len(c.flows())
		if got != want {
			t.Errorf("%s: %d flows, want %d", c.Path, got, want)
		}
		flows += got
	}
	if flows < 2000 {
		t.Errorf("only %d flows in all captures: is INDEX.md read right?", flows)
	}
}
