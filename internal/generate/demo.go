package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"
)

// DemoOptions says where Demo sends to and how much.
type DemoOptions struct {
	SFlow   string // HOST:PORT that takes sFlow
	NetFlow string // IPv4 loopback HOST:PORT that takes NetFlow v9 and IPFIX
	Seed    uint64
	Rate    float64 // flows a second, as a mean over a day without attacks; see HistoryOptions.Rate

	dialSFlow, dialNetFlow dialer // nil: UDP
}

// demoRates are high enough for a few hundred flows a second to be a busy network.
var demoRates = []uint32{4096, 8192, 16384}

// demoShares are the exporters' shares of the flows, in the order of demoProfiles.
var demoShares = []float64{0.35, 0.25, 0.25, 0.15}

const demoIPv6Share = 0.3

// firstDemoAddress is the index of 127.0.255.1: beyond every exporter of Run, whose
// templates and sampling rates would otherwise be taken for those of the demo.
const firstDemoAddress = 0xff00

// demoProfiles returns the exporters of the demo: two routers with sFlow, the second
// with an IPv6 address, one with NetFlow v9 and one with IPFIX and two samplers.
func demoProfiles() []profile {
	profiles := []profile{
		newProfile(SFlow, 0, demoRates),
		newProfile(SFlow, 3, demoRates),
		newProfile(NetFlow9, 0, demoRates),
		newProfile(IPFIX, 1, demoRates),
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	profiles[2].address = sourceAddress(loopback, firstDemoAddress)
	profiles[3].address = sourceAddress(loopback, firstDemoAddress+1)
	return profiles
}

// demoStep is how often Demo sends. At its rates most datagrams hold one record.
const demoStep = 50 * time.Millisecond

// Demo sends live traffic until ctx ends: what History made up to now goes on without
// a step, with the same exporters, hosts, time of day and attacks, if Seed is the same
// and Rate is that of History. A collector that is away for a while is no error.
func Demo(ctx context.Context, o DemoOptions) error {
	if o.Rate <= 0 || o.Rate > MaxRate {
		return fmt.Errorf("demo rate %g: must be above 0 and at most %d flows a second", o.Rate, MaxRate)
	}
	d := newDemo(o.Seed, uint64(time.Now().UnixNano()))
	defer d.close()
	if err := d.open(o); err != nil {
		return err
	}
	ticker := time.NewTicker(demoStep)
	defer ticker.Stop()
	started := time.Now()
	pace := newDemoPacer(o.Rate)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := time.Now()
		pace.rate = o.Rate * d.at(now)
		due, _ := pace.take(now.Sub(started))
		if err := d.send(due, now); err != nil {
			return err
		}
	}
}

// demo is the set of exporters that History and Demo have in common.
type demo struct {
	population *population
	exporters  []*exporter
	byExporter alias
	rng        *rand.Rand
	seed       uint64
}

// newDemo returns the demo's world of a seed. Draws from it are those of the stream,
// so that live traffic does not repeat the history.
func newDemo(seed, stream uint64) *demo {
	d := &demo{
		population: newPopulation(seed),
		byExporter: newAlias(demoShares),
		rng:        rand.New(rand.NewPCG(seed, stream)),
		seed:       seed,
	}
	for _, p := range demoProfiles() {
		e := &exporter{profile: p, perDatagram: math.MaxInt}
		e.traffic = newTraffic(d.population, d.rng.Uint64(), stream, demoIPv6Share)
		d.exporters = append(d.exporters, e)
	}
	return d
}

func (d *demo) open(o DemoOptions) error {
	sflow, err := resolve(o.SFlow)
	if err != nil {
		return err
	}
	netflow, err := resolve(o.NetFlow)
	if err != nil {
		return err
	}
	if !sourceAddress(netflow.Addr(), 0).IsValid() {
		return fmt.Errorf("demo NetFlow address %s: must be on IPv4 loopback, where each exporter has an address", netflow)
	}
	if o.dialSFlow == nil {
		o.dialSFlow = dialUDP(sflow)
	}
	if o.dialNetFlow == nil {
		o.dialNetFlow = dialUDP(netflow)
	}
	boot := time.Now().Add(-uptime).UnixMilli()
	index := firstDemoAddress
	for _, e := range d.exporters {
		if e.profile.protocol == SFlow {
			err = errors.Join(err, e.open(o.dialSFlow, sflow.Addr(), 0, boot))
			continue
		}
		err = errors.Join(err, e.open(o.dialNetFlow, netflow.Addr(), index, boot))
		index++
	}
	return err
}

// close closes what open has opened. What failed to be sent was reported by the write.
func (d *demo) close() {
	for _, e := range d.exporters {
		if e.conn != nil {
			_ = e.conn.Close()
		}
	}
}

// at moves the demo to time t and returns the load then, relative to the mean of a day.
func (d *demo) at(t time.Time) float64 {
	load, a := d.population.load(d.seed, t)
	share := fraction(a.strength / load)
	for _, e := range d.exporters {
		e.traffic.attack, e.traffic.attackShare = a, share
	}
	return load
}

// pick returns the exporter of the next record.
func (d *demo) pick() *exporter { return d.exporters[d.byExporter.pick(d.rng)] }

func (d *demo) send(records int, now time.Time) error {
	for range records {
		if err := d.pick().step(now.UnixMilli()); err != nil {
			return err
		}
	}
	for _, e := range d.exporters {
		if err := e.flush(now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}
