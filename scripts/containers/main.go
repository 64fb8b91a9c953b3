// Command containers makes NetMeta's container images without a container daemon, and
// looks up the digests of the others. scripts/build_containers.sh runs it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// image is one as deploy/single-node/images.cue has it.
type image struct {
	Image  string `json:"image"`
	Digest string `json:"digest"`
}

type options struct {
	binary, architecture, version string
	toolbox                       string // directory of the other programs of the toolbox
	plugin                        string // directory of Grafana's plugin for ClickHouse
	grafana                       string // the image that it is added to
	out, cue                      string
	offline                       bool
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "netmeta, built for Linux without cgo")
	flag.StringVar(&o.toolbox, "toolbox", "", "directory with the programs of the toolbox; without, its image is not built")
	flag.StringVar(&o.architecture, "architecture", "amd64", "that it is built for")
	flag.StringVar(&o.version, "version", "", "of NetMeta, the tag of its image")
	flag.StringVar(&o.grafana, "grafana", "", "image of Grafana to add the plugin to")
	flag.StringVar(&o.plugin, "plugin", "", "directory with the unpacked plugin, grafana-clickhouse-datasource")
	flag.StringVar(&o.out, "out", "", "directory for the images, each an archive of OCI")
	flag.StringVar(&o.cue, "cue", "", "images_local.cue, to be written")
	flag.BoolVar(&o.offline, "offline", false, "look nothing up: others than NetMeta's keep what -cue is told on standard input")
	flag.Parse()
	if err := run(o, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "containers:", err)
		os.Exit(1)
	}
}

// run builds what is to be built, and writes down the digest of every image of the JSON
// in images.
func run(o options, images io.Reader) error {
	all := map[string]image{}
	if err := json.NewDecoder(images).Decode(&all); err != nil {
		return fmt.Errorf("read the list of images: %w", err)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	netmeta, err := buildNetMeta(o)
	if err != nil {
		return fmt.Errorf("build the image of netmeta: %w", err)
	}
	if all["netmeta"], err = store(o, "netmeta", "netmeta.local/netmeta:"+o.version, netmeta); err != nil {
		return err
	}
	if o.toolbox != "" {
		toolbox, err := buildToolbox(o)
		if err != nil {
			return fmt.Errorf("build the image of the toolbox: %w", err)
		}
		if all["toolbox"], err = store(o, "toolbox", "netmeta.local/toolbox:"+o.version, toolbox); err != nil {
			return err
		}
	}
	if o.plugin != "" {
		base, err := pull(o.grafana, o.architecture)
		if err != nil {
			return fmt.Errorf("fetch Grafana: %w", err)
		}
		grafana, err := addPlugin(base, o.plugin)
		if err != nil {
			return fmt.Errorf("add the plugin to Grafana: %w", err)
		}
		if all["grafana"], err = store(o, "grafana", all["grafana"].Image, grafana); err != nil {
			return err
		}
	}
	if !o.offline {
		if err := pin(all); err != nil {
			return err
		}
	}
	return os.WriteFile(o.cue, []byte(declaration(all)), 0o644)
}

// store writes an image as an archive of OCI, and returns how it is to be referred to.
func store(o options, key, reference string, img v1.Image) (image, error) {
	digest, err := img.Digest()
	if err != nil {
		return image{}, err
	}
	path := filepath.Join(o.out, key+".tar")
	if err := writeArchive(path, reference, img); err != nil {
		return image{}, fmt.Errorf("write %s: %w", path, err)
	}
	fmt.Printf("%s@%s is in %s\n", reference, digest, path)
	return image{Image: reference, Digest: digest.String()}, nil
}

// pin asks registries for the digests of images that have none. All that fail are in the
// error.
func pin(all map[string]image) error {
	var failed []error
	for _, key := range slices.Sorted(maps.Keys(all)) {
		img := all[key]
		if img.Digest != "" || strings.HasPrefix(img.Image, "netmeta.local/") {
			continue
		}
		ref, err := name.ParseReference(img.Image)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", key, err))
			continue
		}
		// Of the index, so that every architecture finds its own.
		found, err := remote.Head(ref, remote.WithAuthFromKeychain(authn.DefaultKeychain))
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: ask for %s: %w", key, img.Image, err))
			continue
		}
		img.Digest = found.Digest.String()
		all[key] = img
		fmt.Printf("%s@%s\n", img.Image, img.Digest)
	}
	if len(failed) > 0 {
		failed = append(failed, errors.New("nothing was written (without internet, give --offline, and digests in a file of your own)"))
	}
	return errors.Join(failed...)
}

// declaration is images_local.cue.
func declaration(all map[string]image) string {
	var text strings.Builder
	text.WriteString("// Written by scripts/build_containers.sh.\npackage k8s\n\nnetmeta: images: {\n")
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if img := all[key]; img.Digest != "" {
			fmt.Fprintf(&text, "\t%s: {image: %q, digest: %q}\n", key, img.Image, img.Digest)
		}
	}
	text.WriteString("}\n")
	return text.String()
}
