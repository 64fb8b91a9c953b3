package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// metric is one declaration of a metric.
type metric struct {
	area   string // the package that declares it
	name   string
	kind   string // counter, gauge, histogram or summary
	help   string
	labels []label
}

// label is one label of a metric, and the values that the code gives it; none where
// they are not constants.
type label struct {
	name   string
	values []value
}

// value is a constant that a label can have, and what the comment beside it says.
type value struct{ text, meaning string }

var validName = regexp.MustCompile(`^netmeta_[a-z0-9_]+$`)

// findMetrics returns all metrics that the packages declare, in no particular order,
// or an error that names every declaration that could not be documented.
func findMetrics(packages map[string]*source) ([]*metric, error) {
	var metrics []*metric
	var problems []error
	found := map[string]token.Position{}
	for _, s := range packages {
		f := finder{source: s, named: map[string]vector{}}
		f.find()
		problems = append(problems, f.problems...)
		for i, m := range f.metrics {
			if earlier, twice := found[m.name]; twice {
				problems = append(problems, fmt.Errorf("%s: %s is also declared at %s", f.positions[i], m.name, earlier))
			}
			found[m.name] = f.positions[i]
		}
		metrics = append(metrics, f.metrics...)
		s.vectors = f.named
	}
	for _, s := range packages {
		s.findValues(packages)
	}
	return metrics, errors.Join(problems...)
}

// finder collects the declarations of one package.
type finder struct {
	*source
	metrics   []*metric
	positions []token.Position // of metrics
	named     map[string]vector
	problems  []error
}

// find looks for the calls that make a metric, and for what they are assigned to.
func (f *finder) find() {
	declared := map[ast.Node]*metric{} // by the call that makes it
	understood := map[ast.Node]bool{}
	f.each(func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return
		}
		if options, kind := optionsOf(call.Args[0]); options != nil {
			understood[options] = true
			declared[call] = f.declare(call, kind, field(options, "Name"), field(options, "Help"), call.Args[1:])
		} else if selector, ok := call.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "NewDesc" && len(call.Args) == 4 {
			declared[call] = f.declare(call, f.kindOf(call), call.Args[0], call.Args[1], call.Args[2:3])
		}
	})
	f.each(func(n ast.Node) {
		if e, ok := n.(ast.Expr); ok {
			if options, _ := optionsOf(e); options != nil && !understood[options] {
				f.complain(options, "options of a metric outside of the call that makes it")
			}
		}
		eachAssignment(n, func(name string, e ast.Expr) {
			if m := declared[e]; m != nil {
				f.named[name] = vector{m, m.labels}
			}
		})
	})
}

// declare notes a metric that call makes.
func (f *finder) declare(call *ast.CallExpr, kind string, nameExpr, helpExpr ast.Expr, rest []ast.Expr) *metric {
	name, ok := literal(nameExpr)
	switch {
	case !ok:
		f.complain(call, "the name of a metric is not a literal string")
	case !validName.MatchString(name):
		f.complain(call, "%q is not a name of the form netmeta_area_what", name)
	}
	help, ok := literal(helpExpr)
	if !ok || help == "" {
		f.complain(call, "%s: no help, or not a literal string", name)
	}
	if kind == "" {
		f.complain(call, "%s: no use as a prometheus.CounterValue or GaugeValue in this package", name)
	}
	m := &metric{area: f.name(), name: name, kind: kind, help: oneLine(help)}
	if kind == "counter" && !strings.HasSuffix(name, "_total") {
		f.complain(call, "%s: the name of a counter ends in _total", name)
	}
	if len(rest) > 0 {
		m.labels = f.labels(name, rest[0])
	}
	f.metrics = append(f.metrics, m)
	f.positions = append(f.positions, f.position(call))
	return m
}

// labels reads the names in []string{...}; nil and functions mean none.
func (f *finder) labels(metric string, e ast.Expr) (labels []label) {
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		if _, isFunction := e.(*ast.FuncLit); isFunction || isName(e, "nil") {
			return nil
		}
		if _, isList := e.(*ast.Ident); isList {
			f.complain(e, "%s: the names of its labels are not literal", metric)
		}
		return nil
	}
	for _, element := range list.Elts {
		name, ok := literal(element)
		if !ok {
			f.complain(element, "%s: the name of a label is not a literal string", metric)
		}
		labels = append(labels, label{name: name})
	}
	return labels
}

// kindOf tells the type of a described metric by a call of prometheus.MustNewConstMetric
// with the variable that the description is assigned to.
func (f *finder) kindOf(description *ast.CallExpr) (kind string) {
	var names []string
	f.each(func(n ast.Node) {
		eachAssignment(n, func(name string, e ast.Expr) {
			if e == description {
				names = append(names, name)
			}
		})
	})
	f.each(func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 || !strings.HasSuffix(nameOf(call.Fun), "NewConstMetric") {
			return
		}
		if slices.Contains(names, nameOf(call.Args[0])) {
			kind = strings.ToLower(strings.TrimSuffix(nameOf(call.Args[1]), "Value"))
		}
	})
	return kind
}

func (f *finder) complain(n ast.Node, format string, args ...any) {
	f.problems = append(f.problems, fmt.Errorf("%s: %w", f.position(n), fmt.Errorf(format, args...)))
}

// optionsOf returns e if it is a literal prometheus.CounterOpts or the like, and the
// kind of metric it is for.
func optionsOf(e ast.Expr) (options *ast.CompositeLit, kind string) {
	options, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil, ""
	}
	selector, ok := options.Type.(*ast.SelectorExpr)
	if !ok || !isName(selector.X, "prometheus") {
		return nil, ""
	}
	kind, ok = strings.CutSuffix(selector.Sel.Name, "Opts")
	if !ok {
		return nil, ""
	}
	return options, strings.ToLower(kind)
}

// field returns the value of a field in a literal struct, nil if it is not there.
func field(options *ast.CompositeLit, name string) ast.Expr {
	for _, element := range options.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok && isName(pair.Key, name) {
			return pair.Value
		}
	}
	return nil
}

// eachAssignment calls visit with every name that n gives to a value: variables and
// fields, without what they belong to.
func eachAssignment(n ast.Node, visit func(name string, value ast.Expr)) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, value := range n.Values {
			visit(n.Names[i].Name, value)
		}
	case *ast.AssignStmt:
		for i, value := range n.Rhs {
			if i < len(n.Lhs) {
				visit(nameOf(n.Lhs[i]), value)
			}
		}
	case *ast.KeyValueExpr:
		visit(nameOf(n.Key), n.Value)
	}
}

// nameOf is the last part of a name, "" if e is none.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func isName(e ast.Expr, name string) bool {
	identifier, ok := e.(*ast.Ident)
	return ok && identifier.Name == name
}
