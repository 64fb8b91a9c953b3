package collect

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/leoluk/NetMeta/internal/exporter"
)

// Flags are the flags of a Config, which all commands that collect have.
type Flags struct {
	config    Config
	allow     []string
	exporters string
}

// Add defines the flags.
func (f *Flags) Add(flags *pflag.FlagSet) {
	c := &f.config
	flags.StringVar(&c.SFlow, "sflow", ":6343", `UDP address for sFlow v5; "" to leave it out`)
	flags.StringVar(&c.NetFlow, "netflow", ":2055", `UDP address for NetFlow v9 and IPFIX (v5 is recognised too); "" to leave it out`)
	flags.StringVar(&c.NetFlowLegacy, "netflow-legacy", ":2056", `UDP address for NetFlow v5; "" to leave it out`)
	flags.IntVar(&c.Sockets, "sockets", 0, "sockets that share each UDP address, read by a thread each (0: as many as processors)")
	flags.IntVar(&c.SocketBuffer, "socket-buffer", DefaultSocketBuffer, "bytes of receive buffer to ask of the kernel for each socket")
	flags.StringSliceVar(&f.allow, "allow", nil, "addresses and prefixes of the exporters to listen to, separated by commas (default everybody)")
	flags.StringVar(&f.exporters, "exporters", "", "JSON file with names, sampling rates and limits of single exporters, which may change while it runs")
	flags.Uint64Var(&c.DefaultRate, "default-sampling-rate", 0, "sampling rate of exporters that do not say theirs (0: count 1 and mark it as unknown)")
	flags.StringVar(&c.Instance, "instance", "", "name of this collector in the table pipeline_counters (default: the host's name)")
	flags.DurationVar(&c.TemplateWait, "template-wait", DefaultTemplateWait, "how long flows wait for the template that says how to read them")
}

// Config returns what the flags say. It reads the file of --exporters.
func (f *Flags) Config() (Config, error) {
	c := f.config
	var err error
	switch {
	case c.Sockets < 0:
		return Config{}, fmt.Errorf("--sockets: %d is negative", c.Sockets)
	case c.SocketBuffer <= 0:
		return Config{}, fmt.Errorf("--socket-buffer: %d is no number of bytes to receive into", c.SocketBuffer)
	case c.TemplateWait <= 0:
		return Config{}, fmt.Errorf("--template-wait: %v is no time to wait for a template", c.TemplateWait)
	}
	if c.Allow, err = parseAllow(f.allow); err != nil {
		return Config{}, fmt.Errorf("--allow: %w", err)
	}
	if f.exporters == "" {
		return c, nil
	}
	file, err := os.Open(f.exporters)
	if err != nil {
		return Config{}, fmt.Errorf("--exporters: %w", err)
	}
	defer file.Close()
	if c.Overrides, err = exporter.ReadOverrides(file); err != nil {
		return Config{}, fmt.Errorf("--exporters %s: %w", f.exporters, err)
	}
	c.OverridesFile = f.exporters
	return c, nil
}
