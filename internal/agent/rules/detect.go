package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/agent/nflog"
)

// Found is a rule that logs to a group.
type Found struct {
	Tool Tool
	Rate uint64 // packets for one that is logged; 0: the rule samples in a way that is not understood
	// Said tells that the rule's prefix says its rate, so that every packet brings it along.
	Said bool
}

// Detect returns the rules that log to a group, of nftables and of iptables, as far as those tools are installed and may be used.
func Detect(ctx context.Context, group uint16) ([]Found, error) {
	var found []Found
	var problems []error
	if text, err := output(ctx, "nft", "-j", "list", "ruleset"); err != nil {
		problems = append(problems, err)
	} else if rules, err := inNFTables([]byte(text), group); err != nil {
		problems = append(problems, err)
	} else {
		found = append(found, rules...)
	}
	for _, tool := range ipTools {
		// Those of its newer backend are among the rules of nftables, too, but as far as
		// they use extensions nft cannot say what they do.
		text, err := output(ctx, tool+"-save")
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, inIPTables(text, group)...)
	}
	if len(found) > 0 {
		return found, nil
	}
	return nil, errors.Join(problems...)
}

// Rate returns the one rate that all rules without it in their prefix have, 0 if there
// are no such rules.
func Rate(found []Found) (uint64, error) {
	var rate uint64
	for _, f := range found {
		switch {
		case f.Said:
		case f.Rate == 0:
			return 0, errors.New("a rule samples in a way that is not understood")
		case rate != 0 && rate != f.Rate:
			return 0, fmt.Errorf("rules have different sampling rates, %d and %d", rate, f.Rate)
		default:
			rate = f.Rate
		}
	}
	if rate != 0 && slices.ContainsFunc(found, func(f Found) bool { return f.Said && f.Rate != rate }) {
		return 0, fmt.Errorf("some rules say their sampling rate in their prefix, and it is not %d, which others have", rate)
	}
	return rate, nil
}

// inIPTables finds rules in what iptables-save writes.
func inIPTables(text string, group uint16) (found []Found) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if argument(words, "-j") != "NFLOG" {
			continue
		}
		// Group 0 is not written.
		if logged := argument(words, "--nflog-group"); logged != strconv.Itoa(int(group)) && (logged != "" || group != 0) {
			continue
		}
		prefix := strings.Trim(argument(words, "--nflog-prefix"), `"`)
		f := Found{Tool: IPTables, Rate: nflog.ParsePrefix([]byte(prefix))}
		if f.Said = f.Rate > 0; !f.Said {
			f.Rate = statistic(words)
		}
		found = append(found, f)
	}
	return found
}

// statistic returns the rate of a rule with iptables' match of that name.
func statistic(words []string) uint64 {
	switch argument(words, "--mode") {
	case "random":
		p, err := strconv.ParseFloat(argument(words, "--probability"), 64)
		if err != nil || p <= 0 || p > 1 {
			return 0
		}
		return uint64(math.Round(1 / p))
	case "nth":
		every, _ := strconv.ParseUint(argument(words, "--every"), 10, 32)
		return every
	}
	if slices.Contains(words, "limit") || slices.Contains(words, "hashlimit") {
		return 0 // it drops by time, which is no sampling
	}
	return 1
}

func argument(words []string, option string) string {
	if i := slices.Index(words, option); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// Parts of what nft -j writes (libnftables-json(5)).
type (
	nftRuleset struct {
		Nftables []struct {
			Rule *struct {
				Table, Chain string
				Comment      string
				Expr         []nftExpression
			}
		}
	}
	nftExpression struct {
		Log *struct {
			Group  *uint16
			Prefix string
		}
		Match *struct {
			Op    string
			Left  json.RawMessage
			Right json.RawMessage
		}
		Limit *json.RawMessage
		XT    *struct{ Type, Name string } // of iptables, that nft does not understand
	}
	nftLeft struct {
		Numgen *struct {
			Mode string
			Mod  uint64
		}
		Mask []json.RawMessage `json:"&"` // meta random, a mask
	}
)

func inNFTables(text []byte, group uint16) (found []Found, err error) {
	var ruleset nftRuleset
	if err := json.Unmarshal(text, &ruleset); err != nil {
		return nil, fmt.Errorf("read what nft -j list ruleset writes: %w", err)
	}
	for _, object := range ruleset.Nftables {
		if object.Rule == nil {
			continue
		}
		if f, ok := nftRule(object.Rule.Expr, group); ok {
			found = append(found, f)
		}
	}
	return found, nil
}

// nftRule reads the expressions of one rule up to its log.
func nftRule(expressions []nftExpression, group uint16) (f Found, ok bool) {
	f = Found{Tool: NFTables, Rate: 1}
	for _, e := range expressions {
		switch {
		case e.XT != nil:
			return f, false // iptables-save has it, in words that can be read
		case e.Limit != nil:
			f.Rate = 0
		case e.Match != nil:
			f.Rate *= share(e.Match.Op, e.Match.Left, e.Match.Right)
		case e.Log != nil && e.Log.Group != nil && *e.Log.Group == group:
			if said := nflog.ParsePrefix([]byte(e.Log.Prefix)); said > 0 {
				f.Rate, f.Said = said, true
			}
			return f, true
		}
	}
	return f, false
}

// share returns how many packets there are for one that a match takes: 1 if it has
// nothing to do with chance, 0 if that is no whole number.
func share(op string, left, right json.RawMessage) uint64 {
	var l nftLeft
	var limit uint64
	if json.Unmarshal(left, &l) != nil || json.Unmarshal(right, &limit) != nil {
		return 1
	}
	switch {
	case l.Numgen != nil && op == "==":
		return l.Numgen.Mod
	case l.Numgen != nil && op == "<" && limit > 0 && l.Numgen.Mod%limit == 0:
		return l.Numgen.Mod / limit
	case l.Numgen != nil:
		return 0
	case len(l.Mask) == 2 && strings.Contains(string(l.Mask[0]), `"random"`):
		var mask uint64
		if json.Unmarshal(l.Mask[1], &mask) != nil || op != "<" || limit == 0 {
			return 0
		}
		return uint64(math.Round(float64(mask+1) / float64(limit)))
	}
	return 1
}
