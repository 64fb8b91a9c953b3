package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"
)

// envClickHouse names the environment variable that stands in for --clickhouse, so that
// no password has to be on the command line, where every user of the machine sees it.
const envClickHouse = "NETMETA_CLICKHOUSE"

// addClickHouseFlag adds --clickhouse and returns what gives its value once flags are
// parsed. The variable is not the flag's default: --help would show the password.
func addClickHouseFlag(cmd *cobra.Command) (address func() string) {
	flag := cmd.Flags().String("clickhouse", "http://127.0.0.1:8123", "URL of ClickHouse's HTTP interface: http://user:password@host:port/database; $"+envClickHouse+" does the same and keeps the password off the command line")
	return func() string {
		if value := os.Getenv(envClickHouse); value != "" && !cmd.Flags().Changed("clickhouse") {
			return value
		}
		return *flag
	}
}

// asUnreachable returns err with what to look at if it says that there was no
// connection, otherwise nil.
func asUnreachable(err error) error {
	var network *net.OpError // says all that the client's errors around it say
	if !errors.As(err, &network) {
		return nil
	}
	return fmt.Errorf("ClickHouse cannot be reached: %w (is it running, and is --clickhouse the address of its HTTP interface, usually port 8123?)", network)
}
