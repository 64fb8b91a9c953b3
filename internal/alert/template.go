package alert

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// declared are the variables that annotations begin with, in Grafana and here.
const declared = `{{- $labels := .Labels -}}{{- $values := .Values -}}{{- $value := .Value -}}`

// templateValue is $values.A: it prints as its number, which is also its .Value.
type templateValue struct {
	Labels map[string]string
	Value  float64
}

// String implements fmt.Stringer: two digits behind the point, none from 100 on.
func (v templateValue) String() string {
	if math.Abs(v.Value) >= 100 {
		return strconv.FormatFloat(v.Value, 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Round(v.Value*100)/100, 'f', -1, 64)
}

// functions are those of Grafana's templates that do not depend on it.
var functions = template.FuncMap{
	"humanize":           func(v any) (string, error) { return humanize(v, 1000) },
	"humanize1024":       func(v any) (string, error) { return humanize(v, 1024) },
	"humanizePercentage": func(v any) (string, error) { f, err := number(v); return fmt.Sprintf("%.4g%%", f*100), err },
	"humanizeDuration": func(v any) (string, error) {
		f, err := number(v)
		return time.Duration(f * float64(time.Second)).Round(time.Second).String(), err
	},
	"toLower": strings.ToLower,
	"toUpper": strings.ToUpper,
	"title":   func(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] },
	"match":   regexp.MatchString,
	"reReplaceAll": func(pattern, replacement, text string) (string, error) {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return "", err
		}
		return re.ReplaceAllString(text, replacement), nil
	},
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case templateValue:
		return v.Value, nil
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	case string:
		var f float64
		_, err := fmt.Sscan(v, &f)
		return f, err
	}
	return 0, fmt.Errorf("%v is not a number", v)
}

// humanize writes a number with four digits and a prefix of its size.
func humanize(v any, base float64) (string, error) {
	f, err := number(v)
	if err != nil || f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Sprintf("%.4g", f), err
	}
	prefix := ""
	for _, p := range []string{"k", "M", "G", "T", "P", "E"} {
		if math.Abs(f) < base {
			break
		}
		f, prefix = f/base, p
	}
	return fmt.Sprintf("%.4g%s", f, prefix), nil
}

// checkTemplates reports an annotation that cannot be filled in.
func (r *Rule) checkTemplates() error {
	for name := range r.Annotations {
		if _, err := r.annotation(name, Instance{Labels: map[string]string{}}); err != nil {
			return err
		}
	}
	return nil
}

// annotation fills an annotation in for an instance.
func (r *Rule) annotation(name string, i Instance) (string, error) {
	text, ok := r.Annotations[name]
	if !ok {
		return "", nil
	}
	t, err := template.New(name).Funcs(functions).Option("missingkey=zero").Parse(declared + text)
	if err != nil {
		return "", fmt.Errorf("annotation %s: %w", name, err)
	}
	value := templateValue{i.Labels, i.Value}
	var out strings.Builder
	err = t.Execute(&out, map[string]any{
		// By whatever name the rule calls the query or an expression of it.
		"Labels": i.Labels, "Value": value.String(), "Values": map[string]templateValue{"A": value, "B": value, "C": value},
	})
	if err != nil {
		return "", fmt.Errorf("annotation %s: %w", name, err)
	}
	return out.String(), nil
}
