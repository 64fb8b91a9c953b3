package collect

import (
	"sync"

	"github.com/leoluk/NetMeta/internal/listen"
)

// passed are sockets of another collector, by the listener's name, as long as nobody
// reads them.
type passed struct {
	own     map[string][]listen.Passed   // of this network and at the address that is wanted
	foreign map[string][][]listen.Passed // of other networks, in one piece for each listener
	useless []listen.Passed
}

func sortPassed(c Config) passed {
	p := passed{map[string][]listen.Passed{}, map[string][][]listen.Passed{}, nil}
	addresses, namespace := c.Addresses(), listen.Namespace()
	for _, s := range c.Passed {
		switch {
		case s.Namespace != namespace:
			p.addForeign(s)
		case addresses[s.Name] == s.Address:
			p.own[s.Name] = append(p.own[s.Name], s)
		default:
			p.useless = append(p.useless, s)
		}
	}
	return p
}

func (p passed) addForeign(s listen.Passed) {
	for i, group := range p.foreign[s.Name] {
		if group[0].Namespace == s.Namespace && group[0].Address == s.Address {
			p.foreign[s.Name][i] = append(group, s)
			return
		}
	}
	p.foreign[s.Name] = append(p.foreign[s.Name], []listen.Passed{s})
}

func (p passed) takeOwn(name string) []listen.Passed {
	taken := p.own[name]
	delete(p.own, name)
	return taken
}

func (p passed) takeForeign(name string) [][]listen.Passed {
	taken := p.foreign[name]
	delete(p.foreign, name)
	return taken
}

// close closes what was not taken.
func (p passed) close() {
	left := p.useless
	for _, own := range p.own {
		left = append(left, own...)
	}
	for _, foreign := range p.foreign {
		for _, group := range foreign {
			left = append(left, group...)
		}
	}
	for _, s := range left {
		s.Close()
	}
}

// Pause ends receiving as Stop does, but leaves the sockets open, and what arrives in
// their buffers, for a collector that has them as its Config.Passed. Those that keeps
// refuses are stopped.
func (c *Collector) Pause(keeps func(name, address, namespace string) bool) []listen.Passed {
	var mu sync.Mutex
	var left []listen.Passed
	c.end(func(l *listen.Listener) {
		if !keeps(l.Opened()) {
			l.Stop()
			return
		}
		sockets := l.Pause()
		mu.Lock()
		defer mu.Unlock()
		left = append(left, sockets...)
	})
	return left
}

// Forsake ends receiving from other networks, after what has arrived there.
func (c *Collector) Forsake() {
	var stopping sync.WaitGroup
	for _, l := range c.foreign {
		stopping.Go(l.Stop)
	}
	stopping.Wait()
	c.foreign = nil
}
