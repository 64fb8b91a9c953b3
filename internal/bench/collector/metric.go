//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// counter returns a collector.count that reads a metric.
func counter(name, label string) func(traffic, place) (int, error) {
	return func(_ traffic, at place) (int, error) { return readMetric(at.metrics, name, label) }
}

// readMetric sums a metric that is served on a port, over all series with the label.
func readMetric(port int, name, label string) (int, error) {
	response, err := http.Get("http://" + local(port) + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read the collector's metrics: %w", err)
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
