//go:build !linux

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "agent",
		Short: "Make flows of the traffic of a Linux host (only there)",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("agent reads what the Linux kernel knows of packets and connections: run it on a Linux host")
		},
	}
}
