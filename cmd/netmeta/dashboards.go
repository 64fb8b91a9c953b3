package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/deploy/dashboards/evaluate"
)

func newDashboardsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboards",
		Short: "Write the dashboards for a Grafana of your own",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newDashboardsExportCommand())
	return cmd
}

func newDashboardsExportCommand() *cobra.Command {
	var (
		config       evaluate.Config
		provisioning bool
		server       string
	)
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the dashboards as JSON that Grafana imports",
		Long: `export writes every dashboard into DIR as the JSON that Grafana's "Import dashboard"
takes. Which ClickHouse they ask is chosen in Grafana, by the variable "Data source".

With --provisioning, Grafana can load all of it by itself: DIR/dashboards has the
dashboards then, and DIR/provisioning the files for Grafana's own directory of that
name: the data source, where the dashboards are, and the alert rules. The data source
has no password. Where --clickhouse names a user, Grafana takes the password from its
environment, from NETMETA_CLICKHOUSE_PASSWORD.`,
		Example: `  netmeta dashboards export /tmp/netmeta
  netmeta dashboards export /etc/netmeta-grafana --provisioning --clickhouse http://grafana@10.0.0.1:8123/default`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := exported(args[0], config, provisioning, server)
			if err != nil {
				return err
			}
			for _, path := range slices.Sorted(maps.Keys(files)) {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return fmt.Errorf("export dashboards: %w", err)
				}
				if err := os.WriteFile(path, files[path], 0o644); err != nil {
					return fmt.Errorf("export dashboards: %w", err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config.MinInterval, "min-interval", "1s", "shortest length of a bucket of time; for NetFlow and IPFIX, twice the timeout of active flows")
	flags.IntVar(&config.MaxPacketSize, "max-packet-size", 1500, "largest packet that the heat map of packet sizes shows, in bytes")
	flags.BoolVar(&provisioning, "provisioning", false, "write files for Grafana's provisioning, too")
	flags.StringVar(&server, "clickhouse", "http://127.0.0.1:8123/default", "where Grafana reaches ClickHouse by HTTP, with --provisioning: http://USER@HOST:PORT/DATABASE")
	return cmd
}

// exported returns what is to be written, by its path.
func exported(dir string, config evaluate.Config, provisioning bool, server string) (map[string][]byte, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("export dashboards: %w", err)
	}
	evaluated, err := evaluate.Files(dashboards.Sources(), config)
	if err != nil {
		return nil, err
	}
	place := dir
	if provisioning {
		place = filepath.Join(dir, "dashboards")
	}
	files := map[string][]byte{}
	for name, text := range evaluated {
		if strings.HasPrefix(name, "netmeta-") {
			files[filepath.Join(place, name)] = text
		}
	}
	if !provisioning {
		return files, nil
	}
	source, err := dataSource(server)
	if err != nil {
		return nil, err
	}
	under := filepath.Join(dir, "provisioning")
	files[filepath.Join(under, "datasources", "netmeta.yaml")] = []byte(source)
	files[filepath.Join(under, "dashboards", "netmeta.yaml")] = fmt.Appendf(nil, dashboardProvider, place)
	if alerts, ok := evaluated["alerts.json"]; ok {
		// JSON is YAML.
		files[filepath.Join(under, "alerting", "netmeta.yaml")] = alerts
	}
	return files, nil
}

const dashboardProvider = `# Made by netmeta dashboards export.
apiVersion: 1
providers:
  - name: NetMeta
    folder: NetMeta
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 60
    options:
      path: %q
`

// dataSource is the provisioning file of Grafana's ClickHouse data source. Releases of it
// before 4 read server where later ones read host.
func dataSource(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("--clickhouse %q is not a URL of the form http://USER@HOST:PORT/DATABASE", server)
	}
	if _, has := u.User.Password(); has {
		return "", fmt.Errorf("--clickhouse has a password, which would stand in a file: leave it out and set NETMETA_CLICKHOUSE_PASSWORD for Grafana")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "8123", "https": "8443"}[u.Scheme]
	}
	user, secure := "default", ""
	if u.User != nil {
		user, secure = u.User.Username(), "\n    secureJsonData:\n      password: $NETMETA_CLICKHOUSE_PASSWORD"
	}
	database := strings.Trim(u.Path, "/")
	if database == "" {
		database = "default"
	}
	return fmt.Sprintf(`# Made by netmeta dashboards export.
apiVersion: 1
datasources:
  - name: ClickHouse
    uid: clickhouse
    type: grafana-clickhouse-datasource
    editable: false
    jsonData:
      host: %[1]q
      server: %[1]q
      port: %[2]s
      protocol: http
      secure: %[3]t
      username: %[4]q
      defaultDatabase: %[5]q%[6]s
`, u.Hostname(), port, u.Scheme == "https", user, database, secure), nil
}
