package main

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is who runs netmeta in its image, as deploy/components say, too.
const user = "65532"

// file is one of a layer.
type file struct {
	path string
	mode int64
	text []byte
}

// layer is an archive of files, the same for the same files: it has no times, and
// nobody's name.
func layer(files []file) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	made := map[string]bool{}
	for _, f := range files {
		var above []string
		for dir := filepath.Dir(f.path); dir != "."; dir = filepath.Dir(dir) {
			above = append([]string{dir}, above...)
		}
		for _, dir := range above {
			if made[dir] {
				continue
			}
			made[dir] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}); err != nil {
				return nil, err
			}
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.text)), ModTime: time.Unix(0, 0)}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// content is what an image of ours is made of.
type content struct {
	title    string
	programs []string // paths of programs, which lie in usr/bin under the same names
	shell    string   // which of them is /bin/sh; empty: none
	run      []string // the entrypoint
}

// buildNetMeta makes an image that has the program, a list of what it is made of, and
// nothing else.
func buildNetMeta(o options) (v1.Image, error) {
	return build(o, content{title: "NetMeta", programs: []string{o.binary}, run: []string{"/usr/bin/netmeta"}})
}

// buildToolbox makes an image that has the program, those of a directory, among which is
// the shell sh, and lists of what they are made of.
func buildToolbox(o options) (v1.Image, error) {
	programs, err := filepath.Glob(filepath.Join(o.toolbox, "*"))
	if err != nil {
		return nil, err
	}
	return build(o, content{title: "NetMeta toolbox", programs: append([]string{o.binary}, programs...), shell: "sh", run: []string{"/bin/sh"}})
}

func build(o options, c content) (v1.Image, error) {
	files := []file{{"etc/passwd", 0o644, []byte("netmeta:x:" + user + ":" + user + "::/tmp:/bin/sh\n")}}
	revised := ""
	for _, path := range c.programs {
		program, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		info, err := inspect(path, o.architecture)
		if err != nil {
			return nil, err
		}
		bill, err := billOfMaterials(info)
		if err != nil {
			return nil, err
		}
		name, place := filepath.Base(path), "usr/bin/"
		if name == c.shell {
			place = "bin/"
		}
		files = append(files, file{"usr/share/sbom/" + name + ".cdx.json", 0o644, bill}, file{place + name, 0o755, program})
		if path == o.binary {
			revised = revision(info)
		}
	}
	added, err := layer(files)
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), added)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", o.architecture
	config.Config = v1.Config{
		Entrypoint: c.run,
		User:       user + ":" + user,
		Env:        []string{"PATH=/usr/bin:/bin"},
		Labels: map[string]string{
			"org.opencontainers.image.title":    c.title,
			"org.opencontainers.image.source":   "https://github.com/leoluk/NetMeta",
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.version":  o.version,
			"org.opencontainers.image.revision": revised,
		},
	}
	return mutate.ConfigFile(img, config)
}

// inspect reads what a program is made of, and refuses one that an image cannot run.
func inspect(path, architecture string) (*buildinfo.BuildInfo, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for _, setting := range info.Settings {
		if setting.Key == "CGO_ENABLED" && setting.Value != "0" {
			return nil, fmt.Errorf("%s needs the libraries of a system, which the image has not: build it with CGO_ENABLED=0", path)
		}
		if setting.Key == "GOARCH" && setting.Value != architecture {
			return nil, fmt.Errorf("%s is for %s, and the image for %s", path, setting.Value, architecture)
		}
	}
	return info, nil
}

func revision(info *buildinfo.BuildInfo) string {
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return "unknown"
}

// billOfMaterials lists the modules that a program is made of, in the format of
// CycloneDX 1.6.
func billOfMaterials(info *buildinfo.BuildInfo) ([]byte, error) {
	type component struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	describe := func(path, version string) component {
		return component{"library", path, version, "pkg:golang/" + path + "@" + version}
	}
	bill := struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   any         `json:"metadata"`
		Components []component `json:"components"`
	}{"CycloneDX", "1.6", 1, map[string]any{"component": component{"application", info.Main.Path, info.Main.Version, "pkg:golang/" + info.Main.Path + "@" + info.Main.Version}}, nil}
	bill.Components = append(bill.Components, describe("stdlib", strings.TrimPrefix(info.GoVersion, "go")))
	for _, module := range info.Deps {
		for module.Replace != nil {
			module = module.Replace
		}
		bill.Components = append(bill.Components, describe(module.Path, module.Version))
	}
	return json.MarshalIndent(bill, "", "  ")
}

// pull fetches the image for an architecture.
func pull(reference, architecture string) (v1.Image, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// addPlugin adds a directory with the plugin to where deploy/components/grafana looks for
// it. Grafana itself checks that Grafana Labs have signed it.
func addPlugin(base v1.Image, plugin string) (v1.Image, error) {
	var files []file
	err := filepath.WalkDir(plugin, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(plugin, path)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		files = append(files, file{"usr/share/grafana-plugins/grafana-clickhouse-datasource/" + filepath.ToSlash(rest), mode, text})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s is empty", plugin)
	}
	added, err := layer(files)
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(base, added)
}

// writeArchive writes an image as an archive of OCI, whose manifest, and so its digest,
// stays as it is when a container runtime imports it.
func writeArchive(path, reference string, img v1.Image) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".layout-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	// The name by which containerd imports it.
	if err := l.AppendImage(img, layout.WithAnnotations(map[string]string{"io.containerd.image.name": reference})); err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, archive.Bytes(), 0o644)
}
