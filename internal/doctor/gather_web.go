package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/leoluk/NetMeta/internal/metrics"
)

// base returns the URL of a server that is given as URL or as HOST:PORT, without a slash
// or one of the paths of metrics at its end.
func base(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	address = strings.TrimSuffix(address, "/")
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		address = strings.TrimSuffix(address, path)
	}
	return address
}

// withoutPassword is what can be shown of an address.
func withoutPassword(address string) string {
	u, err := url.Parse(base(address))
	if err != nil {
		return "an address that is no URL"
	}
	if u.User == nil {
		return strings.TrimPrefix(u.String(), "http://")
	}
	u.User = nil
	return u.String()
}

// shorten leaves the URL, which may hold a password, out of an error.
func shorten(err error) error {
	if network := (*net.OpError)(nil); errors.As(err, &network) {
		return network
	}
	if transport := (*url.Error)(nil); errors.As(err, &transport) {
		return transport.Err
	}
	return err
}

// readCollector reads the metrics and the failing checks of a collector.
func readCollector(ctx context.Context, address string) (p page) {
	response, err := get(ctx, base(address)+"/metrics")
	if err != nil {
		return page{err: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return page{err: fmt.Errorf("/metrics has status %d", response.StatusCode)}
	}
	families, err := metrics.Parse(response.Body)
	if err != nil {
		return page{err: fmt.Errorf("/metrics is not in Prometheus' text form: %w", err)}
	}
	p.readings = readingsOf(families)
	if len(p.readings) == 0 {
		return page{err: errors.New("its metrics are not those of NetMeta")}
	}
	p.failing = readChecks(ctx, base(address)+"/readyz")
	return p
}

func readingsOf(families map[string]*dto.MetricFamily) Readings {
	r := Readings{}
	for name, family := range families {
		if !strings.HasPrefix(name, "netmeta_") {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
			r[name] = append(r[name], Reading{Labels: labels, Value: value})
		}
	}
	return r
}

// since sets by how much each series has grown.
func (r Readings) since(before Readings) {
	key := func(name string, labels map[string]string) string {
		text, _ := json.Marshal(labels) // sorts; a map of strings always can be
		return name + string(text)
	}
	values := map[string]float64{}
	for name, series := range before {
		for _, s := range series {
			values[key(name, s.Labels)] = s.Value
		}
	}
	for name, series := range r {
		for i, s := range series {
			series[i].Growth = s.Value - values[key(name, s.Labels)]
			if series[i].Growth < 0 {
				series[i].Growth = s.Value // the process was started again meanwhile
			}
		}
	}
}

// readChecks returns the checks that fail. A server without them has none.
func readChecks(ctx context.Context, address string) (failing []Failing) {
	response, err := get(ctx, address)
	if err != nil {
		return []Failing{{Name: "readyz", Error: err.Error()}}
	}
	defer response.Body.Close()
	var answer struct {
		Checks []struct {
			Failing
			OK bool `json:"ok"`
		} `json:"checks"`
	}
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return nil
	}
	for _, c := range answer.Checks {
		if !c.OK {
			failing = append(failing, c.Failing)
		}
	}
	return failing
}

// readConsole asks the console whether flows are accepted and can be queried.
func readConsole(ctx context.Context, address string) *Page {
	p := &Page{URL: withoutPassword(address)}
	text := p.read(ctx, base(address)+"/-/ready")
	if p.Status == http.StatusServiceUnavailable {
		p.Problem = strings.TrimSpace(text)
	}
	return p
}

// read asks for a page, and returns its beginning.
func (p *Page) read(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	response, err := get(ctx, url)
	if err != nil {
		p.Err = err
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	p.Status, p.Err = response.StatusCode, err
	return string(text)
}

// readGrafana asks Grafana for its health, and for that of its data source, which it
// tells only to users.
func readGrafana(ctx context.Context, address string) *Page {
	p := &Page{URL: withoutPassword(address)}
	var health struct {
		Database string `json:"database"`
	}
	text := p.read(ctx, base(address)+"/api/health")
	if p.Err != nil {
		return p
	}
	if json.Unmarshal([]byte(text), &health) != nil || health.Database == "" {
		p.Problem = "this is not Grafana"
		return p
	}
	if health.Database != "ok" {
		p.Problem = "Grafana's own database: " + health.Database
		return p
	}
	source := Page{}
	var answer struct {
		Message string `json:"message"`
	}
	text = source.read(ctx, base(address)+"/api/datasources/uid/clickhouse/health")
	_ = json.Unmarshal([]byte(text), &answer) // the status says it too
	switch {
	case source.Status == http.StatusUnauthorized || source.Status == http.StatusForbidden:
		p.Note = "its data source was not examined: give a user and password in --grafana"
	case source.Status == http.StatusNotFound:
		p.Problem = "there is no data source with the uid clickhouse, which the dashboards use (netmeta dashboards export has it)"
	case source.Err != nil || source.Status != http.StatusOK:
		p.Problem = fmt.Sprintf("its data source clickhouse does not work: status %d %s", source.Status, answer.Message)
	}
	return p
}
