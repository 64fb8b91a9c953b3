package rules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Install sets the rules up, in place of those of the same group, with the tool itself.
// It needs CAP_NET_ADMIN. Where a step fails, the steps before it are taken back.
func (r Rules) Install(ctx context.Context) error {
	if err := r.Check(); err != nil {
		return err
	}
	if r.Tool == NFTables {
		return command(ctx, r.nft(), "nft", "-f", "-") // one transaction
	}
	if err := r.Remove(ctx); err != nil {
		return err
	}
	for _, tool := range ipTools {
		for _, arguments := range r.iptables() {
			if err := command(ctx, "", tool, append([]string{"-w"}, arguments...)...); err != nil {
				return errors.Join(err, r.Remove(ctx))
			}
		}
	}
	return nil
}

// Remove takes the rules of the group away. It is no error that there are none.
func (r Rules) Remove(ctx context.Context) error {
	if r.Tool == NFTables {
		return command(ctx, r.nftRemoval(), "nft", "-f", "-")
	}
	for _, tool := range ipTools {
		listed, err := output(ctx, tool, "-w", "-t", "mangle", "-S")
		if err != nil {
			return err
		}
		for _, arguments := range r.iptablesRemoval() {
			if !installed(listed, arguments) {
				continue
			}
			if err := command(ctx, "", tool, append([]string{"-w"}, arguments...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// installed tells whether the rules that iptables -S listed have what arguments remove.
func installed(listed string, arguments []string) bool {
	switch arguments[2] {
	case "-D":
		return strings.Contains(listed, "-A "+strings.Join(append(arguments[3:4:4], "!", arguments[5], arguments[6], "-j", arguments[8]), " ")+"\n")
	default:
		return strings.Contains(listed, "-N "+arguments[3]+"\n")
	}
}

func command(ctx context.Context, input, name string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Stdin = strings.NewReader(input)
	said, err := cmd.CombinedOutput()
	return explain(err, said, name, arguments)
}

func output(ctx context.Context, name string, arguments ...string) (string, error) {
	var said, failed bytes.Buffer
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Stdout, cmd.Stderr = &said, &failed
	err := cmd.Run()
	return said.String(), explain(err, failed.Bytes(), name, arguments)
}

func explain(err error, said []byte, name string, arguments []string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s is not installed: install the package of that name (nftables, iptables), or use the other tool", name)
	case bytes.Contains(said, []byte("ermission")), bytes.Contains(said, []byte("not permitted")):
		return fmt.Errorf("%s: %s: this needs root, or the capability CAP_NET_ADMIN", name, bytes.TrimSpace(said))
	}
	return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, bytes.TrimSpace(said))
}
