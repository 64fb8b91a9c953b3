package doctor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/flow"
)

// probePatience is longer than a flow takes through a Kafka and a ClickHouse that are
// well, and busy.
const probePatience = 20 * time.Second

// probeFlow is a flow that nobody else sends: between addresses for benchmarks
// (RFC 2544), of one packet, with ports and a size that are drawn.
type probeFlow struct {
	source, target         netip.Addr
	sourcePort, targetPort uint16
	bytes                  uint32
}

func newProbeFlow() probeFlow {
	draw := rand.Uint64()
	return probeFlow{
		source:     netip.AddrFrom4([4]byte{198, 18, byte(draw), byte(draw >> 8)}),
		target:     netip.AddrFrom4([4]byte{198, 19, byte(draw >> 16), byte(draw >> 24)}),
		sourcePort: uint16(draw>>32) | 1, targetPort: 9, // discard
		bytes: 64 + uint32(draw>>48)%1400,
	}
}

// datagram is the flow as NetFlow v5 with a sampling rate of 1. Its engine is drawn, so
// that sequence numbers of another probe do not look like a gap.
func (p probeFlow) datagram(now time.Time) []byte {
	const header, record = 24, 48
	const uptime = 3_600_000 // ms
	b := make([]byte, header+record)
	binary.BigEndian.PutUint16(b, 5)
	binary.BigEndian.PutUint16(b[2:], 1)
	binary.BigEndian.PutUint32(b[4:], uptime)
	binary.BigEndian.PutUint32(b[8:], uint32(now.Unix()))
	binary.BigEndian.PutUint16(b[20:], uint16(rand.Uint32())) // engine type and id
	binary.BigEndian.PutUint16(b[22:], 1<<14|1)               // every packet
	r := b[header:]
	source, target := p.source.As4(), p.target.As4()
	copy(r, source[:])
	copy(r[4:], target[:])
	binary.BigEndian.PutUint32(r[16:], 1)
	binary.BigEndian.PutUint32(r[20:], p.bytes)
	binary.BigEndian.PutUint32(r[24:], uptime-1000)
	binary.BigEndian.PutUint32(r[28:], uptime)
	binary.BigEndian.PutUint16(r[32:], p.sourcePort)
	binary.BigEndian.PutUint16(r[34:], p.targetPort)
	r[38] = 17 // UDP
	return b
}

// probe sends a flow and follows it to its row.
func (t Targets) probe(ctx context.Context) Probe {
	p := Probe{To: t.NetFlow}
	before := t.readCounters(ctx)
	sent := newProbeFlow()
	started := time.Now()
	conn, err := net.Dial("udp", t.NetFlow)
	if err != nil {
		p.Err = fmt.Errorf("send to --netflow %s: %w", t.NetFlow, err)
		return p
	}
	defer conn.Close()
	if _, err := conn.Write(sent.datagram(started)); err != nil {
		p.Err = fmt.Errorf("send to --netflow %s: %w", t.NetFlow, err)
		return p
	}
	arrived, err := t.awaitRow(ctx, sent)
	p.Waited = time.Since(started)
	if arrived {
		p.Arrived = p.Waited
		return p
	}
	if t.ClickHouse == "" {
		err = errors.Join(err, errors.New("give --clickhouse, where its row is looked for"))
	}
	p.Err, p.Reached = err, reached(before, t.readCounters(ctx))
	if p.Reached != "" || len(t.Metrics) > 0 {
		p.Err = nil
	}
	return p
}

// awaitRow waits until the flow is stored.
func (t Targets) awaitRow(ctx context.Context, sent probeFlow) (arrived bool, err error) {
	if t.ClickHouse == "" {
		return false, nil
	}
	db, err := clickhouse.Open(t.ClickHouse)
	if err != nil {
		return false, err
	}
	defer db.Close()
	for end := time.Now().Add(probePatience); time.Now().Before(end) && ctx.Err() == nil; {
		var rows uint64
		err = db.QueryRowContext(ctx, `
			SELECT count()
			FROM flows_raw
			WHERE TimeReceived > now() - INTERVAL 10 MINUTE
				AND SrcAddr = toIPv6(?) AND DstAddr = toIPv6(?) AND SrcPort = ? AND DstPort = ? AND Bytes = ?`,
			sent.source.String(), sent.target.String(), sent.sourcePort, sent.targetPort, sent.bytes).Scan(&rows)
		if err == nil && rows > 0 {
			return true, nil
		}
		if err != nil {
			return false, shorten(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return false, ctx.Err()
}

// reached returns the last stage of any collector that has counted something more. Where
// others send too, that may have been theirs.
func reached(before, after counters) (stage string) {
	best := -1
	steps := []struct{ metric, stage string }{
		{"netmeta_listen_datagrams_total", "sockets"},
		{"netmeta_exporter_datagrams_total", "exporters"},
		{"netmeta_records_total", "decoding"},
		{"netmeta_queue_flows_accepted_total", "queue"},
		{"netmeta_queue_flows_acknowledged_total", "kafka"},
	}
	for i := range after.collectors {
		r := after.collectors[i].readings
		if after.collectors[i].err != nil || before.collectors[i].err != nil {
			continue
		}
		r.since(before.collectors[i].readings)
		for n, step := range steps {
			keep := func(labels map[string]string) bool { topic, has := labels["topic"]; return !has || topic == flow.Topic }
			if n > best && r.total(step.metric, keep).Growth > 0 {
				best, stage = n, step.stage
			}
		}
	}
	return stage
}
