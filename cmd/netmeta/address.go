package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// envClickHouse names the environment variable that stands in for --clickhouse, so that
// no password has to be on the command line, where every user of the machine sees it.
const envClickHouse = "NETMETA_CLICKHOUSE"

// addClickHouseFlag adds --clickhouse and --clickhouse-password-file, and returns what
// gives the address once flags are parsed. The variable is not the flag's default:
// --help would show the password.
func addClickHouseFlag(cmd *cobra.Command) (address func() (string, error)) {
	flags := cmd.Flags()
	flag := flags.String("clickhouse", "http://127.0.0.1:8123", "URL of ClickHouse's HTTP interface: http://user:password@host:port/database; $"+envClickHouse+" does the same and keeps the password off the command line")
	file := flags.String("clickhouse-password-file", "", "file with the password of the user in --clickhouse, such as a mounted Secret has")
	return func() (string, error) {
		address := *flag
		if value := os.Getenv(envClickHouse); value != "" && !flags.Changed("clickhouse") {
			address = value
		}
		if *file == "" {
			return address, nil
		}
		address, err := withPassword(address, *file)
		if err != nil {
			return "", fmt.Errorf("--clickhouse-password-file: %w", err)
		}
		return address, nil
	}
}

// openClickHouse opens the database at what addClickHouseFlag has returned.
func openClickHouse(address func() (string, error)) (*sql.DB, error) {
	to, err := address()
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(to)
}

// withPassword returns address with the password in file. A line break at its end is not
// part of the password.
func withPassword(address, file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		// The error of url.Parse repeats the address, which may hold a password.
		return "", errors.New("the address of ClickHouse is not of the form http://user@host:port/database")
	case u.User.Username() == "":
		return "", fmt.Errorf("the address of ClickHouse, %s, names no user that the password is of: http://user@host:port/database", u.Redacted())
	}
	if _, twice := u.User.Password(); twice {
		return "", errors.New("the address of ClickHouse has a password already: leave it out there, or leave the file out")
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
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
