//go:build linux

package process

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Metric sums a metric that is served at HOST:PORT in Prometheus's text format, over all
// series with the label.
func Metric(address, name, label string) (sum int, err error) {
	err = scrape(address, func(page io.Reader) error {
		sum, err = sumMetric(page, name, label)
		return err
	})
	return sum, err
}

// Count is what a metric counts for one value of a label.
type Count struct {
	Value string // "" for series without the label
	Count int
}

// MetricBy sums a metric that is served at HOST:PORT for each value of a label, in the
// order of the values.
func MetricBy(address, name, label string) (counts []Count, err error) {
	err = scrape(address, func(page io.Reader) error {
		counts, err = sumBy(page, name, label)
		return err
	})
	return counts, err
}

func scrape(address string, read func(io.Reader) error) error {
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return fmt.Errorf("read the metrics of a program: %w", err)
	}
	defer response.Body.Close()
	return read(response.Body)
}

func sumMetric(page io.Reader, name, label string) (int, error) {
	sum := 0.0
	err := eachSeries(page, name, func(labels string, value float64) {
		if strings.Contains(labels, label) {
			sum += value
		}
	})
	return int(sum), err
}

func sumBy(page io.Reader, name, label string) (counts []Count, err error) {
	sums := map[string]float64{}
	err = eachSeries(page, name, func(labels string, value float64) {
		_, found, _ := strings.Cut(","+strings.Trim(labels, "{} "), ","+label+`="`)
		of, _, _ := strings.Cut(found, `"`)
		sums[of] += value
	})
	for of, sum := range sums {
		counts = append(counts, Count{of, int(sum)})
	}
	slices.SortFunc(counts, func(a, b Count) int { return strings.Compare(a.Value, b.Value) })
	return counts, err
}

// eachSeries visits the series of a metric in Prometheus's text format.
func eachSeries(page io.Reader, name string, visit func(labels string, value float64)) error {
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		series, found := strings.CutPrefix(lines.Text(), name)
		if !found || !strings.HasPrefix(series, "{") && !strings.HasPrefix(series, " ") {
			continue
		}
		end := strings.LastIndexByte(series, ' ')
		value, err := strconv.ParseFloat(series[end+1:], 64)
		if err != nil {
			return fmt.Errorf("read the metric %s: %w", name, err)
		}
		visit(series[:end], value)
	}
	return lines.Err()
}
