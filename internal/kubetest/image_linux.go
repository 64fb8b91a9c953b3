package kubetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// buildPause makes the image of the container that every Pod has beside its own.
func (n *Node) buildPause(t testing.TB) {
	t.Helper()
	program := filepath.Join(n.dir, "pause")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./internal/kubetest/pause")
	cmd.Dir = n.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the program pause: %v\n%s", err, out)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(n.dir, "images/pause.tar"), string(imageOf("netmeta.local/pause:1", "pause", text)))
}

// imageOf is an archive, as docker save writes it, of an image with one program.
func imageOf(reference, name string, program []byte) []byte {
	layer := archive(map[string][]byte{name: program})
	config, err := json.Marshal(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH,
		"config": map[string]any{"Entrypoint": []string{"/" + name}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		panic(err) // of strings alone
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{reference}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		panic(err)
	}
	return archive(map[string][]byte{"layer.tar": layer, "config.json": config, "manifest.json": manifest})
}

func archive(files map[string][]byte) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			panic(err) // memory takes everything
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
