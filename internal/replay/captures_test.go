package replay

import (
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/capturetest"
)

var indexNames = map[Protocol]string{SFlow: "sflow5", NetFlow5: "nf5", NetFlow9: "nf9", IPFIX: "ipfix"}

func TestRealCapturesHaveTheirDatagrams(t *testing.T) {
	for _, capture := range capturetest.All(t) {
		t.Run(capture.Path, func(t *testing.T) {
			datagrams, bytes := 0, 0
			for d, err := range Datagrams(capture.Path) {
				if err != nil {
					t.Fatal(err)
				}
				datagrams++
				bytes += len(d.Payload)
				if !strings.Contains(capture.Protocols, indexNames[d.Protocol]) {
					t.Errorf("a datagram was taken for %s in a capture of %s: % x", d.Protocol, capture.Protocols, d.Payload[:8])
				}
			}
			if datagrams != capture.Datagrams || bytes != capture.Bytes {
				t.Errorf("%d datagrams of %d bytes, want %d of %d", datagrams, bytes, capture.Datagrams, capture.Bytes)
			}
		})
	}
}
