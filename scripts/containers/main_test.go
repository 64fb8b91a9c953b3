package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// build makes a program to put into an image.
func program(t *testing.T, name string, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module example.com/program\n\ngo 1.26.0\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join("bin", name), ".")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0", "GOARCH=amd64"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "bin", name)
}

// prepare has a registry with an image of Grafana and one of Traefik, whose names it
// returns, and options to build with.
func prepare(t *testing.T) (o options, grafana, traefik string, traefikDigest v1.Hash) {
	t.Helper()
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	push := func(reference string) v1.Hash {
		img, err := random.Image(100, 1)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", "amd64"
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference(reference)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	grafana, traefik = host+"/grafana/grafana:13", host+"/library/traefik:v3"
	push(grafana)
	traefikDigest = push(traefik)

	plugin := t.TempDir()
	if err := os.WriteFile(filepath.Join(plugin, "plugin.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	return options{
		binary: program(t, "netmeta"), toolbox: filepath.Dir(program(t, "sh")), architecture: "amd64", version: "v1",
		grafana: grafana, plugin: plugin,
		out: out, cue: filepath.Join(out, "images_local.cue"),
	}, grafana, traefik, traefikDigest
}

func list(traefik string) string {
	return fmt.Sprintf(`{"netmeta": {"image": "a/b:c"}, "grafana": {"image": "netmeta.local/grafana:13"}, "traefik": {"image": %q}}`, traefik)
}

func TestSameSourceMakesTheSameImages(t *testing.T) {
	o, _, traefik, traefikDigest := prepare(t)
	if err := run(o, strings.NewReader(list(traefik))); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(o.cue)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("traefik: {image: %q, digest: %q}", traefik, traefikDigest); !strings.Contains(string(first), want) {
		t.Errorf("images_local.cue is\n%s\nwant %s in it", first, want)
	}
	archive, err := os.ReadFile(filepath.Join(o.out, "netmeta.tar"))
	if err != nil {
		t.Fatal(err)
	}
	o.binary = program(t, "netmeta")
	if err := run(o, strings.NewReader(list(traefik))); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(o.cue)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("built again, images_local.cue is\n%s\nand was\n%s", second, first)
	}
	if again, err := os.ReadFile(filepath.Join(o.out, "netmeta.tar")); err != nil || len(again) != len(archive) {
		t.Errorf("built again, the archive has %d bytes and had %d, %v", len(again), len(archive), err)
	}
}

func TestImageHasTheProgramAndWhatItIsMadeOf(t *testing.T) {
	o, _, _, _ := prepare(t)
	img, err := buildNetMeta(o)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Architecture != "amd64" || config.Config.Labels["org.opencontainers.image.version"] != "v1" {
		t.Errorf("it is configured as %+v", config)
	}
	dir := t.TempDir()
	untar := exec.Command("tar", "-x", "-C", dir)
	untar.Stdin = mutate.Extract(img)
	if out, err := untar.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "usr/share/sbom/netmeta.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat string
		Metadata  struct{ Component struct{ Name string } }
	}
	if err := json.Unmarshal(text, &bill); err != nil || bill.BOMFormat != "CycloneDX" || bill.Metadata.Component.Name != "example.com/program" {
		t.Errorf("the list of what it is made of is %s, %v", text, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "usr/bin/netmeta")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program is %v, %v", info, err)
	}
}

func TestToolboxHasAShellBesideTheProgram(t *testing.T) {
	o, _, _, _ := prepare(t)
	img, err := buildToolbox(o)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/bin/sh" || config.Config.Labels["org.opencontainers.image.title"] != "NetMeta toolbox" {
		t.Errorf("it is configured as %+v", config)
	}
	dir := t.TempDir()
	untar := exec.Command("tar", "-x", "-C", dir)
	untar.Stdin = mutate.Extract(img)
	if out, err := untar.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, path := range []string{"bin/sh", "usr/bin/netmeta", "usr/share/sbom/sh.cdx.json", "usr/share/sbom/netmeta.cdx.json"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
}

func TestDigestIsThatOfTheArchive(t *testing.T) {
	o, _, traefik, _ := prepare(t)
	if err := run(o, strings.NewReader(list(traefik))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.cue)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"netmeta", "toolbox", "grafana"} {
		dir := t.TempDir()
		if out, err := exec.Command("tar", "-x", "-C", dir, "-f", filepath.Join(o.out, key+".tar")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		index, err := layout.ImageIndexFromPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if got := manifest.Manifests[0].Digest.String(); !strings.Contains(string(text), got) {
			t.Errorf("%s.tar has %s, and images_local.cue\n%s", key, got, text)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		promise string
		change  func(*options)
		images  func(traefik string) string
		want    string
	}{
		{"a program for another processor", func(o *options) { o.architecture = "arm64" }, list, "is for amd64, and the image for arm64"},
		{"no plugin", func(o *options) { o.plugin = filepath.Join(o.out, "none") }, list, "add the plugin to Grafana"},
		{"an image that is not there", func(*options) {}, func(traefik string) string { return list(traefik + "x") }, "traefik: ask for"},
		{"no list", func(*options) {}, func(string) string { return "" }, "read the list of images"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			o, _, traefik, _ := prepare(t)
			c.change(&o)
			err := run(o, strings.NewReader(c.images(traefik)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(o.cue); err == nil {
				t.Error("images_local.cue was written all the same")
			}
		})
	}
}
