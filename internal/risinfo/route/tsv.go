package route

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/leoluk/NetMeta/internal/risinfo/mrt"
)

// WriteTSV writes a table as lines of prefix, tab and AS number. IPv4 is written as
// ::ffff:a.b.c.d/(96 + length), as it is stored.
func WriteTSV(w io.Writer, routes []Route) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for _, r := range routes {
		line = r.Mapped().AppendTo(line[:0])
		line = append(line, '\t')
		line = strconv.AppendUint(line, uint64(r.ASN), 10)
		line = append(line, '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// maxLine is more than any line with a prefix has.
const maxLine = 64 << 10

// BadLine is the reason under which lines count that cannot be read.
const BadLine = "bad_line"

// TextPeers is as how many peers a line of a text file counts: what somebody wrote down wins
// against what collectors see.
const TextPeers = 1 << 20

// ReadTSV reads lines of a prefix and an AS number, with tabs, spaces, a comma or a semicolon
// between, into b. An IPv4 prefix may be written as a.b.c.d/LEN, or as ::ffff:a.b.c.d or
// ::a.b.c.d with 96 added to its length. Empty lines and those that begin with # are skipped;
// a line that cannot be read counts under BadLine.
//
// It fails where more lines cannot be read than can, and says what the first one was.
func ReadTSV(r io.Reader, b *Builder) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var first error
	good, bad, number := 0, 0, 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		prefix, asn, err := parseLine(string(line))
		if err != nil {
			if bad++; first == nil {
				first = fmt.Errorf("line %d: %w", number, err)
			}
			continue
		}
		good++
		b.Add(prefix, []mrt.Origin{{ASN: asn, Peers: TextPeers}})
	}
	b.leaveOut(BadLine, bad)
	switch {
	case lines.Err() != nil:
		return fmt.Errorf("line %d: %w", number+1, lines.Err())
	case bad > good:
		return fmt.Errorf("of %d lines, %d are not a prefix and an AS number: %w", good+bad, bad, first)
	case good == 0:
		return mrt.ErrNoRoutes
	}
	return nil
}

func parseLine(line string) (prefix netip.Prefix, asn uint32, err error) {
	fields := strings.FieldsFunc(line, func(c rune) bool { return c == '\t' || c == ' ' || c == ',' || c == ';' })
	if len(fields) < 2 {
		return prefix, 0, fmt.Errorf("%.60q has no prefix and AS number", line)
	}
	if prefix, err = ParsePrefix(fields[0]); err != nil {
		return prefix, 0, err
	}
	asn, err = ParseASN(fields[1])
	return prefix, asn, err
}

// ParseASN reads an AS number, with or without AS before it (RFC 5396, asplain).
func ParseASN(text string) (uint32, error) {
	digits := text
	if len(text) > 2 && strings.EqualFold(text[:2], "AS") {
		digits = text[2:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.30q is no AS number of 32 bits", text)
	}
	return uint32(n), nil
}

// ParsePrefix reads a prefix in any form in which one is stored.
func ParsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, fmt.Errorf("%.60q is no prefix", text)
	}
	address, bits := prefix.Addr(), prefix.Bits()
	dotted := strings.HasPrefix(text, "::") && strings.Contains(text, ".")
	if bits >= 96 && (address.Is4In6() || dotted) {
		last := address.As16()
		address, bits = netip.AddrFrom4([4]byte(last[12:])), bits-96
	}
	return netip.PrefixFrom(address, bits).Masked(), nil
}
