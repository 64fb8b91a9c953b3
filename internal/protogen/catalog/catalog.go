// Package catalog reads NetMeta's .proto files as tables of their fields: what each
// means, which protocol carries it where, and which column stores it. The comments in
// those files are the only place where that is written down.
package catalog

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Field is one field of a message. Texts are in Markdown, on one line, and empty where
// the comment says nothing.
type Field struct {
	Number  int
	Name    string
	Meaning string
	Unit    string

	// Column of the message's table that stores the field: the field's name, unless
	// the comment says "Column: another", which several fields may share, or
	// "Column: (none)", which is "" here.
	Column string
	// Implied is set for "Column: (name)": the column says what the field says, but
	// does not hold its value.
	Implied bool

	SFlow, NetFlow5, NetFlow9 string // NetFlow9 is IPFIX too
}

// Read returns the fields of the first message of a .proto file, whose text is given,
// in the order of the file.
func Read(ctx context.Context, name, text string) ([]Field, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(map[string]string{name: text})}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	return Fields(files[0].Messages().Get(0))
}

// Fields returns the fields of a message that was compiled with source information.
func Fields(message protoreflect.MessageDescriptor) ([]Field, error) {
	var fields []Field
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		comment := message.ParentFile().SourceLocations().ByDescriptor(field).LeadingComments
		if comment == "" {
			return nil, fmt.Errorf("field %s.%s has no comment", message.Name(), field.Name())
		}
		fields = append(fields, parse(int(field.Number()), string(field.Name()), comment))
	}
	return fields, nil
}

// labelled is a line that says one thing behind a label; the lines in front of the
// first label are the field's meaning.
var labelled = regexp.MustCompile(`^(Unit|Column|sFlow|v5|v9/IPFIX): (.*)$`)

func parse(number int, name, comment string) Field {
	f := Field{Number: number, Name: name, Column: name}
	var meaning []string
	for line := range strings.Lines(comment) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "|", `\|`)
		match := labelled.FindStringSubmatch(line)
		if match == nil {
			meaning = append(meaning, line)
			continue
		}
		switch text := match[2]; match[1] {
		case "Unit":
			f.Unit = text
		case "Column":
			f.Column = strings.Trim(text, "()")
			f.Implied = f.Column != text
		case "sFlow":
			f.SFlow = text
		case "v5":
			f.NetFlow5 = text
		case "v9/IPFIX":
			f.NetFlow9 = text
		}
	}
	if f.Column == "none" {
		f.Column, f.Implied = "", false
	}
	f.Meaning = strings.TrimSpace(strings.Join(meaning, " "))
	return f
}
