//go:build linux

package process

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metric sums a metric that is served at HOST:PORT in Prometheus's text format, over all
// series with the label.
func Metric(address, name, label string) (int, error) {
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read the metrics of a program: %w", err)
	}
	defer response.Body.Close()
	return sumMetric(response.Body, name, label)
}

// sumMetric reads Prometheus's text format.
func sumMetric(in io.Reader, name, label string) (int, error) {
	sum, lines := 0.0, bufio.NewScanner(in)
	for lines.Scan() {
		series, found := strings.CutPrefix(lines.Text(), name)
		if !found || !strings.HasPrefix(series, "{") && !strings.HasPrefix(series, " ") || !strings.Contains(series, label) {
			continue
		}
		value, err := strconv.ParseFloat(series[strings.LastIndexByte(series, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s: %w", name, err)
		}
		sum += value
	}
	return int(sum), lines.Err()
}
