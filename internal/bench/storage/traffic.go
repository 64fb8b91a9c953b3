//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/generate"
)

// traffic is what the tables are filled with.
type traffic struct {
	rows   int
	days   int
	random bool // addresses and ports are drawn evenly: nothing repeats, nothing compresses
}

// firstDay is when the data set begins.
var firstDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func (t traffic) end() time.Time {
	if t.days == 0 {
		return firstDay.Add(21 * time.Hour)
	}
	return firstDay.AddDate(0, 0, t.days)
}

func (t traffic) start() time.Time {
	if t.days == 0 {
		return firstDay.Add(15 * time.Hour)
	}
	return firstDay
}

// sites is how many places have routers. Each has the four exporters of the generator's
// demo, so that there are as many exporters as in a network of some size.
const sites = 12

// blocks calls each with the flows of one block after the other, as length-delimited
// FlowMessages in the order in which they were received. The bytes are reused.
func (t traffic) blocks(ctx context.Context, size int, each func(messages []byte, rows int) error) error {
	var messages []byte
	rows := 0
	n := network{sequence: map[netip.Addr]uint32{}, rng: rand.New(rand.NewPCG(1, 1))}
	flush := func() error {
		if rows == 0 {
			return nil
		}
		err := each(messages, rows)
		messages, rows = messages[:0], 0
		return err
	}
	history := generate.HistoryOptions{From: t.start(), To: t.end(), Flows: t.rows, Seed: 1}
	err := generate.History(ctx, history, func(r *flow.Record) error {
		n.place(r)
		if t.random {
			n.scramble(r)
		}
		was := len(messages)
		messages = r.AppendDelimited(messages)
		for try := 0; try < 10 && bytes.Contains(messages[was:], []byte("\n\n")); try++ {
			r.SequenceNum += 100
			r.FragmentID ^= 0x155
			for _, a := range []*netip.Addr{&r.SrcAddr, &r.DstAddr} {
				b := bytes.ReplaceAll(a.AsSlice(), []byte("\n"), []byte{11})
				*a, _ = netip.AddrFromSlice(b)
			}
			r.Bytes++
			if r.SrcPort > 30000 {
				r.SrcPort++
			} else {
				r.DstPort++
			}
			r.IPv6FlowLabel ^= 0x155
			messages = r.AppendDelimited(messages[:was])
		}
		if bytes.Contains(messages[was:], []byte("\n\n")) {
			messages = messages[:was]
			return nil
		}
		if rows++; rows < size {
			return nil
		}
		return flush()
	})
	if err != nil {
		return fmt.Errorf("generate flows: %w", err)
	}
	return flush()
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
