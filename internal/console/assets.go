package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

//go:embed web/index.html web/icon.svg web/css web/js web/vendor
var embedded embed.FS

// assetsPlaceholder stands in index.html for the path below which the files are
// served. That path holds a hash of their content, so that browsers keep them for
// ever and still never mix files of two versions.
const assetsPlaceholder = "{{assets}}"

// asset is a file as it is sent.
type asset struct {
	contentType string
	plain       []byte
	zipped      []byte // nil where compressing gains nothing
}

func serveAssets(mux *http.ServeMux) {
	assets, prefix := loadAssets()
	for name, a := range assets {
		if name == "index.html" {
			a = newAsset(name, bytes.ReplaceAll(a.plain, []byte(assetsPlaceholder), []byte(prefix)))
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, "no-cache") })
			continue
		}
		mux.HandleFunc("GET "+prefix+"/"+name, func(w http.ResponseWriter, r *http.Request) {
			a.serve(w, r, "public, max-age=31536000, immutable")
		})
	}
}

// loadAssets returns the embedded files by their path below web, and the path
// below which to serve them.
func loadAssets() (assets map[string]asset, prefix string) {
	assets = map[string]asset{}
	hash := sha256.New()
	err := fs.WalkDir(embedded, "web", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "web/")
		fmt.Fprintf(hash, "%s %d\n", name, len(content))
		hash.Write(content)
		assets[name] = newAsset(name, content)
		return nil
	})
	if err != nil {
		// The files are part of the binary: this cannot happen to a user.
		panic(fmt.Sprintf("read the embedded files of the console: %v", err))
	}
	return assets, "/assets/" + hex.EncodeToString(hash.Sum(nil)[:8])
}

// contentTypes are not left to package mime, which asks the system's tables.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newAsset(name string, content []byte) asset {
	contentType := contentTypes[path.Ext(name)]
	if contentType == "" {
		contentType = "text/plain; charset=utf-8"
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	// Writing to a bytes.Buffer does not fail.
	_, _ = w.Write(content)
	_ = w.Close()
	a := asset{contentType: contentType, plain: content}
	if zipped.Len() < len(content) {
		a.zipped = zipped.Bytes()
	}
	return a
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", cacheControl)
	header.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.zipped != nil && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	// A failed write means that the browser is gone.
	_, _ = w.Write(body)
}

func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(coding))
		if err == nil && name == "gzip" && params["q"] != "0" {
			return true
		}
	}
	return false
}
