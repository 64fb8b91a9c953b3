//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
)

// traffic is what the tables are filled with.
type traffic struct {
	rows   int
	hours  int
	random bool // addresses and ports are drawn evenly: nothing repeats, nothing compresses
}

// firstDay is when a data set of a day or more begins.
var firstDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// end is a midnight, so that a data set of a few hours has the evening, too.
func (t traffic) end() time.Time {
	return firstDay.Add(time.Duration(max(24, t.hours)) * time.Hour)
}

func (t traffic) begin() time.Time { return t.end().Add(-time.Duration(t.hours) * time.Hour) }

// sites is how many places have routers. Each has the four exporters of the generator's
// demo, so that there are as many exporters as in a network of some size.
const sites = 12

// block is what one Kafka engine block is made of.
type block struct {
	rows     int
	messages [][]byte // Kafka messages of length-delimited FlowMessages
}

// Size of a block: one more message would be one too many for ClickHouse, which ends a
// block with the message that brings it to kafka_max_block_size rows.
const (
	rowsPerMessage = 500
	blockRows      = 1049 * rowsPerMessage
)

// blocks calls each with one block of flows after the other, in the order in which they
// were received. Nothing of a block may be kept.
func (t traffic) blocks(ctx context.Context, each func(block) error) error {
	var b block
	n := network{sequence: map[netip.Addr]uint32{}, rng: rand.New(rand.NewPCG(1, 1))}
	history := generate.HistoryOptions{From: t.begin(), To: t.end(), Flows: t.rows, Seed: 1}
	err := generate.History(ctx, history, func(r *flow.Record) error {
		n.place(r)
		if t.random {
			n.scramble(r)
		}
		b.add(r)
		if b.rows < blockRows {
			return nil
		}
		defer b.clear()
		return each(b)
	})
	if err == nil && b.rows > 0 {
		err = each(b)
	}
	return err
}

func (b *block) add(r *flow.Record) {
	if b.rows%rowsPerMessage == 0 {
		if len(b.messages) < cap(b.messages) {
			b.messages = b.messages[:len(b.messages)+1]
		} else {
			b.messages = append(b.messages, nil)
		}
	}
	last := len(b.messages) - 1
	b.messages[last] = r.AppendDelimited(b.messages[last])
	b.rows++
}

// clear keeps the memory of the messages.
func (b *block) clear() {
	for i := range b.messages {
		b.messages[i] = b.messages[i][:0]
	}
	b.rows, b.messages = 0, b.messages[:0]
}

// network makes many exporters and interfaces of the few of the generator.
type network struct {
	sequence map[netip.Addr]uint32
	rng      *rand.Rand
}

// First ifIndex of the interfaces that face customers, and that face peers.
const (
	customerInterface = 100
	peerInterface     = 10
)

// place moves a record to the site that its customer is connected to, and to the
// interfaces of its customer and of its peer. A customer and a peer are always found at
// the same place, as in a real network: that is what makes flows compressible.
func (n *network) place(r *flow.Record) {
	customer, remote := r.SrcAddr, r.DstAS
	inside, outside := &r.InIf, &r.OutIf
	if r.FlowDirection == 0 {
		customer, remote = r.DstAddr, r.SrcAS
		inside, outside = outside, inside
	}
	subnet := hash(subnetOf(customer))
	*inside = customerInterface + uint32(subnet>>8%24)
	if *outside > 2 { // 1 and 2 are the transit providers
		*outside = peerInterface + uint32(hash(uint64(remote))%12)
	}
	// The lower of two draws: some sites are larger than others.
	site := byte(min(subnet>>20%sites, subnet>>40%sites))
	if r.SamplerAddress.Is4() {
		a := r.SamplerAddress.As4()
		a[2] = site
		r.SamplerAddress = netip.AddrFrom4(a)
	} else {
		a := r.SamplerAddress.As16()
		a[7] = site
		r.SamplerAddress = netip.AddrFrom16(a)
	}
	n.sequence[r.SamplerAddress]++
	r.SequenceNum = n.sequence[r.SamplerAddress]
}

// subnetOf is the /24 or the /56 of an address.
func subnetOf(a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return uint64(binary.BigEndian.Uint32(b[:]) >> 8)
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]) >> 8
}

func (n *network) scramble(r *flow.Record) {
	r.SrcAddr, r.DstAddr = n.address(r.SrcAddr.Is4()), n.address(r.DstAddr.Is4())
	r.SrcPort, r.DstPort = n.rng.Uint32N(1<<16), n.rng.Uint32N(1<<16)
}

func (n *network) address(v4 bool) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], n.rng.Uint64())
	if v4 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	binary.BigEndian.PutUint64(b[8:], n.rng.Uint64())
	return netip.AddrFrom16(b)
}

// hash is the finaliser of SplitMix64.
func hash(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
