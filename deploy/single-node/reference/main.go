// Command reference writes doc/configuration.md from the comments in config.cue.
package main

import (
	"fmt"
	"os"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

var sources = []string{"config.cue", "values.cue"}

const target = "../../doc/configuration.md"

const heading = `# Configuration

<!-- Written by go generate ./deploy/single-node from the comments in config.cue. -->

Every key of ` + "`netmeta: config:`" + ` in ` + "`deploy/single-node/config_local.cue`" + `. A key that is not here is refused, and so is a value that cannot be; ` + "`cue vet -c ./...`" + ` in ` + "`deploy/single-node`" + ` says which. [operator.md](operator.md) says how to install with it.

Passwords are random texts of 16 characters or more, without spaces, or ` + "`{existingSecret: \"NAME\", key: \"KEY\"}`" + `, which is a key of a Secret that is in the namespace already. Addresses may be written as ` + "`192.0.2.1`, `::192.0.2.1`, `::ffff:192.0.2.1` or `2001:db8::1`" + `. Sizes are numbers with Mi, Gi or Ti.

| key | default | |
|---|---|---|
`

func main() {
	text, err := write()
	if err == nil {
		err = os.WriteFile(target, []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func write() (string, error) {
	definitions := map[string]ast.Expr{}
	for _, source := range sources {
		file, err := parser.ParseFile(source, nil, parser.ParseComments)
		if err != nil {
			return "", err
		}
		for _, declaration := range file.Decls {
			if field, ok := declaration.(*ast.Field); ok {
				name, _, _ := ast.LabelName(field.Label)
				definitions[name] = field.Value
			}
		}
	}
	t := table{definitions: definitions}
	t.text.WriteString(heading)
	if err := t.add("", definitions["#Config"]); err != nil {
		return "", err
	}
	return t.text.String(), nil
}

// patterns are what stands for keys that are not names, by what they are in.
var patterns = map[string]string{
	"sampler.": "ADDRESS", "sampler.ADDRESS.interface.": "NUMBER", "sampler.ADDRESS.vlan.": "NUMBER", "hosts.": "ADDRESS",
	"vlans.": "NUMBER", "networks.": "NETWORK", "userData.autnums.": "NUMBER",
}

// table is what is written.
type table struct {
	definitions map[string]ast.Expr
	text        strings.Builder
}

// add writes a row for each key of a value that is a struct, a list of such, or a name of
// either, and of those within it. Of other values, it writes nothing.
func (t *table) add(prefix string, value ast.Expr) error {
	switch value := value.(type) {
	case *ast.Ident:
		// What stands for a password is in the heading, and in the column of defaults.
		if value.Name == "#SecretKey" || value.Name == "#Derived" {
			return nil
		}
		if definition := t.definitions[value.Name]; definition != nil {
			return t.add(prefix, definition)
		}
	case *ast.ListLit:
		for _, element := range value.Elts {
			if rest, ok := element.(*ast.Ellipsis); ok {
				return t.add(prefix, rest.Type)
			}
		}
	case *ast.BinaryExpr:
		if err := t.add(prefix, value.X); err != nil {
			return err
		}
		return t.add(prefix, value.Y)
	case *ast.StructLit:
		for _, element := range value.Elts {
			// Others are conditions: what they add has a row already.
			if field, ok := element.(*ast.Field); ok {
				if err := t.addField(prefix, field); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (t *table) addField(prefix string, field *ast.Field) error {
	if _, pattern := field.Label.(*ast.ListLit); pattern {
		return t.add(prefix+patterns[prefix]+".", field.Value)
	}
	name, _, err := ast.LabelName(field.Label)
	if err != nil {
		return fmt.Errorf("%s: %w", field.Pos(), err)
	}
	if strings.HasPrefix(name, "_") {
		return nil
	}
	key, what := prefix+name, comment(field)
	if what == "" {
		return fmt.Errorf("%s: %s has no comment, which is its documentation", field.Pos(), key)
	}
	without, err := defaultOf(field)
	if err != nil {
		return err
	}
	// Comments begin with the key, as those of Go do.
	what = strings.TrimPrefix(what, name+" ")
	fmt.Fprintf(&t.text, "| `%s` | %s | %s |\n", key, without, strings.ReplaceAll(what, "|", "\\|"))
	return t.add(key+".", field.Value)
}

// comment is what is above a field.
func comment(field *ast.Field) string {
	var words []string
	for _, group := range ast.Comments(field) {
		if group.Doc {
			words = append(words, strings.Fields(group.Text())...)
		}
	}
	return strings.Join(words, " ")
}

// defaultOf says what holds if a key is left out.
func defaultOf(field *ast.Field) (string, error) {
	switch {
	case field.Constraint == token.NOT:
		return "has to be set", nil
	case field.Constraint == token.OPTION:
		return "", nil
	}
	switch value := field.Value.(type) {
	case *ast.StructLit:
		return "", nil
	case *ast.ListLit:
		return "`[]`", nil
	default:
		marked := mark(value)
		if marked == nil {
			return "", nil
		}
		text, err := format.Node(marked)
		if err != nil {
			return "", err
		}
		if string(text) == "#Derived" {
			return "derived", nil
		}
		return "`" + string(text) + "`", nil
	}
}

// mark is the value with the asterisk among alternatives.
func mark(value ast.Expr) ast.Expr {
	switch value := value.(type) {
	case *ast.BinaryExpr:
		if found := mark(value.X); found != nil {
			return found
		}
		return mark(value.Y)
	case *ast.UnaryExpr:
		if value.Op == token.MUL {
			return value.X
		}
	}
	return nil
}
