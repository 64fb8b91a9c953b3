package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/leoluk/NetMeta/internal/metrics"
)

// collectorTimeout is how long a collector has to tell its metrics.
const collectorTimeout = 2 * time.Second

// Collectors are those that run elsewhere. It is a prometheus.Gatherer of their counters,
// added up. It is safe for concurrent use.
type Collectors struct {
	addresses []string

	mu     sync.Mutex
	failed error // of those that did not answer the last time
}

// NewCollectors takes the addresses of the metrics of collectors, HOST:PORT or URLs.
func NewCollectors(addresses []string) *Collectors {
	c := &Collectors{}
	for _, address := range addresses {
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		c.addresses = append(c.addresses, strings.TrimSuffix(strings.TrimSuffix(address, "/"), "/metrics")+"/metrics")
	}
	return c
}

// Err says which collectors did not answer when they were asked last, or nil.
func (c *Collectors) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Gather implements prometheus.Gatherer. It returns no error: the counters of those that
// answer are worth to be shown, and Err has the others.
func (c *Collectors) Gather() ([]*dto.MetricFamily, error) {
	told := make([]map[string]*dto.MetricFamily, len(c.addresses))
	failed := make([]error, len(c.addresses))
	var asking sync.WaitGroup
	for i, address := range c.addresses {
		asking.Go(func() { told[i], failed[i] = readMetrics(address) })
	}
	asking.Wait()
	c.mu.Lock()
	c.failed = errors.Join(failed...)
	c.mu.Unlock()
	return addUp(told), nil
}

func readMetrics(address string) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(context.Background(), collectorTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the collector does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the collector does not answer: %s has status %d", address, response.StatusCode)
	}
	families, err := metrics.Parse(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s is not in Prometheus' text form: %w", address, err)
	}
	return families, nil
}

// addUp adds counters and gauges with the same labels. Others are left out.
func addUp(told []map[string]*dto.MetricFamily) (sums []*dto.MetricFamily) {
	type series struct{ name, labels string }
	known := map[series]*dto.Metric{}
	byName := map[string]*dto.MetricFamily{}
	for _, families := range told {
		for name, family := range families {
			sum := byName[name]
			if sum == nil {
				sum = &dto.MetricFamily{Name: family.Name, Type: family.Type}
				byName[name] = sum
				sums = append(sums, sum)
			}
			for _, metric := range family.GetMetric() {
				key := series{name, labelValues(metric)}
				if before := known[key]; before != nil {
					add(before, metric)
					continue
				}
				known[key] = metric
				sum.Metric = append(sum.Metric, metric)
			}
		}
	}
	slices.SortFunc(sums, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return sums
}

func add(to, more *dto.Metric) {
	switch {
	case to.Counter != nil:
		value := to.Counter.GetValue() + more.GetCounter().GetValue()
		to.Counter.Value = &value
	case to.Gauge != nil:
		value := to.Gauge.GetValue() + more.GetGauge().GetValue()
		to.Gauge.Value = &value
	}
}
