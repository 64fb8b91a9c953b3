// Command protogen compiles NetMeta's .proto files to Go, without protoc: the compiler
// is a Go library and the code generator a tool of go.mod, so that both have a pinned
// version and go generate needs nothing installed. From the comments of the files it
// makes pages of documentation.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: protogen PROTO-DIRECTORY PAGE-DIRECTORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func generate(protos, docs string) error {
	for _, p := range fieldPages {
		fields, err := compile(protos, p.File)
		if err != nil {
			return err
		}
		if err := writePage(docs, p.Page, func() (string, error) { return p.render(fields) }); err != nil {
			return err
		}
		if p.File != flowFile {
			continue
		}
		if err := writePage(docs, "protocols.md", func() (string, error) { return protocolsPage(fields) }); err != nil {
			return err
		}
	}
	return nil
}

func writePage(docs, name string, render func() (string, error)) error {
	text, err := render()
	if err != nil {
		return fmt.Errorf("make page %s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644)
}

// compile writes the Go code of a .proto file beside it, and returns the fields of its
// first message.
func compile(dir, name string) ([]catalog.Field, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{dir}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	if err := writeCode(dir, files[0]); err != nil {
		return nil, err
	}
	return catalog.Fields(files[0].Messages().Get(0))
}

func writeCode(dir string, file linker.File) error {
	response, err := runPlugin(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{file.Path()},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protoutil.ProtoFromFileDescriptor(file)},
	})
	if err != nil {
		return err
	}
	for _, f := range response.File {
		if err := os.WriteFile(filepath.Join(dir, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// runPlugin speaks protoc's plugin protocol: a CodeGeneratorRequest on standard
// input, a CodeGeneratorResponse on standard output.
func runPlugin(request *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	plugin := exec.Command("go", "tool", "protoc-gen-go")
	plugin.Stdin, plugin.Stderr = bytes.NewReader(in), os.Stderr
	out, err := plugin.Output()
	if err != nil {
		return nil, fmt.Errorf("run protoc-gen-go: %w", err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return nil, fmt.Errorf("read the answer of protoc-gen-go: %w", err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("protoc-gen-go: %s", response.GetError())
	}
	return &response, nil
}
