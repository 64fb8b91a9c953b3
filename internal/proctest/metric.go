package proctest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Metric is the sum of a counter, served in Prometheus's text format at url, over the
// series that contain match.
func Metric(t *testing.T, url, name, match string) (sum float64) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, name) && strings.Contains(line, match) {
			var value float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatalf("metric %q: %v", line, err)
			}
			sum += value
		}
	}
	return sum
}
