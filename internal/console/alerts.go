package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leoluk/NetMeta/internal/alert"
)

// alertsName is who asks for alerts: they wait in a line of their own.
const alertsName = "alerts"

func (a *api) serveAlerts(w http.ResponseWriter, r *http.Request) {
	writeValue(w, r, map[string]any{"rules": a.alerts.Reports()})
}

// askSamples runs the statement of an alert rule.
func (a *api) askSamples(ctx context.Context, sql string, limit int) ([]alert.Sample, error) {
	b := panelBounds
	b.rows = limit
	t, err := a.asker.ask(ctx, alertsName, sql, b)
	if err != nil {
		f := explain(err)
		return nil, errors.New(f.Error)
	}
	return readSamples(t)
}

// readSamples makes samples of a result: columns of text are labels, and the one of
// numbers is the value. Rows whose number is NULL, NaN or infinite are left out.
func readSamples(t *table) ([]alert.Sample, error) {
	value := -1
	for i, c := range t.columns {
		switch {
		case !isNumeric(c.Type):
		case value >= 0:
			return nil, fmt.Errorf("columns %s and %s are both numbers: an alert rule has one, and labels of text", t.columns[value].Name, c.Name)
		default:
			value = i
		}
	}
	if value < 0 {
		return nil, errors.New("no column is a number, which an alert rule needs beside its labels")
	}
	var samples []alert.Sample
	for _, row := range t.rows {
		var cells []any
		if err := json.Unmarshal(row, &cells); err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		number, ok := cells[value].(float64)
		if !ok {
			continue
		}
		s := alert.Sample{Labels: map[string]string{}, Value: number}
		for i, cell := range cells {
			if i != value && !dateTimes.MatchString(t.columns[i].Type) && cell != nil {
				s.Labels[t.columns[i].Name] = fmt.Sprint(cell)
			}
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// isNumeric reports whether the values of a type are numbers.
func isNumeric(columnType string) bool {
	for {
		match := wrapped.FindStringSubmatch(columnType)
		if match == nil {
			break
		}
		columnType = match[1]
	}
	for _, prefix := range []string{"UInt", "Int", "Float", "Decimal", "BFloat"} {
		if strings.HasPrefix(columnType, prefix) && !strings.HasPrefix(columnType, "Interval") {
			return true
		}
	}
	return false
}
