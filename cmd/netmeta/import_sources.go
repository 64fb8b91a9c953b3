package main

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/internal/importer/capture"
	"github.com/leoluk/NetMeta/internal/importer/gcpvpc"
	"github.com/leoluk/NetMeta/internal/importer/scamper"
	"github.com/leoluk/NetMeta/internal/importer/weblog"
)

func newImportGCPCommand() *cobra.Command {
	var i importing
	var options gcpvpc.Options
	var exporter string
	cmd := &cobra.Command{
		Use:   "gcp-vpc FILE... | --listen ADDRESS",
		Short: "Read VPC flow logs of Google Cloud",
		Long: `gcp-vpc reads VPC flow logs of Google Cloud as a log sink writes them to Cloud Storage:
entries of Cloud Logging as JSON, one a line, compressed or not.

Google keeps only a part of the records, the subnet's secondary sampling rate. It is not in
the records: say it with --sampling, so that traffic is estimated right.

The exporter of a flow is an address made of the names of project and VPC.

With --listen it takes what a push subscription of Pub/Sub delivers, to whose topic a log
sink writes.`,
		Example: `  netmeta import gcp-vpc --follow --sampling 0.5 gs://my-flow-logs/
  netmeta import gcp-vpc --listen :443 --tls-cert tls.crt --tls-key tls.key --audience https://flows.example.net/ --service-account push@my-project.iam.gserviceaccount.com`,
		Args: i.args,
		RunE: func(cmd *cobra.Command, files []string) (err error) {
			if options.Exporter, err = parseExporter(exporter); err != nil {
				return err
			}
			format, err := gcpvpc.Format(options)
			if err != nil {
				return fmt.Errorf("--sampling: %w", err)
			}
			if i.listen != "" {
				return i.receive(cmd, format, i.pubSub)
			}
			return i.run(cmd, format, files)
		},
	}
	i.addPubSub(cmd)
	cmd.Flags().Float64Var(&options.Sampling, "sampling", 0.5, "secondary sampling rate of the subnets (logConfig.flowSampling); Google's default is 0.5")
	cmd.Flags().StringVar(&exporter, "exporter", "", "address to store as that of the exporter (default: made of project and VPC)")
	i.add(cmd)
	return cmd
}

func newImportWebLogCommand() *cobra.Command {
	var i importing
	var options weblog.Options
	var server, zone string
	cmd := &cobra.Command{
		Use:   "web-log FILE...",
		Short: "Read access logs of web servers",
		Long: `web-log reads access logs of nginx, Apache, Caddy, Traefik and IIS (W3C). Each request
becomes the flow of its response, with the server as exporter and source and the client as
destination, and a row of web_requests: host, group of the path, status, duration, TLS.

Caddy's and Traefik's JSON, W3C, combined and common logs are recognised. For others, give
the text of nginx's log_format or Apache's LogFormat. Paths are grouped: the query is left
out, and numbers and ids are *.`,
		Example: `  netmeta import web-log --follow --server 192.0.2.80 --port 443 /var/log/nginx/access.log
  netmeta import web-log '/var/log/apache2/access.log*'
  netmeta import web-log --format '$remote_addr [$time_local] $host "$request" $status $bytes_sent $request_time $ssl_protocol' access.log`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) (err error) {
			if server != "" {
				if options.Server, err = netip.ParseAddr(server); err != nil {
					return fmt.Errorf("--server: %q is no IPv4 or IPv6 address", server)
				}
			}
			if options.Zone, err = time.LoadLocation(zone); err != nil {
				return fmt.Errorf("--timezone: %w", err)
			}
			format, err := weblog.Format(options)
			if err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			return i.run(cmd, format, files)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Format, "format", "", "combined, common, or the text of log_format or LogFormat (default: recognise it)")
	flags.StringVar(&server, "server", "", "address of the server, where the log does not tell (default: the first one of this host)")
	flags.Uint16Var(&options.Port, "port", 0, "port of the server, where the log does not tell (default: 443 with TLS, else 80)")
	flags.StringVar(&options.Host, "host", "", "host that was asked for, where the log does not tell")
	flags.StringVar(&zone, "timezone", "UTC", "time zone of W3C logs: UTC, Local or a name such as Europe/Paris")
	i.add(cmd)
	return cmd
}

func newImportPcapCommand() *cobra.Command {
	var i importing
	var options capture.Options
	var exporter string
	cmd := &cobra.Command{
		Use:   "pcap FILE...",
		Short: "Read captures of packets",
		Long: `pcap reads captures as tcpdump and Wireshark write them, pcap and pcapng: every packet
becomes a flow of one packet. With --follow, it reads what is being captured (tcpdump -U).

Captures of sFlow, NetFlow or IPFIX are for netmeta replay.`,
		Example: `  netmeta import pcap --exporter 192.0.2.1 monday.pcap.gz
  tcpdump -U -s 128 -w live.pcap & netmeta import pcap --follow live.pcap`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) (err error) {
			if options.Exporter, err = parseExporter(exporter); err != nil {
				return err
			}
			return i.run(cmd, capture.Format(options), files)
		},
	}
	cmd.Flags().StringVar(&exporter, "exporter", "", "address to store as that of the exporter (default: the first one of this host)")
	cmd.Flags().Uint64Var(&options.SamplingRate, "sampling-rate", 1, "one in how many packets was captured")
	i.add(cmd)
	return cmd
}

func newImportScamperCommand() *cobra.Command {
	var i importing
	var options scamper.Options
	cmd := &cobra.Command{
		Use:   "scamper FILE...",
		Short: "Read traceroutes and pings of CAIDA's scamper",
		Long: `scamper reads what CAIDA's scamper measured: warts, and JSON (scamper -O json, sc_warts2json).
Each traceroute or ping becomes a row of the table traces: who measured when, where to, each
hop that answered with its round trip time, MPLS labels and AS number, and whether the
destination was reached. The dashboard Traces shows them beside the traffic.

The name of the monitor is that which scamper was given (-M), else that of its host. Other
measurements in a file (tracelb, dealias, tbit ...) are counted and left out.`,
		Example: `  scamper -O warts -o paths.warts -M ams1 -c trace -f destinations.txt && netmeta import scamper paths.warts
  netmeta import scamper --kafka broker1:9092 --follow '/var/lib/ark/*.warts.gz'
  sc_warts2json paths.warts > paths.json && netmeta import scamper --dry-run paths.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return i.run(cmd, scamper.Format(options), files)
		},
	}
	cmd.Flags().StringVar(&options.Monitor, "monitor", "", "name of the monitor, where the file has none")
	i.add(cmd)
	return cmd
}
