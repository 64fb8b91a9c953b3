// Package rules writes the rules of nftables and iptables by which the kernel samples
// packets into a group of NFLOG, installs and removes them, and finds the sampling rate of
// rules that others have written.
//
// The rules see each packet once: in what the host receives, sends and forwards, after
// destination NAT and before source NAT. Packets on the loopback interface are left out.
package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/agent/nflog"
)

// Tool is what rules are written for.
type Tool string

// The tools.
const (
	NFTables Tool = "nft"
	IPTables Tool = "iptables"
)

// Rules are those of one group.
type Rules struct {
	Tool  Tool
	Group uint16
	Rate  uint32 // one packet in so many; 1: every packet
}

// MaxRate leaves a thousandth of error to how the tools write a probability, which is in
// parts of 2^31 for iptables.
const MaxRate = 1_000_000

// Check says what is wrong with the rules.
func (r Rules) Check() error {
	switch {
	case r.Rate < 1 || r.Rate > MaxRate:
		return fmt.Errorf("a rate of %d: must be 1 to %d, one packet in so many", r.Rate, MaxRate)
	case r.Tool != NFTables && r.Tool != IPTables:
		return fmt.Errorf("unknown tool %q: must be nft or iptables", r.Tool)
	}
	return nil
}

// snapLength is as much of a packet as the agent asks for.
const snapLength = 160

// hook is a place in the kernel at which packets pass, and the interface that must not be
// the loopback.
type hook struct {
	chain, nft   string // its name in iptables and nftables
	option, name string // of the interface there
}

var hooks = [...]hook{
	{chain: "INPUT", nft: "input", option: "-i", name: "iifname"},
	{chain: "FORWARD", nft: "forward", option: "-i", name: "iifname"},
	{chain: "OUTPUT", nft: "output", option: "-o", name: "oifname"},
}

// table is the name of nftables' table, and of iptables' chains with the hook behind it.
func (r Rules) table() string { return "netmeta_" + strconv.Itoa(int(r.Group)) }

func (r Rules) chain(h hook) string { return fmt.Sprintf("NETMETA-%d-%s", r.Group, h.chain) }

func (r Rules) prefix() string { return nflog.PrefixRate + strconv.Itoa(int(r.Rate)) }

// String returns what sets the rules up: a file for nft -f, or commands for a shell. Each
// takes the place of what an earlier one with the same group has set up.
func (r Rules) String() string {
	if r.Tool == NFTables {
		return r.nft()
	}
	return r.commands(r.iptables())
}

// Removal returns what takes the rules away again, in the same form.
func (r Rules) Removal() string {
	if r.Tool == NFTables {
		return r.nftRemoval()
	}
	return r.commands(r.iptablesRemoval())
}

func (r Rules) nftRemoval() string {
	// Adding it first makes it no error that there is none.
	return fmt.Sprintf("add table inet %[1]s\ndelete table inet %[1]s\n", r.table())
}

func (r Rules) nft() string {
	var b strings.Builder
	b.WriteString(r.nftRemoval())
	fmt.Fprintf(&b, "table inet %s {\n", r.table())
	sample := ""
	if r.Rate > 1 {
		sample = fmt.Sprintf("numgen random mod %d == 0 ", r.Rate)
	}
	for _, h := range hooks {
		fmt.Fprintf(&b, "\tchain %s {\n\t\ttype filter hook %[1]s priority mangle; policy accept;\n", h.nft)
		fmt.Fprintf(&b, "\t\t%s != \"lo\" %slog prefix \"%s\" group %d snaplen %d queue-threshold %d\n\t}\n", h.name, sample, r.prefix(), r.Group, snapLength, threshold)
	}
	b.WriteString("}\n")
	return b.String()
}

// threshold is how many packets the kernel may collect before it wakes the agent.
const threshold = 64

// iptables are the arguments of iptables and ip6tables, one after the other. The chain is
// filled before anything jumps to it.
func (r Rules) iptables() [][]string {
	var all [][]string
	for _, h := range hooks {
		chain := r.chain(h)
		rule := []string{"-t", "mangle", "-A", chain}
		if r.Rate > 1 {
			rule = append(rule, "-m", "statistic", "--mode", "random", "--probability", probability(r.Rate))
		}
		rule = append(rule, "-j", "NFLOG", "--nflog-group", strconv.Itoa(int(r.Group)), "--nflog-prefix", r.prefix(),
			"--nflog-size", strconv.Itoa(snapLength), "--nflog-threshold", strconv.Itoa(threshold))
		all = append(all, []string{"-t", "mangle", "-N", chain}, rule, append([]string{"-t", "mangle", "-I"}, r.jump(h)...))
	}
	return all
}

func (r Rules) iptablesRemoval() [][]string {
	var all [][]string
	for _, h := range hooks {
		chain := r.chain(h)
		all = append(all, append([]string{"-t", "mangle", "-D"}, r.jump(h)...), []string{"-t", "mangle", "-F", chain}, []string{"-t", "mangle", "-X", chain})
	}
	return all
}

func (r Rules) jump(h hook) []string {
	return []string{h.chain, "!", h.option, "lo", "-j", r.chain(h)}
}

func probability(rate uint32) string { return strconv.FormatFloat(1/float64(rate), 'f', 10, 64) }

// ipTools are the commands that know of one kind of addresses each.
var ipTools = [...]string{"iptables", "ip6tables"}

func (r Rules) commands(all [][]string) string {
	var b strings.Builder
	for _, tool := range ipTools {
		for _, arguments := range all {
			fmt.Fprintf(&b, "%s -w %s\n", tool, strings.Join(arguments, " "))
		}
	}
	return b.String()
}
