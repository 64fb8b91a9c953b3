package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/importer/awsvpc"
	"github.com/leoluk/NetMeta/internal/metrics"
	"github.com/leoluk/NetMeta/internal/objects"
)

// importing is what the flags of import say that all kinds of files have.
type importing struct {
	receiving
	kafka   kafkaFlags
	follow  bool
	dryRun  bool
	state   string
	metrics string
	output  string
	objects objects.Config
	list    time.Duration
}

func newImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import SOURCE [FILE]...",
		Short: "Read flows and paths from files that others write, once or as they are written",
		Long: `import reads files that others write and sends what they say of traffic to Kafka, as
FlowMessages: it appears beside the flows of routers, and in its own time. Measured paths
(scamper) go there as Traces, and into a table of their own.

Every record is stored exactly once. How far each file was read is kept in --state, and
goes there only with what Kafka has acknowledged: stopped, killed or started again, import
goes on where it was, also with files that were renamed or compressed since.

FILE is a name, a pattern in quotes, or a directory with all that is below it. It may also be
s3://BUCKET/PREFIX or gs://BUCKET/PREFIX: all objects whose keys begin so, of S3, of what
speaks its protocol (--s3-endpoint), or of Google Cloud Storage. Files and objects may be
compressed by gzip or zstd. Instead of FILE, aws-vpc and gcp-vpc also take --listen: they
receive what the cloud pushes then, and answer when Kafka has it.

Credentials are those that AWS's own programs use: AWS_ACCESS_KEY_ID and so on, AWS_PROFILE of
the shared configuration, or the role of the machine. For gs:// they are an HMAC key.`,
	}
	cmd.AddCommand(newImportAWSCommand(), newImportGCPCommand(), newImportWebLogCommand(), newImportPcapCommand(), newImportScamperCommand())
	return cmd
}

// add adds the flags that all kinds of files have.
func (i *importing) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVarP(&i.follow, "follow", "f", false, "go on with what is appended to files, and with new files and objects that FILE stands for, until Ctrl-C")
	flags.BoolVar(&i.dryRun, "dry-run", false, "write what would be sent to standard output, as JSON, instead of sending it; all of the files, whatever was sent before")
	flags.StringVar(&i.state, "state", "", "directory for how far files were read, of one process at a time (default: ~/.local/state/netmeta/import)")
	flags.StringSliceVar(&i.kafka.queue.Brokers, "kafka", []string{"127.0.0.1:9092"}, "Kafka brokers to start from, HOST:PORT, separated by commas")
	i.kafka.addSecurityFlags(cmd)
	flags.StringVar(&i.kafka.queue.Compression, "compression", "lz4", "how to compress what goes to Kafka: lz4, zstd, snappy, gzip or none")
	completeEnum(cmd, "compression", "lz4", "zstd", "snappy", "gzip", "none")
	flags.StringVar(&i.objects.Endpoint, "s3-endpoint", "", "where s3:// is, as a URL such as https://minio.example.net:9000 (default: Amazon S3)")
	flags.StringVar(&i.objects.Region, "s3-region", "", "region of the bucket (default: AWS_REGION, or asked for)")
	flags.BoolVar(&i.objects.Anonymous, "s3-anonymous", false, "read a public bucket without credentials")
	flags.DurationVar(&i.list, "list-every", time.Minute, "how often to list objects, with --follow")
	flags.StringVar(&i.metrics, "metrics", "", `address for Prometheus metrics at /metrics, such as 127.0.0.1:9101 (default: none)`)
	flags.StringVar(&i.output, "output", "table", "how to write the report at the end: table or json")
	completeEnum(cmd, "output", "table", "json")
}

