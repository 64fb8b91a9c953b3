package capturetest

import "testing"

func TestParseRow(t *testing.T) {
	for _, c := range []struct {
		promise, line string
		want          Capture
		ok            bool
	}{
		{"data", "| a/b_data256.dat | nf9 | Some device | 3 | 1800 | 25 | 0 | 0/0/0 | 1 | |\n",
			Capture{Path: "a/b_data256.dat", Protocols: "nf9", Datagrams: 3, Bytes: 1800, Records: 25, Missing: 1}, true},
		{"templates of flows and options", "| b_tpl.dat | ipfix |  | 1 | 100 | 0 | 0 | 2/3/4 | 0 |  |\n",
			Capture{Path: "b_tpl.dat", Protocols: "ipfix", Datagrams: 1, Bytes: 100, Templates: 5}, true},
		{"several protocols", "| c.pcap | nf5 nf9 | nProbe | 9 | 7912 | 152 | 0 | 4/2/2 | 0 |  |\n",
			Capture{Path: "c.pcap", Protocols: "nf5 nf9", Datagrams: 9, Bytes: 7912, Records: 152, Templates: 6}, true},
		{"heading", "| file | protocol | device/vendor | datagrams | bytes | rec | ctr | tpl/opt/optdata | missTpl | golden |\n", Capture{}, false},
		{"other files", "| latest-bview.gz | mrt | | 1 | 1 |\n", Capture{}, false},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got, ok, err := parseRow(c.line)
			if err != nil || ok != c.ok || got != c.want {
				t.Errorf("got %+v, %v, %v, want %+v", got, ok, err, c.want)
			}
		})
	}
}

func TestDeviceIsTheSameForItsFiles(t *testing.T) {
	for path, want := range map[string]string{
		"x/netflow9_test_asr9k_tpl260.dat":    "x/netflow9_test_asr9k",
		"x/netflow9_test_asr9k_data260.dat":   "x/netflow9_test_asr9k",
		"x/netflow9_test_asr9k_opttpl256.dat": "x/netflow9_test_asr9k",
		"x/yaf_tpls_option_tpl.dat":           "x/yaf",
		"x/netflow-v9-2-3.dat":                "x/netflow-v9-2",
		"x/Decode.template.bin":               "x/Decode",
	} {
		if got := (&Capture{Path: path}).Device(); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
