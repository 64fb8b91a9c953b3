package risinfo

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/leoluk/NetMeta/internal/risinfo/fetch"
)

// The archives that are asked unless others are given.
var (
	defaultRIBs = []string{
		"https://archive.routeviews.org/route-views4/bgpdata/%Y.%m/RIBS/rib.%Y%m%d.%H00.bz2",
		"https://data.ris.ripe.net/rrc11/latest-bview.gz",
	}
	defaultNames = []string{
		"https://ftp.ripe.net/ripe/asnames/asn.txt",
		"https://ftp.ripe.net/pub/stats/ripencc/delegated-ripencc-extended-latest#md5",
		"https://ftp.arin.net/pub/stats/arin/delegated-arin-extended-latest#md5",
		"https://ftp.apnic.net/stats/apnic/delegated-apnic-extended-latest#md5",
		"https://ftp.lacnic.net/pub/stats/lacnic/delegated-lacnic-extended-latest#md5",
		"https://ftp.afrinic.net/pub/stats/afrinic/delegated-afrinic-extended-latest#md5",
	}
)

// Public stands for the public archives, as a source.
const Public = "public"

// Flags are the flags of what is read. --rib and --asnames have no default here.
type Flags struct {
	ribs, names []string
	interval    time.Duration
	minShare    float64
	minPeers    int
}

// Add adds the flags to a command.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.ribs, "rib", nil, `routing table to find AS numbers in, a URL or a file: MRT (TABLE_DUMP_V2), or lines of prefix and AS number, which win; may be repeated; "public" stands for collectors of RouteViews and RIPE RIS`)
	flags.StringArrayVar(&f.names, "asnames", nil, `list of AS numbers with names or countries, a URL or a file, the best first; may be repeated; "public" stands for the list of RIPE NCC and the statistics of all five registries`)
	flags.DurationVar(&f.interval, "refresh", 8*time.Hour, "how often routing tables and names are asked for")
	flags.Float64Var(&f.minShare, "min-share", 0.7, "share of the rows of the table in use that a new one needs, of IPv4 and of IPv6; with less it is refused")
	flags.IntVar(&f.minPeers, "min-peers", 2, "peers of all collectors that have to have a prefix")
}

// Given is whether there is anything to read.
func (f *Flags) Given() bool { return len(f.ribs)+len(f.names) > 0 }

// UsePublic asks the public archives where nothing else is given.
func (f *Flags) UsePublic() {
	if !f.Given() {
		f.ribs, f.names = []string{Public}, []string{Public}
	}
}

// AddSources adds sources in front of those that were given.
func (f *Flags) AddSources(rib, names string) {
	f.ribs, f.names = append([]string{rib}, f.ribs...), append([]string{names}, f.names...)
}

// Config returns what the flags say.
func (f *Flags) Config(dir string) (Config, error) {
	switch {
	case f.interval < time.Minute:
		return Config{}, fmt.Errorf("--refresh %s: archives should not be asked more often than each minute", f.interval)
	case !(f.minShare >= 0 && f.minShare <= 1):
		return Config{}, fmt.Errorf("--min-share %g: must be 0 to 1", f.minShare)
	case f.minPeers < 1:
		return Config{}, fmt.Errorf("--min-peers %d: must be 1 or more", f.minPeers)
	}
	ribs, err := expand(f.ribs, defaultRIBs)
	if err != nil {
		return Config{}, fmt.Errorf("--rib: %w", err)
	}
	names, err := expand(f.names, defaultNames)
	if err != nil {
		return Config{}, fmt.Errorf("--asnames: %w", err)
	}
	return Config{
		RIBs: ribs, Names: names, Dir: dir,
		Interval: f.interval, MinShare: f.minShare, MinPeers: f.minPeers,
	}, nil
}

// expand returns all sources, files by their whole path: the working directory may change.
func expand(sources, public []string) (all []string, err error) {
	for _, s := range sources {
		switch {
		case s == "":
			return nil, errors.New("a URL or a file is missing")
		case s == Public:
			all = append(all, public...)
			continue
		case !fetch.IsURL(s):
			if s, err = filepath.Abs(s); err != nil {
				return nil, err
			}
		}
		all = append(all, s)
	}
	return all, nil
}
