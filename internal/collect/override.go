package collect

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// overridesEvery is how often the file of overrides is looked at.
const overridesEvery = 2 * time.Second

// overriding is what is configured for exporters.
type overriding struct {
	mu     sync.Mutex
	file   exporter.Overrides               // of Config, or of its file
	single map[netip.Addr]exporter.Override // these go before
}

// Override has these hold for single exporters from now on, before those of Config.
func (c *Collector) Override(single map[netip.Addr]exporter.Override) {
	c.override(func(o *overriding) { o.single = single })
}

func (c *Collector) override(change func(*overriding)) {
	c.overrides.mu.Lock()
	defer c.overrides.mu.Unlock()
	change(&c.overrides)
	c.table.Override(c.overrides.file.With(c.overrides.single))
}

// watch reads the file of overrides again whenever it changes, until Stop. While
// something in it is wrong, those before hold.
func (c *Collector) watch() {
	ctx, stop := context.WithCancel(context.Background())
	c.unwatch = stop
	if c.config.OverridesFile == "" {
		return
	}
	read, _ := os.ReadFile(c.config.OverridesFile)
	c.watching.Go(func() {
		tick := time.NewTicker(overridesEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				read = c.rereadOverrides(read)
			}
		}
	})
}

// rereadOverrides returns what the file holds, and has it hold if it is not what was read before.
func (c *Collector) rereadOverrides(before []byte) []byte {
	text, err := os.ReadFile(c.config.OverridesFile)
	if err != nil || bytes.Equal(text, before) {
		return before
	}
	o, err := exporter.ReadOverrides(bytes.NewReader(text))
	if err != nil {
		slog.Error("collect: the settings of exporters stay as they were", "file", c.config.OverridesFile, "error", err)
		return text
	}
	c.override(func(all *overriding) { all.file = o })
	slog.Info("collect: the settings of exporters have changed and hold now", "file", c.config.OverridesFile)
	return text
}
