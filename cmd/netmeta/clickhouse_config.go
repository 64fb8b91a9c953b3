package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/serverconfig"
)

func newClickHouseConfigCommand() *cobra.Command {
	var (
		dir, database, passwords string
		accounts                 []string
		keepFree                 uint64
	)
	cmd := &cobra.Command{
		Use:   "clickhouse-config",
		Short: "Write the configuration of a ClickHouse server for NetMeta",
		Long: `clickhouse-config writes two files that a ClickHouse server merges into its
configuration: config.d/netmeta.xml has what NetMeta needs of the server and keeps the
server's own logs small, users.d/netmeta.xml has accounts that may read flows, within
limits. The server reads users.d again by itself; after a change in config.d, restart it.

The files hold no password. By default, not even its hash: the server takes it from its
environment, from NETMETA_PASSWORD_SHA256_READER for the account reader, and does not
start without it. With --passwords, the hashes are in the file.`,
		Example: `  netmeta clickhouse-config --dir /etc/clickhouse-server --passwords /etc/netmeta/passwords
  printf %s PASSWORD | sha256sum    # for the environment`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := serverconfig.Options{Database: database, KeepFree: keepFree << 20}
			for _, name := range accounts {
				account := serverconfig.Account{Name: name}
				if passwords != "" {
					if err := account.ReadPassword(passwords); err != nil {
						return err
					}
				}
				options.Accounts = append(options.Accounts, account)
			}
			files, err := serverconfig.Files(options)
			if err != nil {
				return err
			}
			paths, err := serverconfig.Write(dir, files)
			for _, path := range paths {
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", "", "directory of the server's configuration, below which config.d and users.d are")
	flags.StringSliceVar(&accounts, "account", serverconfig.Accounts, "accounts that may read, each with a quota of its own")
	flags.StringVar(&passwords, "passwords", "", "directory with a file for each account, named as it, that holds its password")
	flags.StringVar(&database, "database", "default", "database of the schema")
	flags.Uint64Var(&keepFree, "keep-free", 1024, "how many MiB of the disk ClickHouse leaves free; 0 sets nothing")
	if err := cmd.MarkFlagRequired("dir"); err != nil {
		panic(err) // the flag does not exist: a mistake in this program
	}
	return cmd
}