func newImportAWSCommand() *cobra.Command {
	var i importing
	var options awsvpc.Options
	var exporter string
	cmd := &cobra.Command{
		Use:   "aws-vpc FILE... | --listen ADDRESS",
		Short: "Read flow logs of Amazon VPCs",
		Long: `aws-vpc reads flow logs of Amazon VPCs and transit gateways as AWS writes them to S3, in
all versions and custom formats: Parquet, or text, compressed or not. A first line that names
the fields is used; for text without one (exports of CloudWatch Logs), say --format.

The exporter of a flow is made of account and VPC: fd61:7773:0:1234:5678:9012:89ab:cdef is
account 123456789012 and vpc-…89abcdef.

With --listen it takes what Amazon Data Firehose delivers to an HTTP endpoint: flow logs
that are published to Firehose, and those of CloudWatch Logs through a subscription.`,
		Example: `  netmeta import aws-vpc --follow s3://my-flow-logs/AWSLogs/
  netmeta import aws-vpc ./AWSLogs
  netmeta import aws-vpc --kafka broker1:9092 '*.log.gz'
  netmeta import aws-vpc --format '${version} ${vpc-id} ${srcaddr} ${dstaddr} ${bytes} ${start} ${end}' flows.txt
  netmeta import aws-vpc --listen :443 --tls-cert tls.crt --tls-key tls.key --access-key-file firehose.key`,
		Args: i.args,
		RunE: func(cmd *cobra.Command, files []string) (err error) {
			if options.Exporter, err = parseExporter(exporter); err != nil {
				return err
			}
			format, err := awsvpc.Format(options)
			if err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			if i.listen != "" {
				return i.receive(cmd, format, i.firehose)
			}
			return i.run(cmd, format, files)
		},
	}
	i.addFirehose(cmd)
	cmd.Flags().StringVar(&options.Format, "format", "", "names of the fields, for files that do not begin with them (default: version 2)")
	cmd.Flags().StringVar(&exporter, "exporter", "", "address to store as that of the exporter (default: made of account and VPC)")
	i.add(cmd)
	return cmd
}

func parseExporter(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("--exporter: %q is no IPv4 or IPv6 address", text)
	}
	return a.Unmap(), nil
}

// run reads files and reports.
func (i *importing) run(cmd *cobra.Command, format importer.Format, files []string) error {
	if err := checkOutput(i.output); err != nil {
		return err
	}
	if i.list <= 0 {
		return errors.New("--list-every: it is above 0")
	}
	store, err := i.openObjects(files)
	if err != nil {
		return err
	}
	if i.follow && i.dryRun {
		return errors.New("--dry-run reads files once: leave out --follow")
	}
	sink, err := i.open(cmd, format)
	if err != nil {
		return err
	}
	defer sink.Close()
	server, err := metrics.Serve(i.metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer server.Close()

	shown := newProgress(cmd.ErrOrStderr(), format.Records, 0)
	report, err := importer.Run(cmd.Context(), importer.Config{
		Format: format, Files: files, Follow: i.follow, Sink: sink, Objects: store, List: i.list,
		Progress: func(p importer.Progress) { shown.updateFiles(p) },
	})
	shown.done()
	out := cmd.OutOrStdout()
	if i.dryRun {
		out = cmd.ErrOrStderr()
	}
	return errors.Join(writeReport(out, i.output, report, report.WriteTable), err)
}

// openObjects returns the way to what files name of object stores.
func (i *importing) openObjects(files []string) (*objects.Client, error) {
	var locations []objects.Location
	for _, name := range files {
		if !objects.IsURL(name) {
			continue
		}
		location, err := objects.Parse(name)
		if err != nil {
			return nil, err
		}
		if location.Scheme == "gs" && i.objects.Endpoint != "" {
			return nil, errors.New("--s3-endpoint is for s3://BUCKET/PREFIX: leave it out, or name the bucket so")
		}
		locations = append(locations, location)
	}
	client, err := objects.Open(i.objects, locations)
	if err != nil {
		return nil, fmt.Errorf("--s3-endpoint: %w", err)
	}
	return client, nil
}

// updateFiles shows how far files were read.
func (p *progress) updateFiles(at importer.Progress) {
	p.unit = fmt.Sprintf("of %s, %s of %s files", humanize.IBytes(uint64(at.AllBytes)), humanize.Comma(int64(at.Files)), humanize.Comma(int64(at.AllFiles)))
	fmt.Fprintf(p.w, "\r%s %s, %s records%s", humanize.IBytes(uint64(at.Bytes)), p.unit, humanize.Comma(int64(at.Records)), eraseToEnd)
	p.shown = true
}

func (i *importing) open(cmd *cobra.Command, format importer.Format) (importer.Sink, error) {
	if i.dryRun {
		return importer.DryRun(cmd.OutOrStdout()), nil
	}
	dir, err := i.stateDir()
	if err != nil {
		return nil, err
	}
	i.kafka.queue.Topic = importer.Topic
	name := format.Source
	if i.listen != "" { // beside the files of a process of its own
		name += "-received"
	}
	sink, err := importer.OpenKafka(i.kafka.queue, filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("--state %s: %w", dir, err)
	}
	return sink, nil
}

// stateDir is where people's programs keep what is to outlive them (XDG Base Directory
// Specification), unless --state says otherwise.
func (i *importing) stateDir() (string, error) {
	if i.state != "" {
		return i.state, nil
	}
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" { // of systemd
		return dir, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "netmeta", "import"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("there is no home directory to keep the state in; say --state DIR: %w", err)
	}
	return filepath.Join(home, ".local", "state", "netmeta", "import"), nil
}
