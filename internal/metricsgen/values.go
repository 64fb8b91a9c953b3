package main

import (
	"cmp"
	"go/ast"
	"slices"
	"strings"
)

// vector is what a variable or field stands for: a metric, and which of its labels are
// still open (prometheus' "currying").
type vector struct {
	metric *metric
	open   []label
}

// tracer finds the constants that reach the labels of metrics in one package. It looks
// at names alone, and follows a value through one parameter or field, which is as far
// as a reader would like to follow it too.
type tracer struct {
	*source
	packages map[string]*source
}

// findValues adds the values that the package gives to labels of metrics, its own and
// those of packages that it imports.
func (s *source) findValues(packages map[string]*source) {
	t := tracer{s, packages}
	t.followCurrying()
	for _, file := range s.syntax {
		for _, declaration := range file.Decls {
			function, _ := declaration.(*ast.FuncDecl)
			ast.Inspect(declaration, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					t.readCall(call, function)
				}
				return true
			})
		}
	}
}

// followCurrying gives names to vectors with fewer open labels.
func (t *tracer) followCurrying() {
	t.each(func(n ast.Node) {
		eachAssignment(n, func(name string, e ast.Expr) {
			call, ok := e.(*ast.CallExpr)
			if !ok || !strings.HasSuffix(nameOf(call.Fun), "CurryWith") {
				return
			}
			if v, ok := t.vector(call.Fun.(*ast.SelectorExpr).X); ok {
				// Which labels are given is not always in sight, so those are taken to be
				// the first: one argument, one label.
				t.vectors[name] = vector{v.metric, v.open[min(1, len(v.open)):]}
			}
		})
	})
}

// vector returns the metric that an expression names.
func (t *tracer) vector(e ast.Expr) (vector, bool) {
	s := t.source
	if selector, ok := e.(*ast.SelectorExpr); ok {
		if imported, ok := t.packages[nameOf(selector.X)]; ok {
			s = imported
		}
	}
	v, ok := s.vectors[nameOf(e)]
	return v, ok
}

// readCall takes the values of labels from a call of WithLabelValues inside function,
// which is nil outside of any.
func (t *tracer) readCall(call *ast.CallExpr, function *ast.FuncDecl) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "WithLabelValues" && selector.Sel.Name != "DeleteLabelValues" {
		return
	}
	v, ok := t.vector(selector.X)
	if !ok {
		return
	}
	for i, argument := range call.Args {
		if i >= len(v.open) {
			return
		}
		v.metric.add(v.open[i].name, t.values(argument, function, true))
	}
}

// add notes values of a label, each once.
func (m *metric) add(name string, values []value) {
	for i := range m.labels {
		if m.labels[i].name != name {
			continue
		}
		all := append(m.labels[i].values, values...)
		slices.SortFunc(all, func(a, b value) int {
			return cmp.Or(cmp.Compare(a.text, b.text), -cmp.Compare(a.meaning, b.meaning))
		})
		m.labels[i].values = slices.CompactFunc(all, func(a, b value) bool { return a.text == b.text })
	}
}

// values returns the constants that e can be, as far as they are in sight. follow
// says whether to look for them where a parameter or a field gets its value.
func (t *tracer) values(e ast.Expr, function *ast.FuncDecl, follow bool) []value {
	if text, ok := literal(e); ok {
		return []value{{text: text}}
	}
	switch e := e.(type) {
	case *ast.Ident:
		if c, ok := t.constants[e.Name]; ok {
			return []value{c}
		}
		if i := parameter(function, e.Name); i >= 0 && follow {
			return t.arguments(function.Name.Name, i)
		}
	case *ast.SelectorExpr:
		if imported, ok := t.packages[nameOf(e.X)]; ok {
			if c, ok := imported.constants[e.Sel.Name]; ok {
				return []value{c}
			}
		}
		if follow {
			return t.assigned(e.Sel.Name)
		}
	}
	return nil
}

// parameter returns the position of a parameter of function, -1 if it has none of
// that name.
func parameter(function *ast.FuncDecl, name string) int {
	if function == nil {
		return -1
	}
	i := 0
	for _, group := range function.Type.Params.List {
		for _, parameter := range group.Names {
			if parameter.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// arguments returns the constants that the package passes to a function of its own.
func (t *tracer) arguments(function string, position int) (values []value) {
	t.each(func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if ok && nameOf(call.Fun) == function && position < len(call.Args) {
			values = append(values, t.values(call.Args[position], nil, false)...)
		}
	})
	return values
}

// assigned returns the constants that the package assigns to fields of that name.
func (t *tracer) assigned(field string) (values []value) {
	t.each(func(n ast.Node) {
		eachAssignment(n, func(name string, e ast.Expr) {
			if name == field {
				values = append(values, t.values(e, nil, false)...)
			}
		})
	})
	return values
}
