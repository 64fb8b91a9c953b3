package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/push"
	"github.com/leoluk/NetMeta/internal/metrics"
)

// receiving is what the flags of import say of flow logs that clouds push.
type receiving struct {
	listen          string
	tlsCert, tlsKey string
	memory          string

	keyFile string // of Firehose

	tokenFile string // of Pub/Sub
	audience  string
	account   string
	issuer    string
	keys      string
}

// leastMemory is enough for the largest request of Firehose, unpacked.
const leastMemory = 256 << 20

// receiveGrace is how long requests that wait for Kafka have when the process ends.
const receiveGrace = 20 * time.Second

// addListen adds the flags that all senders have.
func (i *importing) addListen(cmd *cobra.Command, sender string) {
	flags := cmd.Flags()
	flags.StringVar(&i.listen, "listen", "", "address at which to receive what "+sender+" delivers by HTTPS, such as :443, instead of reading files")
	flags.StringVar(&i.tlsCert, "tls-cert", "", "with --listen: PEM file with the certificate to show (default: plain HTTP, for a proxy in front that has one)")
	flags.StringVar(&i.tlsKey, "tls-key", "", "PEM file with the key of --tls-cert")
	flags.StringVar(&i.memory, "memory", "512MiB", "with --listen: most that requests that wait for Kafka may take; what comes beyond it is told to come again")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
}

func (i *importing) addFirehose(cmd *cobra.Command) {
	i.addListen(cmd, "Amazon Data Firehose")
	cmd.Flags().StringVar(&i.keyFile, "access-key-file", "", "with --listen: file with the access key of the Firehose stream; several, a line each, while one takes the place of another")
}

func (i *importing) addPubSub(cmd *cobra.Command) {
	i.addListen(cmd, "a push subscription of Pub/Sub")
	flags := cmd.Flags()
	flags.StringVar(&i.audience, "audience", "", "with --listen: audience of the push subscription's tokens (default there: its URL)")
	flags.StringVar(&i.account, "service-account", "", "with --audience: email of the service account that the push subscription uses")
	flags.StringVar(&i.issuer, "issuer", push.GoogleIssuer, "issuer of the tokens")
	flags.StringVar(&i.keys, "jwks", push.GoogleKeys, "URL or file with the keys that sign the tokens (JWKS)")
	flags.StringVar(&i.tokenFile, "token-file", "", "with --listen: file with a secret that is in the subscription's URL as ?token=, instead of --audience or beside it")
	cmd.MarkFlagsRequiredTogether("audience", "service-account")
}

// args checks the arguments: files, or none with --listen.
func (i *importing) args(cmd *cobra.Command, args []string) error {
	if i.listen == "" {
		return cobra.MinimumNArgs(1)(cmd, args)
	}
	if len(args) > 0 {
		return errors.New("--listen receives flow logs instead of reading files: leave FILE out")
	}
	return nil
}

func (i *importing) firehose(context.Context, string) (push.Endpoint, error) {
	keys, err := push.ReadSecrets(i.keyFile)
	if err != nil {
		return nil, fmt.Errorf("--access-key-file: %w", err)
	}
	return &push.Firehose{Keys: keys}, nil
}

func (i *importing) pubSub(ctx context.Context, dir string) (push.Endpoint, error) {
	endpoint := &push.PubSub{}
	if i.tokenFile != "" {
		var err error
		if endpoint.Tokens, err = push.ReadSecrets(i.tokenFile); err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
	}
	if i.audience != "" {
		endpoint.Verifier = &push.Verifier{
			Issuer: i.issuer, Audience: i.audience, Email: i.account,
			Keys: push.OpenKeys(ctx, i.keys, filepath.Join(dir, "jwks.json")),
		}
	}
	if endpoint.Verifier == nil && len(endpoint.Tokens) == 0 {
		return nil, errors.New("--listen: anybody could send flows; say who may by --audience and --service-account, or by --token-file")
	}
	return endpoint, nil
}

// receive takes what endpoint is sent until the command is to end, and reports.
func (i *importing) receive(cmd *cobra.Command, format importer.Format, endpoint func(ctx context.Context, dir string) (push.Endpoint, error)) error {
	if err := checkOutput(i.output); err != nil {
		return err
	}
	if i.follow || i.dryRun {
		return errors.New("--listen receives until it is ended, and sends: leave out --follow and --dry-run")
	}
	memory, err := humanize.ParseBytes(i.memory)
	if err != nil || memory < leastMemory || memory > 1<<40 {
		return fmt.Errorf("--memory: %q is no size such as 512MiB, or less than %s", i.memory, humanize.IBytes(leastMemory))
	}
	sink, err := i.open(cmd, format)
	if err != nil {
		return err
	}
	defer sink.Close()
	dir, err := i.stateDir()
	if err != nil {
		return err
	}
	to, err := endpoint(cmd.Context(), dir)
	if err != nil {
		return err
	}
	listener, err := push.Listen(i.listen, i.tlsCert, i.tlsKey)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer listener.Close()
	server, err := metrics.Serve(i.metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()
	receiver, err := importer.Receive(cmd.Context(), importer.Config{Format: format, Sink: sink})
	if err != nil {
		return err
	}
	i.sayWhere(listener)
	s := &push.Server{Source: format.Source, Endpoint: to, Receiver: receiver, Memory: push.NewMemory(int64(memory))}
	report, err := s.Serve(cmd.Context(), listener, receiveGrace)
	return errors.Join(writeReport(cmd.OutOrStdout(), i.output, report, report.WriteTable), err)
}

func (i *importing) sayWhere(listener net.Listener) {
	address := listener.Addr()
	slog.Info("import: receiving flow logs", "address", address.String(), "tls", i.tlsCert != "")
	if tcp, ok := address.(*net.TCPAddr); ok && i.tlsCert == "" && !tcp.IP.IsLoopback() {
		slog.Warn("import: without --tls-cert, what is received and the secrets of senders can be read on the way, unless a proxy in front of this takes HTTPS")
	}
}
