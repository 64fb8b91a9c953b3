package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// source is a package as it is written. Nothing is type-checked: that would take a
// compiler's work for every dependency, and a declaration that only a type checker
// understands is not one to document.
type source struct {
	path      string // of its directory below the module, with slashes
	files     *token.FileSet
	syntax    []*ast.File
	constants map[string]value  // string constants at the level of the package
	vectors   map[string]vector // metrics by the variables and fields that hold them
}

// name is that of the package's directory, which is the package's own.
func (s *source) name() string { return s.path[strings.LastIndex(s.path, "/")+1:] }

func (s *source) position(n ast.Node) token.Position { return s.files.Position(n.Pos()) }

// readModule parses the packages below cmd and internal of the module at root, by the
// name of the package, without their tests. Commands come under the name of their
// directory.
func readModule(root string) (map[string]*source, error) {
	packages := map[string]*source{}
	files := token.NewFileSet()
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			syntax, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			directory, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			s := &source{path: filepath.ToSlash(directory), files: files, constants: map[string]value{}}
			if known, ok := packages[s.name()]; ok {
				s = known
			}
			packages[s.name()] = s
			s.syntax = append(s.syntax, syntax)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the packages of %s: %w", root, err)
		}
	}
	for _, s := range packages {
		s.readConstants()
	}
	return packages, nil
}

// readConstants notes string constants and what the comments beside them say.
func (s *source) readConstants() {
	s.each(func(n ast.Node) {
		declaration, ok := n.(*ast.GenDecl)
		if !ok || declaration.Tok != token.CONST {
			return
		}
		for _, spec := range declaration.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, name := range spec.Names {
				if i >= len(spec.Values) {
					break
				}
				if text, ok := literal(spec.Values[i]); ok {
					s.constants[name.Name] = value{text, oneLine(spec.Comment.Text())}
				}
			}
		}
	})
}

// each calls visit with every node of the package's syntax.
func (s *source) each(visit func(ast.Node)) {
	for _, file := range s.syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				visit(n)
			}
			return true
		})
	}
}

// literal returns the text of a string literal, or of several joined by +.
func literal(e ast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, alsoOK := literal(e.Y)
		return left + right, ok && alsoOK && e.Op == token.ADD
	}
	return "", false
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
